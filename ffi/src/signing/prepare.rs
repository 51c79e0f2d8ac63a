//! First steps: what is to be signed. Nothing changes.

use marline::PrekeyBundle;
use zeroize::Zeroizing;

use super::request::{First, Request, Signing};
use crate::account::one_time_count;
use crate::boundary::call;
use crate::handles::{MarlineAccount, MarlineContact, MarlineSigning};
use crate::options::MarlineOptions;
use crate::status::{MarlineError, Status, of};

/// Prepares a publication of an account whose identity signs elsewhere: sign marline_signing_input with both keys, then
/// marline_account_finish_publish makes it. Nothing changes before that.
///
/// @param[in,out] account  not NULL; of marline_account_external
/// @param[in] count  one-time prekeys, 1 to MARLINE_MAX_ONE_TIME
/// @param[in] now  Unix seconds
/// @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_account_publish; MARLINE_ERR_ARGUMENT also for an account that signs by itself
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_prepare_publish(
    account: *mut MarlineAccount,
    count: u32,
    now: u64,
    out_signing: *mut *mut MarlineSigning,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_signing)?;
        let mut account = c.exclusive(account)?;
        let count = one_time_count(count)?;
        let request = Request::Publish { count, now };
        out.put(Signing::ask(&mut account, None, request)?);
        Ok(())
    })
}

/// Prepares a session of an account whose identity signs elsewhere: sign marline_signing_input with both keys, then
/// marline_account_finish_initiate starts it. Nothing changes before that.
///
/// @param[in,out] account  not NULL; of marline_account_external
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults
/// @param[in] now  Unix seconds
/// @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_account_initiate; MARLINE_ERR_ARGUMENT also for an account that signs by itself
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_prepare_initiate(
    account: *mut MarlineAccount,
    bundle: *const u8,
    bundle_len: usize,
    plaintext: *const u8,
    plaintext_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    now: u64,
    out_signing: *mut *mut MarlineSigning,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_signing)?;
        let mut account = c.exclusive(account)?;
        let bundle = c.bytes(bundle, bundle_len)?;
        let plaintext = crate::session::plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let first = first(bundle, plaintext, ad, c.options(options)?, now)?;
        let request = Request::Initiate(first);
        out.put(Signing::ask(&mut account, None, request)?);
        Ok(())
    })
}

/// As marline_account_prepare_initiate, for a contact: marline_contact_finish starts the session.
///
/// @param[in,out] contact  not NULL
/// @param[in,out] account  not NULL; of marline_account_external
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults
/// @param[in] now  Unix seconds
/// @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_contact_initiate; MARLINE_ERR_ARGUMENT also for an account that signs by itself
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_prepare_initiate(
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
    out_signing: *mut *mut MarlineSigning,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_signing)?;
        let (mut contact, mut account) = (c.exclusive(contact)?, c.exclusive(account)?);
        let bundle = c.bytes(bundle, bundle_len)?;
        let plaintext = crate::contact::plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let first = first(bundle, plaintext, ad, c.options(options)?, now)?;
        let request = Request::ContactInitiate(first);
        out.put(Signing::ask(&mut account, Some(&mut contact), request)?);
        Ok(())
    })
}

/// As marline_contact_prepare_initiate, for a reset: see marline_contact_reset.
///
/// @param[in,out] contact  not NULL
/// @param[in,out] account  not NULL; of marline_account_external
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults
/// @param[in] now  Unix seconds
/// @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_contact_initiate; MARLINE_ERR_ARGUMENT also for an account that signs by itself
/// @threads exclusive: no other call may use the handles
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contact_prepare_reset(
    contact: *mut MarlineContact,
    account: *mut MarlineAccount,
    bundle: *const u8,
    bundle_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    now: u64,
    out_signing: *mut *mut MarlineSigning,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_signing)?;
        let (mut contact, mut account) = (c.exclusive(contact)?, c.exclusive(account)?);
        let (bundle, ad) = (c.bytes(bundle, bundle_len)?, c.bytes(ad, ad_len)?);
        let first = first(bundle, &[], ad, c.options(options)?, now)?;
        let request = Request::ContactReset(first);
        out.put(Signing::ask(&mut account, Some(&mut contact), request)?);
        Ok(())
    })
}

fn first(
    bundle: &[u8],
    plaintext: &[u8],
    ad: &[u8],
    options: MarlineOptions,
    now: u64,
) -> Result<First, Status> {
    Ok(First {
        slots: options.slots()?,
        padding: options.padding()?,
        bundle: PrekeyBundle::from_bytes(bundle).map_err(of)?,
        plaintext: Zeroizing::new(plaintext.to_vec()),
        ad: ad.to_vec(),
        now,
    })
}
