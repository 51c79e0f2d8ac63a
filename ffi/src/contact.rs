//! Contacts: all sessions with one peer device (specification, section 10).

use marline::{Contact, Event, IdentityId, InitiateOptions, PrekeyBundle, Received};
use zeroize::Zeroizing;

use crate::account::state_key;
use crate::boundary::{Contract, Output, call, read};
use crate::events::trust_of;
use crate::handles::{MarlineAccount, MarlineBuffer, MarlineContact, MarlineEvents, MarlineOpened};
use crate::options::MarlineOptions;
use crate::prekey::MARLINE_ID_SIZE;
use crate::randomness::Os;
use crate::session::{MarlineFacts, facts_of, room_for};
use crate::status::{MARLINE_ERR_ARGUMENT, MARLINE_ERR_LENGTH, MarlineError, Status, of};

/// Bytes of plaintext in one message to a contact, at most: 9 are for the contact's own use.
pub const MARLINE_MAX_CONTACT_PLAINTEXT: usize = 16_777_207;

/// One event, `= MARLINE_EVENT_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineEvent {
    /// `sizeof(marline_event)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// MARLINE_EVENT_...
    pub kind: u32,
    /// For MARLINE_EVENT_NEW_SESSION: 1 if messages go out on it from now on.
    pub sends: u32,
    /// The session, for events of sessions.
    pub session_id: [u8; 32],
    /// For MARLINE_EVENT_IDENTITY_CHANGED: the identity known so far.
    pub from: [u8; 32],
    /// For MARLINE_EVENT_IDENTITY_CHANGED: the identity seen now.
    pub to: [u8; 32],
}
const _: () = assert!(size_of::<MarlineEvent>() == 108 && align_of::<MarlineEvent>() == 4);

/// What is behind events.
pub struct Events(pub(crate) Vec<Event>);

/// Makes a contact without sessions, for the peer device of an identity.
///
/// @param[in] identity  not NULL; `identity_len` bytes
/// @param[in] identity_len  MARLINE_ID_SIZE
/// @param[out] out_contact  not NULL; a new contact, free it with marline_contact_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_new(
    identity: *const u8,
    identity_len: usize,
    out_contact: *mut *mut MarlineContact,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_contact)?;
        out.put(Contact::new(identity_id(c, identity, identity_len)?));
        Ok(())
    })
}

/// Restores a contact from a stored state.
///
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[in] sealed  what marline_contact_export gave; `sealed_len` bytes
/// @param[in] sealed_len  length of the stored state
/// @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
/// @param[out] out_contact  not NULL; a new contact, free it with marline_contact_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_AUTHENTICATION (another key, or corrupt),
///         MARLINE_ERR_ROLLBACK, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_import(
    key: *const u8,
    key_len: usize,
    sealed: *const u8,
    sealed_len: usize,
    minimum_generation: u64,
    out_contact: *mut *mut MarlineContact,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_contact)?;
        let key = state_key(c, key, key_len)?;
        let sealed = c.bytes(sealed, sealed_len)?;
        room_for(sealed.len())?;
        out.put(Contact::import(&key, sealed, minimum_generation).map_err(of)?);
        Ok(())
    })
}

/// The state of a contact with all its sessions, sealed under the application's key.
///
/// @param[in] contact  not NULL
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] out_generation  not NULL; remember it, for marline_contact_import
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_export(
    contact: *const MarlineContact,
    key: *const u8,
    key_len: usize,
    out_sealed: *mut *mut MarlineBuffer,
    out_generation: *mut u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (out, generation) = (c.out_handle(out_sealed), c.out(out_generation));
        let (out, generation) = (out?, generation?);
        let contact = c.shared(contact)?;
        let key = state_key(c, key, key_len)?;
        out.put(Zeroizing::new(contact.export(&key, &mut Os).map_err(of)?));
        generation.set(contact.generation());
        Ok(())
    })
}

/// Wipes and frees a contact with its sessions. Stored states are not touched.
///
/// @param[in] contact  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_free(contact: *mut MarlineContact) {
    read!((), |c| c.free(contact));
}

/// Starts a session with the contact and encrypts its first message. With a session to send on already, this is a
/// reset with content. Store the states of the account and of the contact before the message leaves the device.
///
/// @param[in,out] contact  not NULL
/// @param[in,out] account  not NULL
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults
/// @param[in] now  Unix seconds
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_account_initiate; MARLINE_ERR_IDENTITY_CHANGED while a change awaits a decision, or for a bundle of another
///         identity; MARLINE_ERR_LIMIT within an hour of the last reset. Nothing has changed then.
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_initiate(
    contact: *mut MarlineContact,
    account: *mut MarlineAccount,
    bundle: *const u8,
    bundle_len: usize,
    plaintext: *const u8,
    plaintext_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    now: u64,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_message)?;
        let (mut contact, mut account) = (c.exclusive(contact)?, c.exclusive(account)?);
        let bundle = c.bytes(bundle, bundle_len)?;
        let plaintext = plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let options = c.options(options)?;
        let (slots, padding) = (options.slots()?, options.padding()?);
        let bundle = PrekeyBundle::from_bytes(bundle).map_err(of)?;
        let options = InitiateOptions { slots, padding, ad };
        let message = contact.initiate(&mut account, &bundle, plaintext, options, now, &mut Os);
        out.put(Zeroizing::new(message.map_err(of)?));
        Ok(())
    })
}

/// Gives up the session and starts another, with a message that tells the peer so: for a session that failed, or
/// whose messages the peer cannot read. At most one in an hour.
///
/// @param[in,out] contact  not NULL
/// @param[in,out] account  not NULL
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults
/// @param[in] now  Unix seconds
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_contact_initiate
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_reset(
    contact: *mut MarlineContact,
    account: *mut MarlineAccount,
    bundle: *const u8,
    bundle_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    now: u64,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_message)?;
        let (mut contact, mut account) = (c.exclusive(contact)?, c.exclusive(account)?);
        let bundle = c.bytes(bundle, bundle_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let options = c.options(options)?;
        let (slots, padding) = (options.slots()?, options.padding()?);
        let bundle = PrekeyBundle::from_bytes(bundle).map_err(of)?;
        let options = InitiateOptions { slots, padding, ad };
        let message = contact.reset(&mut account, &bundle, options, now, &mut Os);
        out.put(Zeroizing::new(message.map_err(of)?));
        Ok(())
    })
}

/// Encrypts on the session that both sides prefer. Store the state before the message leaves the device.
///
/// @param[in,out] contact  not NULL
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults; `slots` must be 0
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_session_encrypt; MARLINE_ERR_NO_SESSION: marline_contact_initiate first; MARLINE_ERR_IDENTITY_CHANGED while a
///         change awaits a decision. Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_send(
    contact: *mut MarlineContact,
    plaintext: *const u8,
    plaintext_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_message)?;
        let mut contact = c.exclusive(contact)?;
        let plaintext = plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let padding = c.options(options)?.message_padding()?;
        let message = contact.send_with(plaintext, ad, padding, &mut Os);
        out.put(Zeroizing::new(message.map_err(of)?));
        Ok(())
    })
}

/// Whether a first message belongs to a session here: then marline_contact_receive opens it.
///
/// @param[in] contact  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[out] out_owns  not NULL; 1 or 0
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_owns(
    contact: *const MarlineContact,
    message: *const u8,
    message_len: usize,
    out_owns: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_owns)?;
        let contact = c.shared(contact)?;
        out.set(contact.owns(c.bytes(message, message_len)?).into());
        Ok(())
    })
}

/// Opens a message of any session with the contact. Store the state before acting on the plaintext.
///
/// @param[in,out] contact  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[out] out_opened  not NULL; plaintext and author, free it with marline_opened_free; NULL also after success if
///             an event says why there is none, or after a reset
/// @param[out] out_trust  not NULL; MARLINE_TRUST_..., of the author
/// @param[out] out_events  not NULL; what happened besides, free it with marline_events_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_session_decrypt; MARLINE_ERR_NO_SESSION: a first message of a new session, for
///         marline_account_accept_first and marline_contact_adopt, or there is no session. Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_receive(
    contact: *mut MarlineContact,
    message: *const u8,
    message_len: usize,
    ad: *const u8,
    ad_len: usize,
    out_opened: *mut *mut MarlineOpened,
    out_trust: *mut u32,
    out_events: *mut *mut MarlineEvents,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = Outputs::new(c, out_opened, out_trust, out_events)?;
        let mut contact = c.exclusive(contact)?;
        let message = c.bytes(message, message_len)?;
        let ad = c.bytes(ad, ad_len)?;
        room_for(message.len())?;
        out.put(contact.receive_with(message, ad).map_err(of)?);
        Ok(())
    })
}

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

/// Records whether the user has compared the safety number.
///
/// @param[in,out] contact  not NULL
/// @param[in] verified  1 or 0
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_ARGUMENT
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_set_verified(
    contact: *mut MarlineContact,
    verified: u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut contact = c.exclusive(contact)?;
        if verified > 1 {
            return Err(MARLINE_ERR_ARGUMENT);
        }
        contact.set_verified(verified == 1);
        Ok(())
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

/// As marline_session_maintain, in all sessions.
///
/// @param[in,out] contact  not NULL
/// @param[in] now  Unix seconds
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_maintain(
    contact: *mut MarlineContact,
    now: u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        c.exclusive(contact)?.maintain(now);
        Ok(())
    })
}

/// The three outputs of a message.
pub(crate) struct Outputs<'a> {
    opened: Output<'a, *mut MarlineOpened>,
    trust: Output<'a, u32>,
    events: Output<'a, *mut MarlineEvents>,
}

impl<'a> Outputs<'a> {
    pub(crate) fn new(
        c: &'a Contract,
        opened: *mut *mut MarlineOpened,
        trust: *mut u32,
        events: *mut *mut MarlineEvents,
    ) -> Result<Self, Status> {
        let (opened, trust, events) = (c.out_handle(opened), c.out(trust), c.out_handle(events));
        Ok(Self {
            opened: opened?,
            trust: trust?,
            events: events?,
        })
    }

    pub(crate) fn put(self, received: Received) {
        if let Some(opened) = received.opened {
            self.opened.put(opened);
        }
        self.trust.set(trust_of(received.trust));
        self.events.put(Events(received.events));
    }
}

fn identity_id(c: &Contract, from: *const u8, length: usize) -> Result<IdentityId, Status> {
    c.array(from, length).copied().map(IdentityId::from_bytes)
}

fn plaintext_bytes(c: &Contract, from: *const u8, length: usize) -> Result<&[u8], Status> {
    if length > MARLINE_MAX_CONTACT_PLAINTEXT {
        return Err(MARLINE_ERR_LENGTH);
    }
    crate::session::plaintext_bytes(c, from, length)
}
