//! Provider `aws-lc`: AWS-LC's assembly through aws-lc-rs, where that gives the bytes and refusals of [`rustcrypto`] and is
//! faster. It needs `std` and a C compiler.
//!
//! Portable stay, and why:
//! - ML-KEM key generation and encapsulation: aws-lc-rs takes neither a seed nor `m`, it draws its own;
//! - ML-DSA-65 signing: the same for `rnd`, and its generator is no place to draw from in a library: it aborts the
//!   process where the system refuses, and fills itself from timing for tens of milliseconds before the first draw;
//! - Ed25519 verification: AWS-LC takes points of small order, and is hardly faster;
//! - SHA3-256: no faster on our short inputs; SHAKE256 and HMAC-SHA3: no API.
//!
//! Nothing here draws randomness. AWS-LC fails where Rust would abort: when memory is short. The portable code does
//! the work then, so that a failure is never an answer, but for the one that [`mldsa65_verify`] names.
//!
//! Secrets: AWS-LC wipes every block that it frees, aws-lc-rs what it returns. What the assembly leaves in registers
//! and on the stack is out of reach.

use alloc::boxed::Box;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    Ed25519KeyPair, KeyPair as _, ML_DSA_65, ML_DSA_65_SIGNING, ParsedPublicKey, PqdsaKeyPair,
};

use super::rustcrypto;
pub use super::rustcrypto::{ed25519_accepts, ed25519_verify, mldsa65_sign};
use crate::secret::Secret;

/// The name that tests and tools print.
#[cfg(feature = "hazmat")]
pub const NAME: &str = "aws-lc";

/// SubjectPublicKeyInfo of X25519 up to the key (RFC 8410). aws-lc-rs tries every public key as DER first, with all of
/// AWS-LC's key types, and as raw bytes only then; so that bytes from outside never choose a parser, they get this.
const X25519_INFO: [u8; 12] = *b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00";
/// The same for ML-DSA-65 (RFC 9881). Here it matters: a raw key that begins like the DER of another kind is refused.
const MLDSA65_INFO: [u8; 22] =
    *b"\x30\x82\x07\xb2\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\x03\x82\x07\xa1\x00";

/// An X25519 secret key as AWS-LC holds it: making it costs a third of an agreement.
pub struct X25519Ready(PrivateKey);

/// The public key, and what makes later agreements cheaper.
pub fn x25519_ready(secret: &Secret<32>) -> (Option<X25519Ready>, [u8; 32]) {
    let key = PrivateKey::from_private_key(&X25519, secret.expose()).ok();
    let public = key.as_ref().and_then(|key| {
        let public = key.compute_public_key().ok()?;
        public.as_ref().try_into().ok()
    });
    match public {
        Some(public) => (key.map(X25519Ready), public),
        None => (None, rustcrypto::x25519_public(secret)),
    }
}

/// `X25519(secret, 9)`.
pub fn x25519_public(secret: &Secret<32>) -> [u8; 32] {
    x25519_ready(secret).1
}

/// `X25519(secret, public)`. AWS-LC refuses where the result is zero; the portable code then gives the zero.
pub fn x25519_agree(
    secret: &Secret<32>,
    ready: Option<&X25519Ready>,
    public: &[u8; 32],
) -> Secret<32> {
    let mut info = [0; X25519_INFO.len() + 32];
    let (head, key) = info.split_at_mut(X25519_INFO.len());
    head.copy_from_slice(&X25519_INFO);
    key.copy_from_slice(public);
    let peer = UnparsedPublicKey::new(&X25519, info);
    let with = |key: &PrivateKey| {
        agree(key, peer, Unspecified, |shared| {
            let shared: &[u8; 32] = shared.try_into().map_err(|_| Unspecified)?;
            Ok(Secret::fill(|out| *out = *shared))
        })
    };
    match ready {
        Some(X25519Ready(key)) => with(key),
        None => PrivateKey::from_private_key(&X25519, secret.expose())
            .map_err(|_| Unspecified)
            .and_then(|key| with(&key)),
    }
    .unwrap_or_else(|_| rustcrypto::x25519_agree(secret, None, public))
}

/// The public key of a seed.
pub fn ed25519_public(seed: &Secret<32>) -> [u8; 32] {
    Ed25519KeyPair::from_seed_unchecked(seed.expose())
        .ok()
        .and_then(|key| key.public_key().as_ref().try_into().ok())
        .unwrap_or_else(|| rustcrypto::ed25519_public(seed))
}

/// `Sign(seed, message)`, deterministic as RFC 8032 says.
pub fn ed25519_sign(seed: &Secret<32>, message: &[u8]) -> [u8; 64] {
    Ed25519KeyPair::from_seed_unchecked(seed.expose())
        .ok()
        .and_then(|key| key.try_sign(message).ok()?.as_ref().try_into().ok())
        .unwrap_or_else(|| rustcrypto::ed25519_sign(seed, message))
}

/// The public key of a seed.
pub fn mldsa65_public(seed: &Secret<32>) -> Box<[u8; 1952]> {
    PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, seed.expose())
        .ok()
        .and_then(|key| Box::<[u8]>::from(key.public_key().as_ref()).try_into().ok())
        .unwrap_or_else(|| rustcrypto::mldsa65_public(seed))
}

/// Verification with an empty context (FIPS 204 algorithm 3). No key fails to parse, so when one does, memory is short. A
/// verification that fails stays a refusal: aws-lc-rs does not tell why, and forgeries would get the slow check as well.
pub fn mldsa65_verify(public: &[u8; 1952], message: &[u8], signature: &[u8; 3309]) -> bool {
    let info = [&MLDSA65_INFO[..], public].concat();
    match ParsedPublicKey::new(&ML_DSA_65, info) {
        Ok(key) => key.verify_sig(message, signature).is_ok(),
        Err(_) => rustcrypto::mldsa65_verify(public, message, signature),
    }
}

fn aead_key(key: &Secret<32>) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.expose()).ok()?;
    Some(LessSafeKey::new(key))
}

/// The tag; `None` for more than 256 GiB.
pub fn aead_seal(
    key: &Secret<32>,
    nonce: &[u8; 12],
    ad: &[u8],
    text: &mut [u8],
) -> Option<[u8; 16]> {
    let Some(ready) = aead_key(key) else {
        return rustcrypto::aead_seal(key, nonce, ad, text);
    };
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let tag = ready.seal_in_place_separate_tag(nonce, Aad::from(ad), text);
    tag.ok()?.as_ref().try_into().ok()
}

/// Whether the tag is right; `text` is the plaintext then.
pub fn aead_open(
    key: &Secret<32>,
    nonce: &[u8; 12],
    ad: &[u8],
    text: &mut [u8],
    tag: &[u8; 16],
) -> bool {
    let Some(ready) = aead_key(key) else {
        return rustcrypto::aead_open(key, nonce, ad, text, tag);
    };
    let nonce = Nonce::assume_unique_for_key(*nonce);
    ready
        .open_in_place_separate_tag(nonce, Aad::from(ad), tag, text)
        .is_ok()
}

/// One ML-KEM parameter set: decapsulation is AWS-LC's, from the expanded form that the portable crate makes.
macro_rules! ml_kem {
    ($name:ident, $set:ident, $ek:literal, $ct:literal) => {
        #[doc = concat!(stringify!($set), ": keys as they are used, kept parsed.")]
        pub mod $name {
            use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, $set};

            use crate::crypto::rustcrypto::$name as portable;
            pub use crate::crypto::rustcrypto::$name::Encapsulation;
            use crate::secret::Secret;

            /// A decapsulation key.
            pub struct Decapsulation(portable::Decapsulation);

            impl Decapsulation {
                /// `KeyGen(d, z)`.
                pub fn from_seed(seed: &Secret<64>) -> Self {
                    Self(portable::Decapsulation::from_seed(seed))
                }

                /// The encapsulation key.
                pub fn public(&self) -> [u8; $ek] {
                    self.0.public()
                }

                /// `Decaps(dk, ct)`.
                pub fn decapsulate(&self, ct: &[u8; $ct]) -> Secret<32> {
                    DecapsulationKey::new(&$set, &*self.0.expanded())
                        .ok()
                        .and_then(|key| key.decapsulate(Ciphertext::from(&ct[..])).ok())
                        .and_then(|shared| {
                            let shared: &[u8; 32] = shared.as_ref().try_into().ok()?;
                            Some(Secret::fill(|out| *out = *shared))
                        })
                        .unwrap_or_else(|| self.0.decapsulate(ct))
                }
            }
        }
    };
}
ml_kem!(kem768, ML_KEM_768, 1184, 1088);
ml_kem!(kem1024, ML_KEM_1024, 1568, 1568);
