//! Accounts: one device's identity and prekeys.

use marline::{Account, External, InitiateOptions, PrekeyBundle, StateKey, Task};

use crate::boundary::{Contract, call, read};
use crate::buffer::Bytes;
use crate::handles::{
    MarlineAccount, MarlineBuffer, MarlineOpened, MarlinePublication, MarlineSession,
};
use crate::options::MarlineOptions;
use crate::prekey::MARLINE_ID_SIZE;
use crate::randomness::Os;
use crate::session::{plaintext_bytes, room_for};
use crate::signing::{Desk, Remote};
use crate::status::{MARLINE_ERR_ARGUMENT, MARLINE_ERR_LENGTH, MarlineError, Status, of};

/// Bytes of the application's key for stored states.
pub const MARLINE_KEY_SIZE: usize = 32;
/// Bytes of a subject, at most.
pub const MARLINE_MAX_SUBJECT: usize = 255;
/// Bit of marline_account_due: publish; there is no publication, or the newest is 7 days old.
pub const MARLINE_TASK_ROTATE: u32 = 1;
/// Bit of marline_account_due: publish; fewer than a quarter of the one-time prekeys is left.
pub const MARLINE_TASK_REPLENISH: u32 = 2;
/// Bit of marline_account_due: call marline_account_delete_expired.
pub const MARLINE_TASK_DELETE: u32 = 4;

/// What is behind an account.
pub enum AnyAccount {
    /// Its identity's secret is part of it.
    Local(Account),
    /// Its identity signs elsewhere; the desk is where its signer finds what to do.
    External(Account<External<Remote>>, Desk),
}

/// Runs an expression on an account of either kind.
macro_rules! either {
    ($account:expr, |$inner:ident| $body:expr) => {
        match $account {
            $crate::account::AnyAccount::Local($inner) => $body,
            $crate::account::AnyAccount::External($inner, _) => $body,
        }
    };
}
pub(crate) use either;

/// Makes a new device with a fresh identity.
///
/// @param[in] subject  the name it claims; `subject_len` bytes, NULL if that is 0
/// @param[in] subject_len  0 to MARLINE_MAX_SUBJECT
/// @param[out] out_account  not NULL; a new account, free it with marline_account_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_generate(
    subject: *const u8,
    subject_len: usize,
    out_account: *mut *mut MarlineAccount,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_account)?;
        if subject_len > MARLINE_MAX_SUBJECT {
            return Err(MARLINE_ERR_LENGTH);
        }
        let subject = c.bytes(subject, subject_len)?;
        let account = Account::generate(subject, &mut Os).map_err(of)?;
        out.put(AnyAccount::Local(account));
        Ok(())
    })
}

/// Restores an account from a stored state.
///
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[in] sealed  what marline_account_export gave; `sealed_len` bytes
/// @param[in] sealed_len  length of the stored state
/// @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
/// @param[out] out_account  not NULL; a new account, free it with marline_account_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_AUTHENTICATION (another key, or corrupt),
///         MARLINE_ERR_ROLLBACK, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_import(
    key: *const u8,
    key_len: usize,
    sealed: *const u8,
    sealed_len: usize,
    minimum_generation: u64,
    out_account: *mut *mut MarlineAccount,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_account)?;
        let key = state_key(c, key, key_len)?;
        let sealed = c.bytes(sealed, sealed_len)?;
        room_for(sealed.len())?;
        let account = Account::import(&key, sealed, minimum_generation).map_err(of)?;
        out.put(AnyAccount::Local(account));
        Ok(())
    })
}

/// The state of an account, sealed under the application's key.
///
/// @param[in] account  not NULL
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] out_generation  not NULL; remember it, for marline_account_import
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_export(
    account: *const MarlineAccount,
    key: *const u8,
    key_len: usize,
    out_sealed: *mut *mut MarlineBuffer,
    out_generation: *mut u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (out, generation) = (c.out_handle(out_sealed), c.out(out_generation));
        let (out, generation) = (out?, generation?);
        let account = c.shared_by_maker(account)?;
        let key = state_key(c, key, key_len)?;
        let sealed = either!(&*account, |a| a.export(&key, &mut Os)).map_err(of)?;
        out.put(Bytes::from(sealed));
        generation.set(either!(&*account, |a| a.generation()));
        Ok(())
    })
}

/// Wipes and frees an account. Its stored states are not touched.
///
/// @param[in] account  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_free(account: *mut MarlineAccount) {
    read!((), |c| c.free(account));
}

/// The id of the account's identity.
///
/// @param[in] account  not NULL
/// @param[out] out_identity  not NULL; `out_identity_len` bytes
/// @param[in] out_identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_identity(
    account: *const MarlineAccount,
    out_identity: *mut u8,
    out_identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<MARLINE_ID_SIZE>(out_identity, out_identity_len)?;
        let account = c.shared(account)?;
        out.write(either!(&*account, |a| a.id()).as_bytes())
    })
}

/// The name that the account claims.
///
/// @param[in] account  not NULL
/// @param[out] out_subject  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_subject(
    account: *const MarlineAccount,
    out_subject: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_subject)?;
        let account = c.shared(account)?;
        let subject = either!(&*account, |a| a.subject().as_bytes().to_vec());
        out.put(Bytes::from(subject));
        Ok(())
    })
}

/// The generation of the account's state: it grows with every change.
///
/// @param[in] account  not NULL
/// @param[out] out_generation  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_generation(
    account: *const MarlineAccount,
    out_generation: *mut u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_generation)?;
        let account = c.shared(account)?;
        out.set(either!(&*account, |a| a.generation()));
        Ok(())
    })
}

/// Makes a publication: a fresh signed prekey and one-time prekeys, for any directory to store and hand out. Store
/// the account's state before it leaves the device.
///
/// @param[in,out] account  not NULL
/// @param[in] count  one-time prekeys, 1 to MARLINE_MAX_ONE_TIME
/// @param[in] now  Unix seconds
/// @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_ARGUMENT for another count,
///         MARLINE_ERR_LIMIT, MARLINE_ERR_RANDOMNESS, MARLINE_ERR_SIGNER (marline_account_external)
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_publish(
    account: *mut MarlineAccount,
    count: u32,
    now: u64,
    out_publication: *mut *mut MarlinePublication,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_publication)?;
        let mut account = c.exclusive(account)?;
        let count = one_time_count(count)?;
        let publication = either!(&mut *account, |a| a.publish(count, now, &mut Os));
        out.put((&publication.map_err(of)?).into());
        Ok(())
    })
}

/// What the life cycle of the prekeys wants done.
///
/// @param[in] account  not NULL
/// @param[in] now  Unix seconds
/// @param[out] out_tasks  not NULL; MARLINE_TASK_... bits, 0 for nothing
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_due(
    account: *const MarlineAccount,
    now: u64,
    out_tasks: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_tasks)?;
        let account = c.shared(account)?;
        out.set(task_bits(&either!(&*account, |a| a.due(now))));
        Ok(())
    })
}

/// Deletes private prekeys that are past their deadline. Store the account's state afterwards.
///
/// @param[in,out] account  not NULL
/// @param[in] now  Unix seconds
/// @param[out] out_deleted  not NULL; the number of publications deleted
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_delete_expired(
    account: *mut MarlineAccount,
    now: u64,
    out_deleted: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_deleted)?;
        let mut account = c.exclusive(account)?;
        let deleted = either!(&mut *account, |a| a.delete_expired(now));
        out.set(u32::try_from(deleted).unwrap_or(u32::MAX));
        Ok(())
    })
}

/// The number of unused one-time prekeys in the newest publication.
///
/// @param[in] account  not NULL
/// @param[out] out_left  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_one_time_left(
    account: *const MarlineAccount,
    out_left: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_left)?;
        let account = c.shared(account)?;
        let left = either!(&*account, |a| a.one_time_prekeys_left());
        out.set(u32::try_from(left).unwrap_or(u32::MAX));
        Ok(())
    })
}

/// Starts a session with a bundle's owner and encrypts its first message. Verifies the bundle. Store the states of
/// the account and of the session before the message leaves the device.
///
/// @param[in,out] account  not NULL
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults
/// @param[in] now  Unix seconds
/// @param[out] out_session  not NULL; a new session, free it with marline_session_free
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT,
///         MARLINE_ERR_STRUCT_SIZE; for the bundle: MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_EXPIRED,
///         MARLINE_ERR_ROLLBACK, MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED;
///         MARLINE_ERR_LIMIT, MARLINE_ERR_RANDOMNESS, MARLINE_ERR_NO_MEMORY, MARLINE_ERR_SIGNER
///         (marline_account_external). Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_initiate(
    account: *mut MarlineAccount,
    bundle: *const u8,
    bundle_len: usize,
    plaintext: *const u8,
    plaintext_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    now: u64,
    out_session: *mut *mut MarlineSession,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (session, message) = (c.out_handle(out_session), c.out_handle(out_message));
        let (out_session, out_message) = (session?, message?);
        let mut account = c.exclusive(account)?;
        let bundle = c.bytes(bundle, bundle_len)?;
        let plaintext = plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let options = c.options(options)?;
        let (slots, padding) = (options.slots()?, options.padding()?);
        let bundle = PrekeyBundle::from_bytes(bundle).map_err(of)?;
        let options = InitiateOptions { slots, padding, ad };
        let started = either!(&mut *account, |a| a
            .initiate_with(&bundle, plaintext, options, now, &mut Os));
        let (session, message) = started.map_err(of)?;
        out_session.put(session);
        out_message.put(Bytes::from(message));
        Ok(())
    })
}

/// Accepts a first message: the new session and its first plaintext. A first message of a session that exists
/// belongs to marline_session_decrypt. Store the states of the account and of the session before acting on the
/// plaintext.
///
/// @param[in,out] account  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] now  Unix seconds
/// @param[out] out_session  not NULL; a new session, free it with marline_session_free
/// @param[out] out_opened  not NULL; plaintext and peer, free it with marline_opened_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH; MARLINE_ERR_UNKNOWN_PREKEY,
///         MARLINE_ERR_PREKEY_USED, MARLINE_ERR_DUPLICATE, MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_OWN_IDENTITY,
///         MARLINE_ERR_LIMIT (publish again), MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED,
///         MARLINE_ERR_TOO_FAR_AHEAD, MARLINE_ERR_NO_MEMORY. Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_accept(
    account: *mut MarlineAccount,
    message: *const u8,
    message_len: usize,
    ad: *const u8,
    ad_len: usize,
    now: u64,
    out_session: *mut *mut MarlineSession,
    out_opened: *mut *mut MarlineOpened,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (session, opened) = (c.out_handle(out_session), c.out_handle(out_opened));
        let (out_session, out_opened) = (session?, opened?);
        let mut account = c.exclusive(account)?;
        let message = c.bytes(message, message_len)?;
        let ad = c.bytes(ad, ad_len)?;
        room_for(message.len())?;
        let accepted = either!(&mut *account, |a| a.accept_with(message, ad, now));
        let accepted = accepted.map_err(of)?;
        out_session.put(accepted.session);
        out_opened.put(accepted.opened);
        Ok(())
    })
}

/// A number of one-time prekeys that a publication can have.
pub(crate) fn one_time_count(count: u32) -> Result<u16, Status> {
    u16::try_from(count)
        .ok()
        .filter(|count| (1..=marline::limits::MAX_ONE_TIME).contains(count))
        .ok_or(MARLINE_ERR_ARGUMENT)
}

/// MARLINE_TASK_... bits.
pub(crate) fn task_bits(tasks: &[Task]) -> u32 {
    let bits = tasks.iter().map(|task| match task {
        Task::Rotate => MARLINE_TASK_ROTATE,
        Task::Replenish { .. } => MARLINE_TASK_REPLENISH,
        Task::Delete { .. } => MARLINE_TASK_DELETE,
        _ => 0,
    });
    bits.fold(0, |all, bit| all | bit)
}

/// The application's key; the copy it is made of is wiped.
pub(crate) fn state_key(c: &Contract, key: *const u8, length: usize) -> Result<StateKey, Status> {
    let mut key: [u8; MARLINE_KEY_SIZE] = *c.array(key, length)?;
    Ok(StateKey::new(&mut key))
}
