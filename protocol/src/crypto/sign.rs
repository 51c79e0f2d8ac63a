//! Ed25519 (RFC 8032, strict: M-PR-05) and ML-DSA-65 (FIPS 204), each alone. [`crate::identity`] joins them.

use alloc::boxed::Box;

use super::{dh, provider};
use crate::declassify::declassify;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// An Ed25519 public key: canonical, a point, not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ed25519Key([u8; 32]);

impl Ed25519Key {
    /// Checks bytes from outside.
    ///
    /// # Errors
    /// [`Error::Malformed`] for non-canonical bytes, no point, or a point of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self> {
        if has_canonical_y(bytes) && provider::ed25519_accepts(bytes) {
            Ok(Self(*bytes))
        } else {
            Err(Error::Malformed)
        }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Strict verification.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        signature.first_chunk().is_some_and(has_canonical_y)
            && provider::ed25519_verify(&self.0, message, signature)
    }
}

/// Whether the y coordinate is below the field prime. With x = 0 there would be two encodings by the
/// sign bit, but those points are of small order and refused anyway.
fn has_canonical_y(bytes: &[u8; 32]) -> bool {
    let mut y = *bytes;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    dh::is_canonical(&y)
}

/// The public key of an Ed25519 seed.
pub fn ed25519_public(seed: &Secret<32>) -> Ed25519Key {
    let mut public = provider::ed25519_public(seed);
    declassify(&mut public, "a public key");
    Ed25519Key(public)
}

/// An Ed25519 signature.
pub fn ed25519_sign(seed: &Secret<32>, message: &[u8]) -> [u8; 64] {
    provider::ed25519_sign(seed, message)
}

/// The public key of an ML-DSA-65 seed.
pub fn mldsa65_public(seed: &Secret<32>) -> Box<[u8; 1952]> {
    let mut public = provider::mldsa65_public(seed);
    declassify(&mut *public, "a public key");
    public
}

/// A hedged ML-DSA-65 signature with empty context; `rnd` is 32 fresh bytes.
pub fn mldsa65_sign(seed: &Secret<32>, message: &[u8], rnd: &[u8; 32]) -> Box<[u8; 3309]> {
    provider::mldsa65_sign(seed, message, rnd)
}

/// ML-DSA-65 verification with empty context.
pub fn mldsa65_verifies(public: &[u8; 1952], message: &[u8], signature: &[u8; 3309]) -> bool {
    provider::mldsa65_verify(public, message, signature)
}
