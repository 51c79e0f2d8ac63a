//! Sessions: encrypt, decrypt, facts, export.

use marline::limits::MAX_PLAINTEXT;
use marline::{Facts, Padding, Role, Session};
use zeroize::Zeroizing;

use crate::account::state_key;
use crate::boundary::{Contract, call, read};
use crate::handles::{MarlineBuffer, MarlineOpened, MarlineSession};
use crate::options::MarlineOptions;
use crate::prekey::MARLINE_ID_SIZE;
use crate::randomness::Os;
use crate::status::{
    MARLINE_ERR_BUFFER_TOO_SMALL, MARLINE_ERR_LENGTH, MARLINE_ERR_NO_MEMORY, MarlineError, Status,
    of,
};

/// Bytes of plaintext in one message, at most (16 MiB).
pub const MARLINE_MAX_PLAINTEXT: usize = 16_777_216;
const _: () = assert!(MARLINE_MAX_PLAINTEXT == MAX_PLAINTEXT);
/// Bytes of an exported secret, at most.
pub const MARLINE_MAX_EXPORT: usize = 8160;

/// Role: this side started the session.
pub const MARLINE_ROLE_INITIATOR: u32 = 1;
/// Role: this side accepted the session.
pub const MARLINE_ROLE_RESPONDER: u32 = 2;

/// What there is to know about a session, `= MARLINE_FACTS_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineFacts {
    /// `sizeof(marline_facts)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// MARLINE_ROLE_...
    pub role: u32,
    /// Codewords in every message, 1 to 38.
    pub slots: u32,
    /// Current post-quantum epoch.
    pub epoch: u32,
    /// Messages sent and received since that epoch's key: high when the peer does not answer.
    pub messages_since_epoch: u32,
    /// 1 if the handshake used a one-time prekey.
    pub used_one_time_prekey: u32,
    /// 1 if the peer has sent anything in this session.
    pub peer_has_answered: u32,
    /// 1 if the post-quantum agreement broke and the session has ended.
    pub failed: u32,
    /// Keys held for messages that have not come, classical ratchet.
    pub skipped_classical: u32,
    /// Keys held for messages that have not come, post-quantum ratchet.
    pub skipped_post_quantum: u32,
    /// Grows with every change of the state.
    pub generation: u64,
    /// The session's id, the same on both sides.
    pub session_id: [u8; 32],
    /// The peer's authenticated identity.
    pub peer_identity: [u8; 32],
}
const _: () = assert!(size_of::<MarlineFacts>() == 112 && align_of::<MarlineFacts>() == 8);

/// Restores a session from a stored state.
///
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[in] sealed  what marline_session_export or marline_pending_state gave; `sealed_len` bytes
/// @param[in] sealed_len  length of the stored state
/// @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
/// @param[out] out_session  not NULL; a new session, free it with marline_session_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_AUTHENTICATION (another key, or corrupt),
///         MARLINE_ERR_ROLLBACK, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_import(
    key: *const u8,
    key_len: usize,
    sealed: *const u8,
    sealed_len: usize,
    minimum_generation: u64,
    out_session: *mut *mut MarlineSession,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_session)?;
        let key = state_key(c, key, key_len)?;
        let sealed = c.bytes(sealed, sealed_len)?;
        room_for(sealed.len())?;
        out.put(Session::import(&key, sealed, minimum_generation).map_err(of)?);
        Ok(())
    })
}

/// The state of a session, sealed under the application's key.
///
/// @param[in] session  not NULL
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] out_generation  not NULL; remember it, for marline_session_import
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_export(
    session: *const MarlineSession,
    key: *const u8,
    key_len: usize,
    out_sealed: *mut *mut MarlineBuffer,
    out_generation: *mut u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (out, generation) = (c.out_handle(out_sealed), c.out(out_generation));
        let (out, generation) = (out?, generation?);
        let session = c.shared(session)?;
        let key = state_key(c, key, key_len)?;
        out.put(Zeroizing::new(session.export(&key, &mut Os).map_err(of)?));
        generation.set(session.generation());
        Ok(())
    })
}

/// Wipes and frees a session. Its stored states are not touched.
///
/// @param[in] session  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_free(session: *mut MarlineSession) {
    read!((), |c| c.free(session));
}

/// Encrypts one message. The state changes: store it before the message leaves the device, or use
/// marline_session_prepare_encrypt, which makes that order a property of the program.
///
/// @param[in,out] session  not NULL
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults; `slots` must be 0
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT,
///         MARLINE_ERR_STRUCT_SIZE; MARLINE_ERR_AGREEMENT_FAILED, MARLINE_ERR_LIMIT, MARLINE_ERR_MALFORMED (the
///         peer's key is of no use), MARLINE_ERR_RANDOMNESS, MARLINE_ERR_NO_MEMORY. Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_encrypt(
    session: *mut MarlineSession,
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
        let mut session = c.exclusive(session)?;
        let plaintext = plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let padding = c.options(options)?.message_padding()?;
        let message = session.encrypt_with(plaintext, ad, padding, &mut Os);
        out.put(Zeroizing::new(message.map_err(of)?));
        Ok(())
    })
}

/// Decrypts one message. The state changes: store it before acting on the plaintext, or use
/// marline_session_prepare_decrypt.
///
/// @param[in,out] session  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[out] out_opened  not NULL; plaintext and peer, free it with marline_opened_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH; MARLINE_ERR_AUTHENTICATION,
///         MARLINE_ERR_DUPLICATE, MARLINE_ERR_TOO_OLD, MARLINE_ERR_TOO_FAR_AHEAD, MARLINE_ERR_VERSION,
///         MARLINE_ERR_MALFORMED, MARLINE_ERR_NO_MEMORY: nothing has changed. MARLINE_ERR_AGREEMENT_FAILED: the
///         session has ended, which is a change.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_decrypt(
    session: *mut MarlineSession,
    message: *const u8,
    message_len: usize,
    ad: *const u8,
    ad_len: usize,
    out_opened: *mut *mut MarlineOpened,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_opened)?;
        let mut session = c.exclusive(session)?;
        let message = c.bytes(message, message_len)?;
        let ad = c.bytes(ad, ad_len)?;
        room_for(message.len())?;
        out.put(session.decrypt_with(message, ad).map_err(of)?);
        Ok(())
    })
}

/// The exact length of the next message with a plaintext of a given length.
///
/// @param[in] session  not NULL
/// @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
/// @param[in] options  nullable; the options it will be encrypted with
/// @param[out] out_len  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_STRUCT_SIZE,
///         MARLINE_ERR_AGREEMENT_FAILED, MARLINE_ERR_LIMIT, MARLINE_ERR_RANDOMNESS
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_message_len(
    session: *const MarlineSession,
    plaintext_len: usize,
    options: *const MarlineOptions,
    out_len: *mut usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_len)?;
        let session = c.shared(session)?;
        if plaintext_len > MARLINE_MAX_PLAINTEXT {
            return Err(MARLINE_ERR_LENGTH);
        }
        let padding = c.options(options)?.message_padding()?;
        out.set(message_len(&session, plaintext_len, padding)?);
        Ok(())
    })
}

/// As marline_session_encrypt, into the caller's memory, which may overlap the inputs.
///
/// @param[in,out] session  not NULL
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults; `slots` must be 0
/// @param[out] out_message  `capacity` bytes; written on success only
/// @param[in] capacity  at least marline_session_message_len
/// @param[out] out_len  not NULL; the length of the message, also with MARLINE_ERR_BUFFER_TOO_SMALL
/// @param[out] err  nullable; see marline_error
/// @return as marline_session_encrypt; MARLINE_ERR_BUFFER_TOO_SMALL: nothing has changed
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_encrypt_into(
    session: *mut MarlineSession,
    plaintext: *const u8,
    plaintext_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    out_message: *mut u8,
    capacity: usize,
    out_len: *mut usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out_len = c.out(out_len)?;
        let out = c.out_bytes(out_message, capacity)?;
        let mut session = c.exclusive(session)?;
        let plaintext = plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let padding = c.options(options)?.message_padding()?;
        let needed = message_len(&session, plaintext.len(), padding)?;
        if out.capacity() < needed {
            out_len.set(needed);
            return Err(MARLINE_ERR_BUFFER_TOO_SMALL);
        }
        let message = session.encrypt_with(plaintext, ad, padding, &mut Os);
        let message = message.map_err(of)?;
        out_len.set(message.len());
        out.write(&message)
    })
}

/// As marline_session_decrypt, into the caller's memory, which may overlap the inputs. The peer comes with it.
///
/// @param[in,out] session  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[out] out_plaintext  `capacity` bytes; written on success only
/// @param[in] capacity  `message_len` is always enough
/// @param[out] out_len  not NULL; the length of the plaintext; with MARLINE_ERR_BUFFER_TOO_SMALL a capacity that
///             is enough
/// @param[out] out_peer  not NULL; the peer's identity, `out_peer_len` bytes
/// @param[in] out_peer_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return as marline_session_decrypt; MARLINE_ERR_BUFFER_TOO_SMALL: nothing has changed
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_decrypt_into(
    session: *mut MarlineSession,
    message: *const u8,
    message_len: usize,
    ad: *const u8,
    ad_len: usize,
    out_plaintext: *mut u8,
    capacity: usize,
    out_len: *mut usize,
    out_peer: *mut u8,
    out_peer_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (len, peer) = (
            c.out(out_len),
            c.out_array::<MARLINE_ID_SIZE>(out_peer, out_peer_len),
        );
        let (out_len, out_peer) = (len?, peer?);
        let out = c.out_bytes(out_plaintext, capacity)?;
        let mut session = c.exclusive(session)?;
        let message = c.bytes(message, message_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let bound = message
            .len()
            .saturating_sub(session.facts().slots.overhead());
        if out.capacity() < bound {
            out_len.set(bound);
            return Err(MARLINE_ERR_BUFFER_TOO_SMALL);
        }
        room_for(message.len())?;
        let opened = session.decrypt_with(message, ad).map_err(of)?;
        out_len.set(opened.plaintext().len());
        out_peer.write(opened.peer().identity.as_bytes())?;
        out.write(opened.plaintext())
    })
}

/// Dates the keys held for messages that have not come, and deletes those of 30 days. Call it about once a day,
/// and store the state afterwards.
///
/// @param[in,out] session  not NULL
/// @param[in] now  Unix seconds
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_maintain(
    session: *mut MarlineSession,
    now: u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        c.exclusive(session)?.maintain(now);
        Ok(())
    })
}

/// What there is to know about a session.
///
/// @param[in] session  not NULL
/// @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_STRUCT_SIZE
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_facts(
    session: *const MarlineSession,
    out_facts: *mut MarlineFacts,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_facts)?;
        out.set(facts_of(c.shared(session)?.facts()));
        Ok(())
    })
}

/// The subject that the peer claims: 0 to 255 bytes, not checked to be text.
///
/// @param[in] session  not NULL
/// @param[out] out_subject  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_peer_subject(
    session: *const MarlineSession,
    out_subject: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_subject)?;
        let subject = c.shared(session)?.peer().subject.as_bytes().to_vec();
        out.put(Zeroizing::new(subject));
        Ok(())
    })
}

/// A secret for another protocol, the same on both sides for the same label and context. It depends on the
/// handshake only.
///
/// @param[in] session  not NULL
/// @param[in] label  `label_len` bytes, NULL if that is 0
/// @param[in] label_len  length of the label
/// @param[in] context  `context_len` bytes, NULL if that is 0
/// @param[in] context_len  length of the context
/// @param[in] secret_len  1 to MARLINE_MAX_EXPORT
/// @param[out] out_secret  not NULL; a new buffer of `secret_len` bytes, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_export_secret(
    session: *const MarlineSession,
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
        let session = c.shared(session)?;
        let (label, context) = (c.bytes(label, label_len)?, c.bytes(context, context_len)?);
        if !(1..=MARLINE_MAX_EXPORT).contains(&secret_len) {
            return Err(MARLINE_ERR_LENGTH);
        }
        out.put(
            session
                .export_secret(label, context, secret_len)
                .map_err(of)?,
        );
        Ok(())
    })
}

/// Facts as C sees them.
pub(crate) fn facts_of(facts: Facts) -> MarlineFacts {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    MarlineFacts {
        struct_size: 0,
        role: match facts.role {
            Role::Initiator => MARLINE_ROLE_INITIATOR,
            Role::Responder => MARLINE_ROLE_RESPONDER,
        },
        slots: facts.slots.get().into(),
        epoch: facts.epoch,
        messages_since_epoch: facts.messages_since_epoch,
        used_one_time_prekey: facts.used_one_time_prekey.into(),
        peer_has_answered: facts.peer_has_answered.into(),
        failed: facts.failed.into(),
        skipped_classical: number(facts.skipped.0),
        skipped_post_quantum: number(facts.skipped.1),
        generation: facts.generation,
        session_id: facts.session_id,
        peer_identity: *facts.peer.identity.as_bytes(),
    }
}

/// Plaintext in: not longer than a message can carry.
pub(crate) fn plaintext_bytes(
    c: &Contract,
    from: *const u8,
    length: usize,
) -> Result<&[u8], Status> {
    if length > MARLINE_MAX_PLAINTEXT {
        return Err(MARLINE_ERR_LENGTH);
    }
    let plaintext = c.bytes(from, length)?;
    room_for(length)?;
    Ok(plaintext)
}

/// Whether there is memory to work on `length` bytes from outside. Small allocations abort the process when they
/// fail, as everywhere in Rust; what a peer or a caller can make large is asked for here first.
pub(crate) fn room_for(length: usize) -> Result<(), Status> {
    if length < 1 << 16 {
        return Ok(());
    }
    // A copy of the input, the padded result, and one for growth.
    let mut probe = Vec::<u8>::new();
    probe
        .try_reserve_exact(length.saturating_mul(3))
        .map_err(|_| MARLINE_ERR_NO_MEMORY)
}

/// Length of the next message: padded plaintext, what every message adds, and an initiator's first flight as long
/// as the peer has not answered. That is not among the facts, so a copy of the session encrypts nothing to see.
fn message_len(session: &Session, plaintext_len: usize, padding: Padding) -> Result<usize, Status> {
    let facts = session.facts();
    let padded = padding.padded_len(plaintext_len);
    if facts.peer_has_answered && !facts.failed {
        return Ok(padded.saturating_add(facts.slots.overhead()));
    }
    let mut copy = Session::from_state(&session.to_state()).map_err(of)?;
    let empty = copy
        .encrypt_with(&[], &[], Padding::None, &mut Os)
        .map_err(of)?;
    let rest = empty.len().saturating_sub(Padding::None.padded_len(0));
    Ok(padded.saturating_add(rest))
}
