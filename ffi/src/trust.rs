//! Whom a contact is: its identity, a change of it, trust; and its sessions.

use crate::boundary::call;
use crate::buffer::Bytes;
use crate::contact::{flag, identity_id};
use crate::events::trust_of;
use crate::facts::{MarlineFacts, export_len, facts_of};
use crate::handles::{MarlineBuffer, MarlineContact};
use crate::prekey::MARLINE_ID_SIZE;
use crate::status::{MARLINE_ERR_ARGUMENT, MARLINE_ERR_NO_SESSION, MarlineError, Status, of};

/// Says which identity the peer shows now, in a directory or a bundle. Another one than before stops sending until the user
/// has decided.
///
/// @param[in,out] contact  not NULL
/// @param[in] identity  not NULL; `identity_len` bytes
/// @param[in] identity_len  MARLINE_ID_SIZE
/// @param[out] out_changed  not NULL; 1 if it is another one
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_observe(
    contact: *mut MarlineContact,
    identity: *const u8,
    identity_len: usize,
    out_changed: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_changed)?;
        let mut contact = c.exclusive(contact)?;
        let identity = identity_id(c, identity, identity_len)?;
        out.set(contact.observe(identity).is_some().into());
        Ok(())
    })
}

/// The user accepts the changed identity. It is not verified; sessions with the former one only receive.
///
/// @param[in,out] contact  not NULL
/// @param[in] identity  not NULL; `identity_len` bytes
/// @param[in] identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_IDENTITY_CHANGED unless it is the one that awaits a decision
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_acknowledge(
    contact: *mut MarlineContact,
    identity: *const u8,
    identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut contact = c.exclusive(contact)?;
        let identity = identity_id(c, identity, identity_len)?;
        contact.acknowledge(identity).map_err(of)
    })
}

/// The user refuses the changed identity: its sessions are deleted, sending goes on to the former one.
///
/// @param[in,out] contact  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_reject(
    contact: *mut MarlineContact,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        c.exclusive(contact)?.reject();
        Ok(())
    })
}

/// Records whether the user has compared the safety number of an identity: see marline_safety_number.
///
/// @param[in,out] contact  not NULL
/// @param[in] identity  not NULL; the one whose number was compared; `identity_len` bytes
/// @param[in] identity_len  MARLINE_ID_SIZE
/// @param[in] verified  1 or 0
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT;
///         MARLINE_ERR_IDENTITY_CHANGED when the contact has another identity by now: nothing has changed
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_set_verified(
    contact: *mut MarlineContact,
    identity: *const u8,
    identity_len: usize,
    verified: u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut contact = c.exclusive(contact)?;
        let identity = identity_id(c, identity, identity_len)?;
        contact.set_verified(identity, flag(verified)?).map_err(of)
    })
}

/// How far an author is trusted as this contact.
///
/// @param[in] contact  not NULL
/// @param[in] identity  not NULL; `identity_len` bytes
/// @param[in] identity_len  MARLINE_ID_SIZE
/// @param[out] out_trust  not NULL; MARLINE_TRUST_..., of the author
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_trust(
    contact: *const MarlineContact,
    identity: *const u8,
    identity_len: usize,
    out_trust: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_trust)?;
        let contact = c.shared(contact)?;
        out.set(trust_of(contact.trust(&identity_id(
            c,
            identity,
            identity_len,
        )?)));
        Ok(())
    })
}

/// The identity that messages are sent to.
///
/// @param[in] contact  not NULL
/// @param[out] out_identity  not NULL; `out_identity_len` bytes
/// @param[in] out_identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_identity(
    contact: *const MarlineContact,
    out_identity: *mut u8,
    out_identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<MARLINE_ID_SIZE>(out_identity, out_identity_len)?;
        out.write(c.shared(contact)?.identity().as_bytes())
    })
}

/// The identity that awaits the user's decision, if there is one.
///
/// @param[in] contact  not NULL
/// @param[out] out_has  not NULL; 1 if there is one, else 0 and the identity is zero
/// @param[out] out_identity  not NULL; `out_identity_len` bytes
/// @param[in] out_identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_changed_identity(
    contact: *const MarlineContact,
    out_has: *mut u32,
    out_identity: *mut u8,
    out_identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (has, identity) = (
            c.out(out_has),
            c.out_array::<MARLINE_ID_SIZE>(out_identity, out_identity_len),
        );
        let (has, out) = (has?, identity?);
        match c.shared(contact)?.changed_identity() {
            Some(identity) => {
                has.set(1);
                out.write(identity.as_bytes())
            }
            None => Ok(()),
        }
    })
}

/// The number of sessions with the contact, at most 9.
///
/// @param[in] contact  not NULL
/// @param[out] out_count  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_session_count(
    contact: *const MarlineContact,
    out_count: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_count)?;
        let count = c.shared(contact)?.sessions().count();
        out.set(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    })
}

/// The facts of one session; index 0 is the best one.
///
/// @param[in] contact  not NULL
/// @param[in] index  below marline_contact_session_count
/// @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_session_facts(
    contact: *const MarlineContact,
    index: u32,
    out_facts: *mut MarlineFacts,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_facts)?;
        let contact = c.shared(contact)?;
        let index = usize::try_from(index).map_err(|_| MARLINE_ERR_ARGUMENT)?;
        out.set(facts_of(
            contact.sessions().nth(index).ok_or(MARLINE_ERR_ARGUMENT)?,
        ));
        Ok(())
    })
}

/// As marline_session_export_secret, of the session that messages are sent on.
///
/// @param[in] contact  not NULL
/// @param[in] label  `label_len` bytes, NULL if that is 0
/// @param[in] label_len  length of the label
/// @param[in] context  `context_len` bytes, NULL if that is 0
/// @param[in] context_len  length of the context
/// @param[in] secret_len  1 to MARLINE_MAX_EXPORT
/// @param[out] out_secret  not NULL; a new buffer of `secret_len` bytes, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH; MARLINE_ERR_NO_SESSION
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_export_secret(
    contact: *const MarlineContact,
    label: *const u8,
    label_len: usize,
    context: *const u8,
    context_len: usize,
    secret_len: usize,
    out_secret: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_secret)?;
        let contact = c.shared_by_maker(contact)?;
        let (label, context) = (c.bytes(label, label_len)?, c.bytes(context, context_len)?);
        let length = export_len(secret_len)?;
        let session = contact.sending().ok_or(MARLINE_ERR_NO_SESSION)?;
        let secret = session.export_secret(label, context, length);
        out.put(Bytes::from(secret.map_err(of)?));
        Ok(())
    })
}
