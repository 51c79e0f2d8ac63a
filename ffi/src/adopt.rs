//! First messages for contacts: accepted by the account, then given to the contact they are from.

use marline::{Accepted, IdentityId};

use crate::account::either;
use crate::boundary::{call, read};
use crate::contact::Outputs;
use crate::handles::{
    MarlineAccepted, MarlineAccount, MarlineContact, MarlineEvents, MarlineOpened,
};
use crate::prekey::MARLINE_ID_SIZE;
use crate::session::room_for;
use crate::status::{MARLINE_ERR_SPENT, MarlineError, Status, of};

/// What is behind an accepted first message: who it is from, and the message until a contact takes it.
pub struct Adoptable {
    identity: IdentityId,
    accepted: Option<Accepted>,
}

/// Accepts a first message for a contact: look at whose it is, then give it to marline_contact_adopt of that contact.
/// Store the states of the account and of the contact before acting on the plaintext.
///
/// @param[in,out] account  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] now  Unix seconds
/// @param[out] out_accepted  not NULL; the accepted message, free it with marline_accepted_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_account_accept
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_accept_first(
    account: *mut MarlineAccount,
    message: *const u8,
    message_len: usize,
    ad: *const u8,
    ad_len: usize,
    now: u64,
    out_accepted: *mut *mut MarlineAccepted,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_accepted)?;
        let mut account = c.exclusive(account)?;
        let message = c.bytes(message, message_len)?;
        let ad = c.bytes(ad, ad_len)?;
        room_for(message.len())?;
        let accepted = either!(&mut *account, |a| a.accept_with(message, ad, now));
        let accepted = accepted.map_err(of)?;
        let identity = accepted.opened.peer().identity;
        let accepted = Some(accepted);
        out.put(Adoptable { identity, accepted });
        Ok(())
    })
}

/// The authenticated identity that an accepted message is from.
///
/// @param[in] accepted  not NULL
/// @param[out] out_identity  not NULL; `out_identity_len` bytes
/// @param[in] out_identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_accepted_identity(
    accepted: *const MarlineAccepted,
    out_identity: *mut u8,
    out_identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<MARLINE_ID_SIZE>(out_identity, out_identity_len)?;
        out.write(c.shared(accepted)?.identity.as_bytes())
    })
}

/// Wipes and frees an accepted message. If no contact took it, it and its session are lost.
///
/// @param[in] accepted  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_accepted_free(accepted: *mut MarlineAccepted) {
    read!((), |c| c.free(accepted));
}

/// Gives an accepted message with its session to a contact. When it is not from the contact's identity, this says that the
/// peer has changed its identity. The accepted message is spent then; it is still freed with marline_accepted_free.
///
/// @param[in,out] contact  not NULL
/// @param[in,out] accepted  not NULL
/// @param[in] now  Unix seconds
/// @param[out] out_opened  not NULL; plaintext and author, free it with marline_opened_free; NULL also after success if
///             an event says why there is none, or after a reset
/// @param[out] out_trust  not NULL; MARLINE_TRUST_..., of the author
/// @param[out] out_events  not NULL; what happened besides, free it with marline_events_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_adopt(
    contact: *mut MarlineContact,
    accepted: *mut MarlineAccepted,
    now: u64,
    out_opened: *mut *mut MarlineOpened,
    out_trust: *mut u32,
    out_events: *mut *mut MarlineEvents,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = Outputs::new(c, out_opened, out_trust, out_events)?;
        let (mut contact, mut accepted) = (c.exclusive(contact)?, c.exclusive(accepted)?);
        let accepted = accepted.accepted.take().ok_or(MARLINE_ERR_SPENT)?;
        out.put(contact.adopt(accepted, now));
        Ok(())
    })
}
