//! Publications and bundles, and safety numbers. All of it is public data.

use std::ffi::c_char;

use marline::{IdentityId, PrekeyBundle, Publication, SafetyNumber};

use crate::boundary::{call, read};
use crate::buffer::Bytes;
use crate::handles::{MarlineBuffer, MarlinePublication};
use crate::status::{MARLINE_ERR_ARGUMENT, MarlineError, Status, of};

/// Bytes of an identity's id.
pub const MARLINE_ID_SIZE: usize = 32;
/// Bytes of a safety number as text: 60 digits and a NUL.
pub const MARLINE_SAFETY_NUMBER_SIZE: usize = 61;
/// Bytes of a safety number's QR code.
pub const MARLINE_SAFETY_NUMBER_QR_SIZE: usize = 65;
/// One-time prekeys in one publication, at most.
pub const MARLINE_MAX_ONE_TIME: u32 = 1024;
/// Index of a publication's last resort: handed out when the one-time prekeys are used up.
pub const MARLINE_LAST_RESORT: u32 = 0xffff_ffff;

/// What is behind a publication: the records as a directory gets them.
pub struct Published {
    manifest: Vec<u8>,
    last_resort: Vec<u8>,
    one_time: Vec<Vec<u8>>,
}

/// The number of one-time records in a publication.
///
/// @param[in] publication  not NULL
/// @param[out] out_count  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_publication_count(
    publication: *const MarlinePublication,
    out_count: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_count)?;
        let count = c.shared(publication)?.one_time.len();
        out.set(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    })
}

/// The signed manifest: what every bundle of the publication begins with.
///
/// @param[in] publication  not NULL
/// @param[out] out_manifest  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_publication_manifest(
    publication: *const MarlinePublication,
    out_manifest: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_manifest)?;
        let publication = c.shared(publication)?;
        out.put(Bytes::from(publication.manifest.clone()));
        Ok(())
    })
}

/// One record, opaque to a directory. The manifest followed by a record is a bundle; a one-time record is handed
/// out once.
///
/// @param[in] publication  not NULL
/// @param[in] index  below marline_publication_count, or MARLINE_LAST_RESORT
/// @param[out] out_record  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_publication_record(
    publication: *const MarlinePublication,
    index: u32,
    out_record: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_record)?;
        let publication = c.shared(publication)?;
        out.put(Bytes::from(publication.record(index)?.to_vec()));
        Ok(())
    })
}

/// A bundle: the manifest followed by one record. What a directory hands out for one handshake.
///
/// @param[in] publication  not NULL
/// @param[in] index  below marline_publication_count, or MARLINE_LAST_RESORT
/// @param[out] out_bundle  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_publication_bundle(
    publication: *const MarlinePublication,
    index: u32,
    out_bundle: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_bundle)?;
        let publication = c.shared(publication)?;
        let bundle = [&publication.manifest, publication.record(index)?].concat();
        out.put(Bytes::from(bundle));
        Ok(())
    })
}

/// Frees a publication.
///
/// @param[in] publication  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_publication_free(publication: *mut MarlinePublication) {
    read!((), |c| c.free(publication));
}

/// Whose bundle it claims to be. Nothing is verified: marline_account_initiate does that.
///
/// @param[in] bundle  `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[out] out_identity  not NULL; `out_identity_len` bytes
/// @param[in] out_identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_bundle_unverified_identity(
    bundle: *const u8,
    bundle_len: usize,
    out_identity: *mut u8,
    out_identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<MARLINE_ID_SIZE>(out_identity, out_identity_len)?;
        let bundle = PrekeyBundle::from_bytes(c.bytes(bundle, bundle_len)?).map_err(of)?;
        out.write(bundle.unverified_identity().as_bytes())
    })
}

/// Verifies a bundle: its signatures, its prekey, its time. marline_account_initiate and marline_device_add_contact do so by
/// themselves; this is for whoever looks at bundles before.
///
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] own  not NULL; the caller's identity, `own_len` bytes
/// @param[in] own_len  MARLINE_ID_SIZE
/// @param[in] now  Unix seconds
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH; MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_EXPIRED,
///         MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_bundle_verify(
    bundle: *const u8,
    bundle_len: usize,
    own: *const u8,
    own_len: usize,
    now: u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let bundle = PrekeyBundle::from_bytes(c.bytes(bundle, bundle_len)?).map_err(of)?;
        let own = IdentityId::from_bytes(*c.array(own, own_len)?);
        bundle.verify(now, None, own).map_err(of)?;
        Ok(())
    })
}

/// Whether a bundle carries a one-time prekey. Nothing is verified.
///
/// @param[in] bundle  `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[out] out_has  not NULL; 1 or 0
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_bundle_has_one_time(
    bundle: *const u8,
    bundle_len: usize,
    out_has: *mut u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_has)?;
        let bundle = PrekeyBundle::from_bytes(c.bytes(bundle, bundle_len)?).map_err(of)?;
        out.set(bundle.has_one_time_prekey().into());
        Ok(())
    })
}

/// The safety number of two identities, in either order: 60 digits that two people compare once.
///
/// @param[in] one  not NULL; `one_len` bytes
/// @param[in] one_len  MARLINE_ID_SIZE
/// @param[in] other  not NULL; `other_len` bytes
/// @param[in] other_len  MARLINE_ID_SIZE
/// @param[out] out_digits  not NULL; NUL-terminated
/// @param[in] out_digits_len  MARLINE_SAFETY_NUMBER_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_safety_number(
    one: *const u8,
    one_len: usize,
    other: *const u8,
    other_len: usize,
    out_digits: *mut c_char,
    out_digits_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<MARLINE_SAFETY_NUMBER_SIZE>(out_digits.cast(), out_digits_len)?;
        let one = IdentityId::from_bytes(*c.array(one, one_len)?);
        let other = IdentityId::from_bytes(*c.array(other, other_len)?);
        out.write(SafetyNumber::new(&one, &other).digits().as_bytes())
    })
}

/// The bytes of the safety number's QR code, equal on both devices.
///
/// @param[in] one  not NULL; `one_len` bytes
/// @param[in] one_len  MARLINE_ID_SIZE
/// @param[in] other  not NULL; `other_len` bytes
/// @param[in] other_len  MARLINE_ID_SIZE
/// @param[out] out_qr  not NULL; `out_qr_len` bytes
/// @param[in] out_qr_len  MARLINE_SAFETY_NUMBER_QR_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_safety_number_qr(
    one: *const u8,
    one_len: usize,
    other: *const u8,
    other_len: usize,
    out_qr: *mut u8,
    out_qr_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<MARLINE_SAFETY_NUMBER_QR_SIZE>(out_qr, out_qr_len)?;
        let one = IdentityId::from_bytes(*c.array(one, one_len)?);
        let other = IdentityId::from_bytes(*c.array(other, other_len)?);
        out.write(SafetyNumber::new(&one, &other).qr())
    })
}

impl Published {
    /// A one-time record, or the last resort.
    fn record(&self, index: u32) -> Result<&[u8], Status> {
        if index == MARLINE_LAST_RESORT {
            return Ok(&self.last_resort);
        }
        let index = usize::try_from(index).map_err(|_| MARLINE_ERR_ARGUMENT)?;
        let record = self.one_time.get(index).ok_or(MARLINE_ERR_ARGUMENT)?;
        Ok(record)
    }
}

impl From<&Publication> for Published {
    fn from(publication: &Publication) -> Self {
        Self {
            manifest: publication.manifest_bytes(),
            last_resort: publication.last_resort_bytes(),
            one_time: publication.one_time_bytes().collect(),
        }
    }
}

#[cfg(feature = "device")]
impl From<marline_device::Publication> for Published {
    fn from(publication: marline_device::Publication) -> Self {
        Self {
            manifest: publication.manifest,
            last_resort: publication.last_resort,
            one_time: publication.one_time,
        }
    }
}
