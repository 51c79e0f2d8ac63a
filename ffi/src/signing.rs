//! Accounts whose identity signs elsewhere: in an HSM, a TPM, an enclave, another process.
//!
//! There is no callback. One call prepares and says which bytes to sign, the application has them signed in its own
//! time, and a second call takes the signatures. The second call does the work of the first again, with the randomness
//! that the first one drew, and so comes to the same bytes; if it does not, the account has moved on.

use std::sync::{Arc, Mutex, PoisonError};

use marline::{
    Account, Contact, Error, External, HybridSignature, IdentityKey, InitiateOptions, Padding,
    PrekeyBundle, Publication, Session, Signer, SigningInput, Slots, StateKey, Subject,
};
use zeroize::Zeroizing;

use crate::account::{AnyAccount, MARLINE_MAX_SUBJECT, one_time_count, state_key};
use crate::boundary::{Contract, call, read};
use crate::handles::{
    MarlineAccount, MarlineBuffer, MarlineContact, MarlinePublication, MarlineSession,
    MarlineSigning,
};
use crate::options::MarlineOptions;
use crate::session::room_for;
use crate::status::{
    MARLINE_ERR_ARGUMENT, MARLINE_ERR_INTERNAL, MARLINE_ERR_LENGTH, MARLINE_ERR_SPENT,
    MarlineError, Status, of,
};
use crate::tape::Tape;

/// Bytes of an Ed25519 public key.
pub const MARLINE_ED25519_KEY_SIZE: usize = 32;
/// Bytes of an ML-DSA-65 public key.
pub const MARLINE_MLDSA65_KEY_SIZE: usize = 1952;
/// Bytes of an Ed25519 signature.
pub const MARLINE_ED25519_SIGNATURE_SIZE: usize = 64;
/// Bytes of an ML-DSA-65 signature.
pub const MARLINE_MLDSA65_SIGNATURE_SIZE: usize = 3309;

/// What is behind a signing handle.
pub struct Signing {
    /// None when it is spent.
    request: Option<Request>,
    input: Vec<u8>,
    tape: Tape,
}

/// What a signature is asked for.
enum Request {
    Publish { count: u16, now: u64 },
    Initiate(First),
    ContactInitiate(First),
    ContactReset(First),
}

/// What a first message is made of.
struct First {
    bundle: PrekeyBundle,
    plaintext: Zeroizing<Vec<u8>>,
    ad: Vec<u8>,
    slots: Slots,
    padding: Padding,
    now: u64,
}

/// What comes of a request.
enum Done {
    Published(Box<Publication>),
    Started(Session, Vec<u8>),
    Message(Vec<u8>),
}

/// The signer of an account whose secret is elsewhere: what it does is on the desk.
pub struct Remote {
    identity: IdentityKey,
    desk: Desk,
}

/// Shared by an account's handle and the signer inside of the account, which has no other way to it. Never contended: both are
/// used by one exclusive call at a time.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<Turn>>);

/// What the signer is to do.
#[derive(Default)]
enum Turn {
    /// Refuse.
    #[default]
    Idle,
    /// Note what there is to sign, and refuse.
    Ask(Vec<u8>),
    /// Give this signature, if these are the bytes to sign.
    Answer(Vec<u8>, HybridSignature),
}

impl Desk {
    fn swap(&self, turn: Turn) -> Turn {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, turn)
    }
}

impl Signer for Remote {
    fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    fn sign(&self, input: &SigningInput, _: &[u8; 32]) -> marline::Result<HybridSignature> {
        let mut turn = self.desk.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *turn {
            Turn::Idle => Err(Error::Signer),
            Turn::Ask(asked) => {
                *asked = input.as_bytes().to_vec();
                Err(Error::Signer)
            }
            Turn::Answer(asked, signature) if asked == input.as_bytes() => Ok(signature.clone()),
            Turn::Answer(..) => Err(Error::Stale),
        }
    }
}

impl Request {
    fn run(
        &self,
        account: &mut Account<External<Remote>>,
        contact: Option<&mut Contact>,
        rng: &mut Tape,
    ) -> marline::Result<Done> {
        match (self, contact) {
            (Self::Publish { count, now }, None) => {
                let publication = account.publish(*count, *now, rng)?;
                Ok(Done::Published(Box::new(publication)))
            }
            (Self::Initiate(first), None) => {
                let (bundle, plaintext, options) = first.parts();
                let started = account.initiate_with(bundle, plaintext, options, first.now, rng)?;
                Ok(Done::Started(started.0, started.1))
            }
            (Self::ContactInitiate(first), Some(contact)) => {
                let (bundle, plaintext, options) = first.parts();
                let message =
                    contact.initiate(account, bundle, plaintext, options, first.now, rng)?;
                Ok(Done::Message(message))
            }
            (Self::ContactReset(first), Some(contact)) => {
                let (bundle, _, options) = first.parts();
                let message = contact.reset(account, bundle, options, first.now, rng)?;
                Ok(Done::Message(message))
            }
            _ => Err(Error::Stale),
        }
    }
}

impl Request {
    fn is_for_contact(&self) -> bool {
        matches!(self, Self::ContactInitiate(_) | Self::ContactReset(_))
    }
}

impl First {
    fn parts(&self) -> (&PrekeyBundle, &[u8], InitiateOptions<'_>) {
        let (slots, padding, ad) = (self.slots, self.padding, self.ad.as_slice());
        let options = InitiateOptions { slots, padding, ad };
        (&self.bundle, &self.plaintext, options)
    }
}

impl Signing {
    /// Runs a request up to the signature. Nothing has changed then.
    fn ask(
        account: &mut AnyAccount,
        contact: Option<&mut Contact>,
        request: Request,
    ) -> Result<Self, Status> {
        let AnyAccount::External(account, desk) = account else {
            return Err(MARLINE_ERR_ARGUMENT);
        };
        let mut tape = Tape::default();
        desk.swap(Turn::Ask(Vec::new()));
        let outcome = request.run(account, contact, &mut tape);
        match (outcome, desk.swap(Turn::Idle)) {
            (Err(Error::Signer), Turn::Ask(input)) if !input.is_empty() => Ok(Self {
                request: Some(request),
                input,
                tape,
            }),
            (Err(error), _) => Err(of(error)),
            // Without a signature there is no result.
            (Ok(_), _) => Err(MARLINE_ERR_INTERNAL),
        }
    }

    /// Runs the request again, with the signature. It is spent when that succeeds.
    fn answer(
        &mut self,
        account: &mut AnyAccount,
        contact: Option<&mut Contact>,
        signature: HybridSignature,
    ) -> Result<Done, Status> {
        let AnyAccount::External(account, desk) = account else {
            return Err(MARLINE_ERR_ARGUMENT);
        };
        let request = self.request.as_ref().ok_or(MARLINE_ERR_SPENT)?;
        self.tape.rewind();
        desk.swap(Turn::Answer(self.input.clone(), signature));
        let outcome = request.run(account, contact, &mut self.tape);
        desk.swap(Turn::Idle);
        let done = outcome.map_err(of)?;
        self.request = None;
        self.tape = Tape::default();
        Ok(done)
    }
}

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
        let desk = signer.desk.clone();
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
        let desk = signer.desk.clone();
        let account = Account::import_with_signer(&key, sealed, minimum_generation, signer);
        out.put(AnyAccount::External(account.map_err(of)?, desk));
        Ok(())
    })
}

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

/// The bytes that both keys of the identity sign: Ed25519 (RFC 8032, pure), and ML-DSA-65 (FIPS 204, pure, empty context).
///
/// @param[in] signing  not NULL
/// @return the bytes, valid until the handle is freed; NULL for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_signing_input(signing: *const MarlineSigning) -> *const u8 {
    read!(std::ptr::null(), |c| Ok(c.shared(signing)?.input.as_ptr()))
}

/// The number of bytes to sign.
///
/// @param[in] signing  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_signing_input_len(signing: *const MarlineSigning) -> usize {
    read!(0, |c| Ok(c.shared(signing)?.input.len()))
}

/// Wipes and frees what is to be signed; if nothing was made of it, nothing has changed.
///
/// @param[in] signing  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_signing_free(signing: *mut MarlineSigning) {
    read!((), |c| c.free(signing));
}

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
        if !matches!(signing.request, Some(Request::Publish { .. })) {
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
        if !matches!(signing.request, Some(Request::Initiate(_))) {
            return Err(MARLINE_ERR_SPENT);
        }
        if let Done::Started(session, message) = signing.answer(&mut account, None, signature)? {
            out_session.put(session);
            out_message.put(Zeroizing::new(message));
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
        if !signing
            .request
            .as_ref()
            .is_some_and(Request::is_for_contact)
        {
            return Err(MARLINE_ERR_SPENT);
        }
        let done = signing.answer(&mut account, Some(&mut contact), signature)?;
        if let Done::Message(message) = done {
            out.put(Zeroizing::new(message));
        }
        Ok(())
    })
}

/// The signer of two public keys.
fn remote(
    c: &Contract,
    ed25519: (*const u8, usize),
    mldsa65: (*const u8, usize),
) -> Result<Remote, Status> {
    let ed25519: &[u8; MARLINE_ED25519_KEY_SIZE] = c.array(ed25519.0, ed25519.1)?;
    let mldsa65: &[u8; MARLINE_MLDSA65_KEY_SIZE] = c.array(mldsa65.0, mldsa65.1)?;
    Ok(Remote {
        identity: IdentityKey::from_keys(ed25519, mldsa65).map_err(of)?,
        desk: Desk::default(),
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
