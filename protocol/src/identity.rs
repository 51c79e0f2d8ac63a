//! Identity (spec section 2): who signs, hybrid signatures, safety numbers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::crypto::hash::{Hash, hash, prf};
use crate::crypto::sign::{self, Ed25519Key};
use crate::error::{Error, Result};
use crate::labels::{self, Label};
use crate::limits::{MAX_SUBJECT, VERSION};
use crate::secret::Secret;
use crate::wire::codec::{Decode, Encode, Reader, Sink, bytes8, structure};

/// `identity_id = H("identity"; IdentityKey)`: how everything else refers to an identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityId(Hash);

/// A public identity: an Ed25519 key and an ML-DSA-65 key (spec section 2.1). It only ever signs.
#[derive(Clone)]
pub struct IdentityKey {
    ed25519: Ed25519Key,
    mldsa65: Box<[u8; 1952]>,
    id: IdentityId,
}

/// 0 to 255 bytes that an application uses for a name: an address, a number, anything.
/// A *claim* signed by the identity; who owns a name is for the application to decide.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Subject(Vec<u8>);

/// An authenticated peer: which identity, and what it calls itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// The peer's identity.
    pub identity: IdentityId,
    /// The name the peer claims for itself.
    pub subject: Subject,
}

/// An Ed25519 and an ML-DSA-65 signature over one input; valid only if both are (M-ID-02).
#[derive(Clone, PartialEq, Eq)]
pub struct HybridSignature {
    ed25519: [u8; 64],
    mldsa65: Box<[u8; 3309]>,
}

/// The exact bytes both halves of a hybrid signature sign (spec section 2.2).
pub struct SigningInput(Vec<u8>);

/// What can sign for an identity: [`IdentityKeyPair`], or a key in an HSM, a TPM or an enclave.
pub trait Signer {
    /// The public identity that the signatures verify under.
    fn identity(&self) -> &IdentityKey;

    /// Signs `input` with both schemes: Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204, empty context).
    /// `rnd` is 32 fresh bytes for hedged ML-DSA; a signer with its own randomness may ignore it.
    ///
    /// # Errors
    /// [`Error::Signer`] when it cannot or will not sign.
    fn sign(&self, input: &SigningInput, rnd: &[u8; 32]) -> Result<HybridSignature>;
}

/// A signer that is lent: an account that is not restored leaves its owner with it.
impl<T: Signer + ?Sized> Signer for &T {
    fn identity(&self) -> &IdentityKey {
        (**self).identity()
    }

    fn sign(&self, input: &SigningInput, rnd: &[u8; 32]) -> Result<HybridSignature> {
        (**self).sign(input, rnd)
    }
}

/// A signer outside of this process or module: an account with it stores its public identity only.
pub struct External<T>(pub T);

impl<T: Signer> Signer for External<T> {
    fn identity(&self) -> &IdentityKey {
        self.0.identity()
    }

    /// A signature that does not verify is [`Error::Signer`]: a manifest under it would be refused by everybody for days.
    fn sign(&self, input: &SigningInput, rnd: &[u8; 32]) -> Result<HybridSignature> {
        let signature = self.0.sign(input, rnd)?;
        self.identity()
            .verify(input, &signature)
            .map_err(|_| Error::Signer)?;
        Ok(signature)
    }
}

/// A signer as an account holds it: an [`IdentityKeyPair`], whose seeds are part of the account's state, or an
/// [`External`] signer. There are no others.
pub trait AccountSigner: Signer + sealed::SignerState {}

impl AccountSigner for IdentityKeyPair {}
impl<T: Signer> AccountSigner for External<T> {}

mod sealed {
    use super::*;

    /// What of a signer goes into an account's state.
    pub trait SignerState {
        /// A tag, and the seeds or the public identity.
        fn to_state(&self) -> Zeroizing<Vec<u8>>;
    }

    impl SignerState for IdentityKeyPair {
        fn to_state(&self) -> Zeroizing<Vec<u8>> {
            let mut state = Zeroizing::new(Vec::with_capacity(1 + 64));
            SEEDS.encode(&mut *state);
            self.encode(&mut *state);
            state
        }
    }

    impl<T: Signer> SignerState for External<T> {
        fn to_state(&self) -> Zeroizing<Vec<u8>> {
            let mut state = Zeroizing::new(Vec::new());
            EXTERNAL_SIGNER.encode(&mut *state);
            self.identity().encode(&mut *state);
            state
        }
    }
}

/// Tag of an external signer in an account's state.
pub(crate) const EXTERNAL_SIGNER: u8 = 1;
/// Tag of seeds in an account's state.
const SEEDS: u8 = 0;

/// An identity whose two 32-byte seeds are held in memory.
pub struct IdentityKeyPair {
    ed25519: Secret<32>,
    mldsa65: Secret<32>,
    public: IdentityKey,
}

impl IdentityId {
    /// An id from its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl IdentityKey {
    fn new(ed25519: Ed25519Key, mldsa65: Box<[u8; 1952]>) -> Self {
        let mut key = Self {
            ed25519,
            mldsa65,
            id: IdentityId([0; 32]),
        };
        key.id = IdentityId(hash(labels::IDENTITY, &[&key.to_vec()]));
        key
    }

    /// The identity of two public keys (32 and 1952 bytes), as an external signer reports them.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an Ed25519 key that is not acceptable (M-PR-05).
    pub fn from_keys(ed25519: &[u8; 32], mldsa65: &[u8; 1952]) -> Result<Self> {
        Ok(Self::new(
            Ed25519Key::from_bytes(ed25519)?,
            Box::new(*mldsa65),
        ))
    }

    /// The 32-byte id.
    pub fn id(&self) -> IdentityId {
        self.id
    }

    /// Verifies a hybrid signature.
    ///
    /// # Errors
    /// [`Error::Authentication`] unless both halves verify.
    pub(crate) fn verify(&self, input: &SigningInput, signature: &HybridSignature) -> Result<()> {
        let valid = self.ed25519.verifies(&input.0, &signature.ed25519)
            && sign::mldsa65_verifies(&self.mldsa65, &input.0, &signature.mldsa65);
        if valid {
            Ok(())
        } else {
            Err(Error::Authentication)
        }
    }
}

impl Subject {
    /// A subject of at most 255 bytes.
    ///
    /// # Errors
    /// [`Error::Limit`] for more.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_SUBJECT {
            Err(Error::Limit)
        } else {
            Ok(Self(bytes.to_vec()))
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl HybridSignature {
    /// A signature made elsewhere, from its two halves.
    pub fn from_parts(ed25519: [u8; 64], mldsa65: [u8; 3309]) -> Self {
        Self {
            ed25519,
            mldsa65: Box::new(mldsa65),
        }
    }
}

impl SigningInput {
    /// `frame("hybrid ed25519+ml-dsa-65") ‖ frame(purpose) ‖ message`.
    pub(crate) fn new(purpose: Label, message: &[&[u8]]) -> Self {
        let mut input = Vec::new();
        for label in [labels::HYBRID_SIGNATURE, purpose] {
            let (length, text) = label.frame();
            input.extend_from_slice(&length);
            input.extend_from_slice(text);
        }
        message
            .iter()
            .for_each(|part| input.extend_from_slice(part));
        Self(input)
    }

    /// The bytes to sign.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl IdentityKeyPair {
    /// A new identity from 64 fresh bytes.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self> {
        Ok(Self::from_seeds(Secret::random(rng)?, Secret::random(rng)?))
    }

    /// The identity of an Ed25519 seed and an ML-DSA seed.
    pub fn from_seeds(ed25519: Secret<32>, mldsa65: Secret<32>) -> Self {
        let public = IdentityKey::new(
            sign::ed25519_public(&ed25519),
            sign::mldsa65_public(&mldsa65),
        );
        Self {
            ed25519,
            mldsa65,
            public,
        }
    }
}

impl Signer for IdentityKeyPair {
    fn identity(&self) -> &IdentityKey {
        &self.public
    }

    fn sign(&self, input: &SigningInput, rnd: &[u8; 32]) -> Result<HybridSignature> {
        Ok(HybridSignature {
            ed25519: sign::ed25519_sign(&self.ed25519, &input.0),
            mldsa65: sign::mldsa65_sign(&self.mldsa65, &input.0, rnd),
        })
    }
}

/// A safety number (spec section 2.4): the same for both sides, to be compared by people.
#[derive(Clone, PartialEq, Eq)]
pub struct SafetyNumber {
    digits: [u8; 60],
    qr: [u8; 65],
}

impl SafetyNumber {
    /// The safety number of two identities, in either order.
    pub fn new(one: &IdentityId, other: &IdentityId) -> Self {
        let (lo, hi) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        let digest = prf::<60>(labels::SAFETY_NUMBER, &[&[1], &lo.0, &hi.0]);
        let mut digits = [b'0'; 60];
        let groups = digest.expose().as_chunks::<5>().0;
        for (places, group) in digits.as_chunks_mut::<5>().0.iter_mut().zip(groups) {
            let mut number = group
                .iter()
                .fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
            for place in places.iter_mut().rev() {
                *place += (number % 10) as u8;
                number /= 10;
            }
        }
        let mut qr = [1; 65];
        let (_version, ids) = qr.split_at_mut(1);
        for (to, from) in ids.chunks_exact_mut(32).zip([lo, hi]) {
            to.copy_from_slice(&from.0);
        }
        Self { digits, qr }
    }

    /// 60 decimal digits.
    pub fn digits(&self) -> &str {
        core::str::from_utf8(&self.digits).unwrap_or_default()
    }

    /// The 65 bytes of the QR code; equal on both devices.
    pub fn qr(&self) -> &[u8; 65] {
        &self.qr
    }
}

impl fmt::Display for SafetyNumber {
    /// Twelve groups of five digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, group) in self.digits.chunks(5).enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(
                f,
                "{space}{}",
                core::str::from_utf8(group).unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKey({:?})", self.id)
    }
}

impl fmt::Debug for IdentityId {
    /// The first eight bytes in hexadecimal: enough to tell identities apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(8)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl Encode for IdentityId {
    fn encode(&self, out: &mut impl Sink) {
        self.0.encode(out);
    }
}

impl Decode for IdentityId {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Decode::decode(input).map(Self)
    }
}

impl Encode for IdentityKey {
    fn encode(&self, out: &mut impl Sink) {
        VERSION.encode(out);
        self.ed25519.as_bytes().encode(out);
        self.mldsa65.encode(out);
    }
}

impl Decode for IdentityKey {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        input.version()?;
        Self::from_keys(input.array()?, input.array()?)
    }
}

impl Encode for Subject {
    fn encode(&self, out: &mut impl Sink) {
        bytes8::encode(&self.0, out);
    }
}

impl Decode for Subject {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        bytes8::decode(input).map(Self)
    }
}

structure!(HybridSignature { ed25519, mldsa65 });

impl Encode for IdentityKeyPair {
    fn encode(&self, out: &mut impl Sink) {
        self.ed25519.encode(out);
        self.mldsa65.encode(out);
    }
}

impl Decode for IdentityKeyPair {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(Self::from_seeds(
            Secret::decode(input)?,
            Secret::decode(input)?,
        ))
    }
}

crate::secret::opaque_debug!(External<T>, IdentityKeyPair, HybridSignature, SigningInput);
