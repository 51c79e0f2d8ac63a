//! X25519 (RFC 7748) with the two checks that RFC leaves open (M-PR-01, M-PR-02).

use super::provider;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::wire::codec::{Decode, Encode, Reader, Sink};

/// A canonical X25519 public key: one encoding per value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// An X25519 secret key.
pub struct SecretKey {
    bytes: Secret<32>,
    /// For a fresh key, which agrees soon; a key from bytes is made ready when used.
    ready: Option<provider::X25519Ready>,
}

/// A secret key with its public key kept, so that sending does not recompute it.
pub struct KeyPair {
    secret: SecretKey,
    public: PublicKey,
}

impl PublicKey {
    /// Checks bytes from outside.
    ///
    /// # Errors
    /// [`Error::Malformed`] when bit 255 is set or the value is not below 2^255 − 19.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self> {
        if is_canonical(bytes) {
            Ok(Self(*bytes))
        } else {
            Err(Error::Malformed)
        }
    }

    /// The 32 bytes, little endian as in RFC 7748.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Whether a little-endian field element is below 2^255 − 19, bit 255 included. Public values only.
pub(super) fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *high < 0x7f || (*high == 0x7f && (*low < 0xed || middle.iter().any(|byte| *byte != 0xff)))
}

impl SecretKey {
    /// A key from 32 uniform bytes; X25519 clamps them at use.
    pub fn new(bytes: Secret<32>) -> Self {
        Self { bytes, ready: None }
    }

    /// A second copy, wiped on its own: a signed prekey serves many sessions as their first ratchet key.
    pub(crate) fn duplicate(&self) -> Self {
        Self::new(self.bytes.duplicate())
    }

    /// `X25519(k, 9)`.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(provider::x25519_public(&self.bytes))
    }

    /// `X25519(k, u)`.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a non-contributory (all-zero) output, found in constant time.
    pub fn agree(&self, peer: &PublicKey) -> Result<Secret<32>> {
        let shared = provider::x25519_agree(&self.bytes, self.ready.as_ref(), &peer.0);
        if shared.equals(&[0; 32]) {
            Err(Error::Malformed)
        } else {
            Ok(shared)
        }
    }
}

impl KeyPair {
    /// The pair of a secret key.
    pub fn new(mut secret: SecretKey) -> Self {
        let (ready, public) = provider::x25519_ready(&secret.bytes);
        secret.ready = ready;
        Self {
            secret,
            public: PublicKey(public),
        }
    }

    /// The secret half.
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl Encode for PublicKey {
    fn encode(&self, out: &mut impl Sink) {
        self.0.encode(out);
    }
}

impl Decode for PublicKey {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Self::from_bytes(input.array()?)
    }
}

impl Encode for SecretKey {
    fn encode(&self, out: &mut impl Sink) {
        self.bytes.encode(out);
    }
}

impl Decode for SecretKey {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Secret::decode(input).map(Self::new)
    }
}

impl Encode for KeyPair {
    fn encode(&self, out: &mut impl Sink) {
        self.secret.encode(out);
        self.public.encode(out);
    }
}

impl Decode for KeyPair {
    /// Trusts the stored public half: it is our own sealed state, and the check would cost as much as
    /// a key generation at every import.
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            secret: SecretKey::decode(input)?,
            public: PublicKey::decode(input)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a2_only_canonical_keys_are_taken() {
        let mut p = [0xff; 32];
        (p[0], p[31]) = (0xed, 0x7f);
        assert!(PublicKey::from_bytes(&p).is_err());
        p[0] = 0xec;
        assert!(PublicKey::from_bytes(&p).is_ok());
        p[31] = 0xff;
        assert!(PublicKey::from_bytes(&p).is_err());
        assert!(PublicKey::from_bytes(&[0xff; 32]).is_err());
        let mut over = [0xff; 32];
        over[31] = 0x7f;
        assert!(PublicKey::from_bytes(&over).is_err());
        over[5] = 0;
        assert!(PublicKey::from_bytes(&over).is_ok());
    }
}
