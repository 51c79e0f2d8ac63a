//! Contacts: all sessions with one peer device (specification, section 10).

use marline::{Contact, IdentityId, InitiateOptions, PrekeyBundle, Received};

use crate::account::{either, state_key};
use crate::boundary::{Contract, Output, call, read};
use crate::buffer::Bytes;
use crate::events::{Events, trust_of};
use crate::handles::{MarlineAccount, MarlineBuffer, MarlineContact, MarlineEvents, MarlineOpened};
use crate::options::MarlineOptions;
use crate::randomness::Os;
use crate::session::room_for;
use crate::status::{MARLINE_ERR_ARGUMENT, MARLINE_ERR_LENGTH, MarlineError, Status, of};

/// Bytes of plaintext in one message to a contact, at most: 9 are for the contact's own use.
pub const MARLINE_MAX_CONTACT_PLAINTEXT: usize = 16_777_207;

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
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
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
        let contact = c.shared_by_maker(contact)?;
        let key = state_key(c, key, key_len)?;
        out.put(Bytes::from(contact.export(&key, &mut Os).map_err(of)?));
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
        let message = either!(&mut *account, |a| contact
            .initiate(a, &bundle, plaintext, options, now, &mut Os));
        out.put(Bytes::from(message.map_err(of)?));
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
        let message = either!(&mut *account, |a| contact
            .reset(a, &bundle, options, now, &mut Os));
        out.put(Bytes::from(message.map_err(of)?));
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
        out.put(Bytes::from(message.map_err(of)?));
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

/// 1 or 0.
pub(crate) fn flag(given: u32) -> Result<bool, Status> {
    match given {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(MARLINE_ERR_ARGUMENT),
    }
}

pub(crate) fn identity_id(
    c: &Contract,
    from: *const u8,
    length: usize,
) -> Result<IdentityId, Status> {
    c.array(from, length).copied().map(IdentityId::from_bytes)
}

pub(crate) fn plaintext_bytes(
    c: &Contract,
    from: *const u8,
    length: usize,
) -> Result<&[u8], Status> {
    if length > MARLINE_MAX_CONTACT_PLAINTEXT {
        return Err(MARLINE_ERR_LENGTH);
    }
    crate::session::plaintext_bytes(c, from, length)
}
