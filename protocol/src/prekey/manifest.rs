//! The manifest a device publishes (spec section 3.3): one hybrid signature over all its prekeys.

use crate::crypto::dh;
use crate::crypto::hash::{Hash, hash};
use crate::error::{Error, Result};
use crate::identity::{HybridSignature, IdentityKey, Signer, SigningInput, Subject};
use crate::labels;
use crate::limits::{MAX_ONE_TIME, VERSION};
use crate::wire::codec::{Decode, Encode, Reader, Sink, structure};

/// The signed prekey as a manifest shows it: the ML-KEM key by its hash.
#[derive(Clone)]
pub struct SignedPrekey {
    /// Prekey id.
    pub id: u32,
    /// X25519 public key.
    pub x25519: dh::PublicKey,
    /// `H("kem key"; ek)` of the ML-KEM-1024 key.
    pub kem_hash: Hash,
}
structure!(SignedPrekey {
    id,
    x25519,
    kem_hash
});

/// What a device says about itself and its prekeys.
#[derive(Clone)]
pub struct Manifest {
    /// The device's identity.
    pub identity: IdentityKey,
    /// The name it claims.
    pub subject: Subject,
    /// Grows with every publication.
    pub generation: u64,
    /// Start of validity, Unix seconds.
    pub not_before: u64,
    /// End of validity (exclusive), Unix seconds.
    pub not_after: u64,
    /// The reusable prekey.
    pub signed: SignedPrekey,
    /// Number of one-time prekeys, 1 to 1,024.
    pub onetime_count: u16,
    /// Root of the Merkle tree over them.
    pub root: Hash,
}

/// A manifest and its signature.
#[derive(Clone)]
pub struct SignedManifest {
    /// The manifest.
    pub manifest: Manifest,
    pub(crate) signature: HybridSignature,
}
structure!(SignedManifest {
    manifest,
    signature
});

impl Manifest {
    /// `manifest_hash = H("manifest"; Manifest)`.
    pub fn hash(&self) -> Hash {
        hash(labels::MANIFEST, &[&self.to_vec()])
    }

    fn signing_input(&self) -> SigningInput {
        SigningInput::new(labels::SIGN_MANIFEST, &[&self.to_vec()])
    }

    pub(crate) fn sign(self, signer: &impl Signer, rnd: &[u8; 32]) -> Result<SignedManifest> {
        let signature = signer.sign(&self.signing_input(), rnd)?;
        Ok(SignedManifest {
            manifest: self,
            signature,
        })
    }
}

impl SignedManifest {
    /// Verifies the signature (M-PK-03).
    ///
    /// # Errors
    /// [`Error::Authentication`].
    pub fn verify(&self) -> Result<()> {
        self.manifest
            .identity
            .verify(&self.manifest.signing_input(), &self.signature)
    }
}

impl Encode for Manifest {
    fn encode(&self, out: &mut impl Sink) {
        VERSION.encode(out);
        self.identity.encode(out);
        self.subject.encode(out);
        self.generation.encode(out);
        self.not_before.encode(out);
        self.not_after.encode(out);
        self.signed.encode(out);
        self.onetime_count.encode(out);
        self.root.encode(out);
    }
}

impl Decode for Manifest {
    /// Refuses what M-PK-02 names.
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        input.version()?;
        let manifest = Self {
            identity: Decode::decode(input)?,
            subject: Decode::decode(input)?,
            generation: Decode::decode(input)?,
            not_before: Decode::decode(input)?,
            not_after: Decode::decode(input)?,
            signed: Decode::decode(input)?,
            onetime_count: Decode::decode(input)?,
            root: Decode::decode(input)?,
        };
        let counted = (1..=MAX_ONE_TIME).contains(&manifest.onetime_count);
        if manifest.not_before < manifest.not_after && counted {
            Ok(manifest)
        } else {
            Err(Error::Malformed)
        }
    }
}
