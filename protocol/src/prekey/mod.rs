//! Prekeys (spec section 3): pairs, the tree over them, manifest, bundle, life cycle.

mod bundle;
pub mod manifest;
mod publication;
pub mod tree;

pub(crate) use bundle::VerifiedBundle;
pub use bundle::{PrekeyBundle, Record};
pub(crate) use publication::Publisher;
pub use publication::{Claimed, Publication, PublicationState};

use rand_core::TryCryptoRng;

use crate::crypto::dh;
use crate::crypto::hash::{Hash, hash};
use crate::crypto::kem::kem1024;
use crate::error::Result;
use crate::labels;
use crate::secret::Secret;
use crate::wire::codec::structure;

/// Kind of a prekey, as it stands in leaves and records.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Reusable until rotated: the last resort.
    Signed = 1,
    /// Used once.
    OneTime = 2,
}

/// `kem_hash = H("kem key"; ek)`.
pub fn kem_hash(ek: &[u8]) -> Hash {
    hash(labels::KEM_KEY, &[ek])
}

/// `leaf = H("prekey"; uint8(kind), uint32(id), x25519, kem_hash)`.
pub fn leaf(kind: Kind, id: u32, x25519: &dh::PublicKey, kem_hash: &Hash) -> Hash {
    hash(
        labels::PREKEY,
        &[
            &[kind as u8],
            &id.to_be_bytes(),
            x25519.as_bytes(),
            kem_hash,
        ],
    )
}

/// The private half of a prekey, with the leaf that its public half makes.
pub struct PrekeySecret {
    pub(crate) id: u32,
    pub(crate) x25519: dh::SecretKey,
    pub(crate) kem: kem1024::DecapsulationKey,
    pub(crate) leaf: Hash,
}
structure!(PrekeySecret {
    id,
    x25519,
    kem,
    leaf
});

/// The public half of a prekey.
pub(crate) struct PrekeyPublic {
    pub(crate) x25519: dh::PublicKey,
    pub(crate) kem: alloc::boxed::Box<[u8; kem1024::KEY_LEN]>,
    pub(crate) kem_hash: Hash,
}

impl PrekeySecret {
    /// A new pair: draws the X25519 secret (32 bytes), then the ML-KEM seed (64 bytes).
    pub(crate) fn generate<R: TryCryptoRng + ?Sized>(
        kind: Kind,
        id: u32,
        rng: &mut R,
    ) -> Result<(Self, PrekeyPublic)> {
        let secret = dh::SecretKey::new(Secret::random(rng)?);
        let seed = Secret::<64>::random(rng)?;
        let stored = seed.duplicate();
        let (_, kem) = kem1024::DecapsulationKey::generate(seed);
        let public = PrekeyPublic {
            x25519: secret.public_key(),
            kem_hash: kem_hash(&*kem),
            kem,
        };
        let leaf = leaf(kind, id, &public.x25519, &public.kem_hash);
        // Only the seed is kept: a hundred expanded keys would be half a megabyte.
        let kem = kem1024::DecapsulationKey::from_seed(stored);
        Ok((
            Self {
                id,
                x25519: secret,
                kem,
                leaf,
            },
            public,
        ))
    }
}
