//! Second steps, with the signatures.

use marline::HybridSignature;

use super::request::{Done, Request};
use super::{MARLINE_ED25519_SIGNATURE_SIZE, MARLINE_MLDSA65_SIGNATURE_SIZE};
use crate::boundary::{Contract, call};
use crate::buffer::Bytes;
use crate::handles::{
    MarlineAccount, MarlineBuffer, MarlineContact, MarlinePublication, MarlineSession,
    MarlineSigning,
};
use crate::status::{MARLINE_ERR_SPENT, MarlineError, Status};

/// Makes a prepared publication. The signatures are verified before anything changes, and `signing` is spent when it
/// succeeds. Store the account's state before the publication leaves the device.
///
/// @param[in,out] account  not NULL; the account it was prepared for
/// @param[in,out] signing  not NULL; of marline_account_prepare_publish
/// @param[in] ed25519  not NULL; the Ed25519 signature, `ed25519_len` bytes
/// @param[in] ed25519_len  MARLINE_ED25519_SIGNATURE_SIZE
/// @param[in] mldsa65  not NULL; the ML-DSA-65 signature, `mldsa65_len` bytes
/// @param[in] mldsa65_len  MARLINE_MLDSA65_SIGNATURE_SIZE
/// @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_account_publish; MARLINE_ERR_SIGNER: the signatures do not verify; MARLINE_ERR_SPENT (used
///         before, or prepared for something else); MARLINE_ERR_STALE: the account has published since, or is another
///         one. Nothing has changed then.
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_finish_publish(
    account: *mut MarlineAccount,
    signing: *mut MarlineSigning,
    ed25519: *const u8,
    ed25519_len: usize,
    mldsa65: *const u8,
    mldsa65_len: usize,
    out_publication: *mut *mut MarlinePublication,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_publication)?;
        let (mut account, mut signing) = (c.exclusive(account)?, c.exclusive(signing)?);
        let signature = signature(c, (ed25519, ed25519_len), (mldsa65, mldsa65_len))?;
        if !matches!(signing.request(), Some(Request::Publish { .. })) {
            return Err(MARLINE_ERR_SPENT);
        }
        if let Done::Published(publication) = signing.answer(&mut account, None, signature)? {
            out.put(publication.as_ref().into());
        }
        Ok(())
    })
}

/// Starts a prepared session. The signatures are verified before anything changes, and `signing` is spent when it
/// succeeds. Store the states of the account and of the session before the message leaves the device.
///
/// @param[in,out] account  not NULL; the account it was prepared for
/// @param[in,out] signing  not NULL; of marline_account_prepare_initiate
/// @param[in] ed25519  not NULL; the Ed25519 signature, `ed25519_len` bytes
/// @param[in] ed25519_len  MARLINE_ED25519_SIGNATURE_SIZE
/// @param[in] mldsa65  not NULL; the ML-DSA-65 signature, `mldsa65_len` bytes
/// @param[in] mldsa65_len  MARLINE_MLDSA65_SIGNATURE_SIZE
/// @param[out] out_session  not NULL; a new session, free it with marline_session_free
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_account_initiate; MARLINE_ERR_SIGNER: the signatures do not verify; MARLINE_ERR_SPENT (used
///         before, or prepared for something else); MARLINE_ERR_STALE: it was prepared for another account
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_finish_initiate(
    account: *mut MarlineAccount,
    signing: *mut MarlineSigning,
    ed25519: *const u8,
    ed25519_len: usize,
    mldsa65: *const u8,
    mldsa65_len: usize,
    out_session: *mut *mut MarlineSession,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (session, message) = (c.out_handle(out_session), c.out_handle(out_message));
        let (out_session, out_message) = (session?, message?);
        let (mut account, mut signing) = (c.exclusive(account)?, c.exclusive(signing)?);
        let signature = signature(c, (ed25519, ed25519_len), (mldsa65, mldsa65_len))?;
        if !matches!(signing.request(), Some(Request::Initiate(_))) {
            return Err(MARLINE_ERR_SPENT);
        }
        if let Done::Started(session, message) = signing.answer(&mut account, None, signature)? {
            out_session.put(session);
            out_message.put(Bytes::from(message));
        }
        Ok(())
    })
}

/// Starts a prepared session with a contact, or makes a prepared reset. The signatures are verified before anything
/// changes, and `signing` is spent when it succeeds. Store the states of the account and of the contact before
/// the message leaves the device.
///
/// @param[in,out] contact  not NULL; the contact it was prepared for
/// @param[in,out] account  not NULL; the account it was prepared for
/// @param[in,out] signing  not NULL; of marline_contact_prepare_initiate or marline_contact_prepare_reset
/// @param[in] ed25519  not NULL; the Ed25519 signature, `ed25519_len` bytes
/// @param[in] ed25519_len  MARLINE_ED25519_SIGNATURE_SIZE
/// @param[in] mldsa65  not NULL; the ML-DSA-65 signature, `mldsa65_len` bytes
/// @param[in] mldsa65_len  MARLINE_MLDSA65_SIGNATURE_SIZE
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_contact_initiate; MARLINE_ERR_SIGNER: the signatures do not verify; MARLINE_ERR_SPENT (used
///         before, or prepared for something else); MARLINE_ERR_STALE: it was prepared for another account
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_finish(
    contact: *mut MarlineContact,
    account: *mut MarlineAccount,
    signing: *mut MarlineSigning,
    ed25519: *const u8,
    ed25519_len: usize,
    mldsa65: *const u8,
    mldsa65_len: usize,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_message)?;
        let (mut contact, mut account) = (c.exclusive(contact)?, c.exclusive(account)?);
        let mut signing = c.exclusive(signing)?;
        let signature = signature(c, (ed25519, ed25519_len), (mldsa65, mldsa65_len))?;
        if !matches!(
            signing.request(),
            Some(Request::ContactInitiate(_) | Request::ContactReset(_))
        ) {
            return Err(MARLINE_ERR_SPENT);
        }
        let done = signing.answer(&mut account, Some(&mut contact), signature)?;
        if let Done::Message(message) = done {
            out.put(Bytes::from(message));
        }
        Ok(())
    })
}

fn signature(
    c: &Contract,
    ed25519: (*const u8, usize),
    mldsa65: (*const u8, usize),
) -> Result<HybridSignature, Status> {
    let ed25519: &[u8; MARLINE_ED25519_SIGNATURE_SIZE] = c.array(ed25519.0, ed25519.1)?;
    let mldsa65: &[u8; MARLINE_MLDSA65_SIGNATURE_SIZE] = c.array(mldsa65.0, mldsa65.1)?;
    Ok(HybridSignature::from_parts(*ed25519, *mldsa65))
}
