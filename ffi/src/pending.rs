//! Prepare and commit: persist-before-send as a property of the program.

use marline::{Opened, Pending};

use crate::account::state_key;
use crate::boundary::{call, read};
use crate::buffer::Bytes;
use crate::handles::{MarlineBuffer, MarlineOpened, MarlinePending, MarlineSession};
use crate::options::MarlineOptions;
use crate::randomness::Os;
use crate::session::{plaintext_bytes, room_for};
use crate::status::{MARLINE_ERR_AGREEMENT_FAILED, MARLINE_ERR_SPENT, MarlineError, Status, of};

/// What is behind a pending handle.
pub enum Prepared {
    /// An encryption.
    Encrypt(Pending<Vec<u8>>),
    /// A decryption.
    Decrypt(Pending<Opened>),
    /// A commit took it.
    Spent,
}

/// Computes an encryption without making it. The order is: prepare, store marline_pending_state, then
/// marline_session_commit_encrypt gives the message. Freeing the pending handle instead changes nothing.
///
/// @param[in] session  not NULL
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults; `slots` must be 0
/// @param[out] out_pending  not NULL; a new pending change, free it with marline_pending_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_session_encrypt
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_prepare_encrypt(
    session: *const MarlineSession,
    plaintext: *const u8,
    plaintext_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    out_pending: *mut *mut MarlinePending,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_pending)?;
        let session = c.shared_by_maker(session)?;
        let plaintext = plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let padding = c.options(options)?.message_padding()?;
        let pending = session.prepare_encrypt(plaintext, ad, padding, &mut Os);
        out.put(Prepared::Encrypt(pending.map_err(of)?));
        Ok(())
    })
}

/// Computes a decryption without making it: prepare, store marline_pending_state, then
/// marline_session_commit_decrypt gives the plaintext.
///
/// @param[in] session  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[out] out_pending  not NULL; a new pending change, free it with marline_pending_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_session_decrypt
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_prepare_decrypt(
    session: *const MarlineSession,
    message: *const u8,
    message_len: usize,
    ad: *const u8,
    ad_len: usize,
    out_pending: *mut *mut MarlinePending,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_pending)?;
        let session = c.shared_by_maker(session)?;
        let message = c.bytes(message, message_len)?;
        let ad = c.bytes(ad, ad_len)?;
        room_for(message.len())?;
        let pending = session.prepare_decrypt(message, ad).map_err(of)?;
        out.put(Prepared::Decrypt(pending));
        Ok(())
    })
}

/// The state to store before the commit, sealed under the application's key.
///
/// @param[in] pending  not NULL
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] out_generation  not NULL; remember it, for marline_session_import
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_SPENT, MARLINE_ERR_RANDOMNESS
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_pending_state(
    pending: *const MarlinePending,
    key: *const u8,
    key_len: usize,
    out_sealed: *mut *mut MarlineBuffer,
    out_generation: *mut u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (out, generation) = (c.out_handle(out_sealed), c.out(out_generation));
        let (out, generation) = (out?, generation?);
        let pending = c.shared_by_maker(pending)?;
        let key = state_key(c, key, key_len)?;
        let (sealed, number) = match &*pending {
            Prepared::Encrypt(pending) => (pending.state(&key, &mut Os), pending.generation()),
            Prepared::Decrypt(pending) => (pending.state(&key, &mut Os), pending.generation()),
            Prepared::Spent => return Err(MARLINE_ERR_SPENT),
        };
        out.put(Bytes::from(sealed.map_err(of)?));
        generation.set(number);
        Ok(())
    })
}

/// What a prepared change yields, to be stored in one transaction with marline_pending_state: the message for an outbox, or
/// the plaintext for an inbox (its sender is the session's peer). Without that, a crash between storing and the
/// commit loses it. Do nothing else with it before the commit.
///
/// @param[in] pending  not NULL
/// @param[out] out_output  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT; MARLINE_ERR_AGREEMENT_FAILED: the prepared message ends the
///         session, and there is no plaintext
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_pending_output(
    pending: *const MarlinePending,
    out_output: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_output)?;
        let pending = c.shared_by_maker(pending)?;
        let output = match &*pending {
            Prepared::Encrypt(pending) => pending.output().map(Vec::as_slice),
            Prepared::Decrypt(pending) => pending.output().map(Opened::plaintext),
            Prepared::Spent => return Err(MARLINE_ERR_SPENT),
        };
        let output = output.ok_or(MARLINE_ERR_AGREEMENT_FAILED)?;
        out.put(Bytes::from(output.to_vec()));
        Ok(())
    })
}

/// Makes a prepared encryption and releases its message. The pending handle is spent then, also with
/// MARLINE_ERR_STALE; it is still freed with marline_pending_free.
///
/// @param[in,out] session  not NULL; the session it was prepared for
/// @param[in,out] pending  not NULL; of marline_session_prepare_encrypt
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT (committed before, or a
///         decryption); MARLINE_ERR_STALE when the session has changed since, or is another one
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_commit_encrypt(
    session: *mut MarlineSession,
    pending: *mut MarlinePending,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_message)?;
        let (mut session, mut pending) = (c.exclusive(session)?, c.exclusive(pending)?);
        if !matches!(*pending, Prepared::Encrypt(_)) {
            return Err(MARLINE_ERR_SPENT);
        }
        if let Prepared::Encrypt(change) = std::mem::replace(&mut *pending, Prepared::Spent) {
            out.put(Bytes::from(session.commit(change).map_err(of)?));
        }
        Ok(())
    })
}

/// Makes a prepared decryption and releases its plaintext. The pending handle is spent then, also with
/// MARLINE_ERR_STALE; it is still freed with marline_pending_free.
///
/// @param[in,out] session  not NULL; the session it was prepared for
/// @param[in,out] pending  not NULL; of marline_session_prepare_decrypt
/// @param[out] out_opened  not NULL; plaintext and peer, free it with marline_opened_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT (committed before, or an
///         encryption); MARLINE_ERR_STALE when the session has changed since, or is another one
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_commit_decrypt(
    session: *mut MarlineSession,
    pending: *mut MarlinePending,
    out_opened: *mut *mut MarlineOpened,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_opened)?;
        let (mut session, mut pending) = (c.exclusive(session)?, c.exclusive(pending)?);
        if !matches!(*pending, Prepared::Decrypt(_)) {
            return Err(MARLINE_ERR_SPENT);
        }
        if let Prepared::Decrypt(change) = std::mem::replace(&mut *pending, Prepared::Spent) {
            out.put(session.commit(change).map_err(of)?);
        }
        Ok(())
    })
}

/// Wipes and frees a pending change; if it was not committed, nothing has changed.
///
/// @param[in] pending  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_pending_free(pending: *mut MarlinePending) {
    read!((), |c| c.free(pending));
}
