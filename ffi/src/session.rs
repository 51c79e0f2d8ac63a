//! Sessions: encrypt, decrypt, states.

use marline::Session;
use marline::limits::MAX_PLAINTEXT;

use crate::account::state_key;
use crate::boundary::{Contract, call, read};
use crate::buffer::Bytes;
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
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
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
        let session = c.shared_by_maker(session)?;
        let key = state_key(c, key, key_len)?;
        out.put(Bytes::from(session.export(&key, &mut Os).map_err(of)?));
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
        out.put(Bytes::from(message.map_err(of)?));
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
///         MARLINE_ERR_AGREEMENT_FAILED
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
        out.set(session.message_len(plaintext_len, padding).map_err(of)?);
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
        let needed = session.message_len(plaintext.len(), padding).map_err(of)?;
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
/// @param[out] out_peer  not NULL; the peer's identity, `out_peer_len` bytes; zero after a failure
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
