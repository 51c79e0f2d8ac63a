//! Accounts whose identity signs elsewhere: in an HSM, a TPM, an enclave, another process.
//!
//! There is no callback. One call prepares and says which bytes to sign, the application has them signed in its own
//! time, and a second call takes the signatures. The second call does the work of the first again, with the randomness
//! that the first one drew, and so comes to the same bytes; if it does not, the account has moved on.

pub mod finish;
pub mod prepare;
mod request;

use marline::{Account, IdentityKey, StateKey, Subject};

use crate::account::{AnyAccount, MARLINE_MAX_SUBJECT, state_key};
use crate::boundary::{Contract, call, read};
use crate::handles::{MarlineAccount, MarlineSigning};
use crate::session::room_for;
use crate::status::{MARLINE_ERR_LENGTH, MarlineError, Status, of};

pub use request::{Desk, Remote, Signing};

/// Bytes of an Ed25519 public key.
pub const MARLINE_ED25519_KEY_SIZE: usize = 32;
/// Bytes of an ML-DSA-65 public key.
pub const MARLINE_MLDSA65_KEY_SIZE: usize = 1952;
/// Bytes of an Ed25519 signature.
pub const MARLINE_ED25519_SIGNATURE_SIZE: usize = 64;
/// Bytes of an ML-DSA-65 signature.
pub const MARLINE_MLDSA65_SIGNATURE_SIZE: usize = 3309;

/// Makes a new device whose identity signs outside of this library. It holds the public keys only. Instead of
/// marline_account_publish and marline_account_initiate, which answer MARLINE_ERR_SIGNER, it has
/// marline_account_prepare_publish and marline_account_prepare_initiate; everything else is the same.
///
/// @param[in] ed25519  not NULL; the identity's Ed25519 public key, `ed25519_len` bytes
/// @param[in] ed25519_len  MARLINE_ED25519_KEY_SIZE
/// @param[in] mldsa65  not NULL; the identity's ML-DSA-65 public key (FIPS 204), `mldsa65_len` bytes
/// @param[in] mldsa65_len  MARLINE_MLDSA65_KEY_SIZE
/// @param[in] subject  the name it claims; `subject_len` bytes, NULL if that is 0
/// @param[in] subject_len  0 to MARLINE_MAX_SUBJECT
/// @param[out] out_account  not NULL; a new account, free it with marline_account_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_MALFORMED (not a key to sign with)
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_external(
    ed25519: *const u8,
    ed25519_len: usize,
    mldsa65: *const u8,
    mldsa65_len: usize,
    subject: *const u8,
    subject_len: usize,
    out_account: *mut *mut MarlineAccount,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_account)?;
        let signer = remote(c, (ed25519, ed25519_len), (mldsa65, mldsa65_len))?;
        if subject_len > MARLINE_MAX_SUBJECT {
            return Err(MARLINE_ERR_LENGTH);
        }
        let subject = Subject::new(c.bytes(subject, subject_len)?).map_err(of)?;
        let desk = signer.desk();
        out.put(AnyAccount::External(
            Account::with_signer(signer, subject),
            desk,
        ));
        Ok(())
    })
}

/// Restores an account of marline_account_external from a stored state.
///
/// @param[in] key  not NULL; the application's key, `key_len` bytes
/// @param[in] key_len  MARLINE_KEY_SIZE
/// @param[in] ed25519  not NULL; the identity's Ed25519 public key, `ed25519_len` bytes
/// @param[in] ed25519_len  MARLINE_ED25519_KEY_SIZE
/// @param[in] mldsa65  not NULL; the identity's ML-DSA-65 public key, `mldsa65_len` bytes
/// @param[in] mldsa65_len  MARLINE_MLDSA65_KEY_SIZE
/// @param[in] sealed  what marline_account_export gave; `sealed_len` bytes
/// @param[in] sealed_len  length of the stored state
/// @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
/// @param[out] out_account  not NULL; a new account, free it with marline_account_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_account_import; MARLINE_ERR_IDENTITY_CHANGED when the keys are another identity's
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_account_import_external(
    key: *const u8,
    key_len: usize,
    ed25519: *const u8,
    ed25519_len: usize,
    mldsa65: *const u8,
    mldsa65_len: usize,
    sealed: *const u8,
    sealed_len: usize,
    minimum_generation: u64,
    out_account: *mut *mut MarlineAccount,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_account)?;
        let key: StateKey = state_key(c, key, key_len)?;
        let signer = remote(c, (ed25519, ed25519_len), (mldsa65, mldsa65_len))?;
        let sealed = c.bytes(sealed, sealed_len)?;
        room_for(sealed.len())?;
        let desk = signer.desk();
        let account = Account::import_with_signer(&key, sealed, minimum_generation, signer);
        out.put(AnyAccount::External(account.map_err(of)?, desk));
        Ok(())
    })
}

/// The bytes that both keys of the identity sign: Ed25519 (RFC 8032, pure), and ML-DSA-65 (FIPS 204, pure, empty context).
///
/// @param[in] signing  not NULL
/// @return the bytes, valid until the handle is freed; NULL for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_signing_input(signing: *const MarlineSigning) -> *const u8 {
    read!(std::ptr::null(), |c| Ok(c
        .shared(signing)?
        .input()
        .as_ptr()))
}

/// The number of bytes to sign.
///
/// @param[in] signing  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_signing_input_len(signing: *const MarlineSigning) -> usize {
    read!(0, |c| Ok(c.shared(signing)?.input().len()))
}

/// Wipes and frees what is to be signed; if nothing was made of it, nothing has changed.
///
/// @param[in] signing  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_signing_free(signing: *mut MarlineSigning) {
    read!((), |c| c.free(signing));
}

/// The signer of two public keys.
fn remote(
    c: &Contract,
    ed25519: (*const u8, usize),
    mldsa65: (*const u8, usize),
) -> Result<Remote, Status> {
    let ed25519: &[u8; MARLINE_ED25519_KEY_SIZE] = c.array(ed25519.0, ed25519.1)?;
    let mldsa65: &[u8; MARLINE_MLDSA65_KEY_SIZE] = c.array(mldsa65.0, mldsa65.1)?;
    let identity = IdentityKey::from_keys(ed25519, mldsa65).map_err(of)?;
    Ok(Remote::new(identity))
}
