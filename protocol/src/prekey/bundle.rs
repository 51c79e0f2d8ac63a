//! What a directory hands out for one handshake, and its verification (spec section 3.3).

use alloc::vec::Vec;

use super::manifest::SignedManifest;
use super::tree::verify_path;
use super::{Kind, kem_hash, leaf};
use crate::crypto::dh;
use crate::crypto::hash::Hash;
use crate::crypto::kem::kem1024;
use crate::error::{Error, Result};
use crate::identity::IdentityId;
use crate::limits::MAX_PATH;
use crate::wire::codec::{Decode, Encode, Reader, Sink, list8};

/// One record of a publication; opaque to a directory.
#[derive(Clone)]
pub enum Record {
    /// The signed prekey's ML-KEM key, for when the one-time prekeys are used up.
    LastResort {
        /// The ML-KEM-1024 key.
        kem: kem1024::EncapsulationKey,
    },
    /// A one-time prekey and the proof that the manifest covers it.
    OneTime {
        /// Prekey id.
        id: u32,
        /// X25519 public key.
        x25519: dh::PublicKey,
        /// The ML-KEM-1024 key.
        kem: kem1024::EncapsulationKey,
        /// Position among the one-time prekeys.
        index: u16,
        /// Sibling hashes up to the root, at most 10.
        path: Vec<Hash>,
    },
}

/// A signed manifest and one record.
#[derive(Clone)]
pub struct PrekeyBundle {
    pub(crate) manifest: SignedManifest,
    pub(crate) record: Record,
}

/// A bundle whose signature, path, validity and owner were checked: the only thing a handshake starts from.
pub(crate) struct VerifiedBundle<'a> {
    pub(crate) bundle: &'a PrekeyBundle,
    pub(crate) signed_leaf: Hash,
    pub(crate) onetime_leaf: Option<Hash>,
}

impl PrekeyBundle {
    /// Decodes what a directory handed out.
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Decode::from_bytes(bytes)
    }

    /// The encoding: the signed manifest followed by the record.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }

    /// Whose bundle it claims to be; nothing is verified yet.
    pub fn unverified_identity(&self) -> IdentityId {
        self.manifest.manifest.identity.id()
    }

    /// Whether it carries a one-time prekey.
    pub fn has_one_time_prekey(&self) -> bool {
        matches!(self.record, Record::OneTime { .. })
    }

    /// Verifies signature, prekey and validity at `now` (Unix seconds), in the order of section 3.3: for who keeps bundles.
    /// Starting a session does it again. `known` is the highest generation accepted from this identity before, `own` the
    /// caller's identity.
    ///
    /// # Errors
    /// [`Error::Authentication`], [`Error::Expired`], [`Error::Rollback`], [`Error::OwnIdentity`].
    pub fn verify(&self, now: u64, known: Option<u64>, own: IdentityId) -> Result<()> {
        self.verified(now, known, own).map(|_| ())
    }

    /// The same, with the proof that a handshake asks for.
    pub(crate) fn verified(
        &self,
        now: u64,
        known: Option<u64>,
        own: IdentityId,
    ) -> Result<VerifiedBundle<'_>> {
        self.manifest.verify()?;
        let manifest = &self.manifest.manifest;
        let onetime_leaf = self.check_record()?;
        if !(manifest.not_before..manifest.not_after).contains(&now) {
            return Err(Error::Expired);
        }
        if known.is_some_and(|known| manifest.generation < known) {
            return Err(Error::Rollback);
        }
        if manifest.identity.id() == own {
            return Err(Error::OwnIdentity);
        }
        let signed = &manifest.signed;
        let signed_leaf = leaf(Kind::Signed, signed.id, &signed.x25519, &signed.kem_hash);
        Ok(VerifiedBundle {
            bundle: self,
            signed_leaf,
            onetime_leaf,
        })
    }

    /// M-PK-04: the record belongs to the manifest. The leaf of a one-time prekey.
    fn check_record(&self) -> Result<Option<Hash>> {
        let manifest = &self.manifest.manifest;
        let (belongs, leaf) = match &self.record {
            Record::LastResort { kem } => {
                (kem_hash(kem.as_bytes()) == manifest.signed.kem_hash, None)
            }
            Record::OneTime {
                id,
                x25519,
                kem,
                index,
                path,
            } => {
                let leaf = leaf(Kind::OneTime, *id, x25519, &kem_hash(kem.as_bytes()));
                let (index, count) = ((*index).into(), manifest.onetime_count.into());
                (
                    verify_path(&leaf, index, count, path, &manifest.root),
                    Some(leaf),
                )
            }
        };
        if belongs {
            Ok(leaf)
        } else {
            Err(Error::Authentication)
        }
    }
}

impl Encode for Record {
    fn encode(&self, out: &mut impl Sink) {
        match self {
            Self::LastResort { kem } => {
                (Kind::Signed as u8).encode(out);
                kem.encode(out);
            }
            Self::OneTime {
                id,
                x25519,
                kem,
                index,
                path,
            } => {
                (Kind::OneTime as u8).encode(out);
                id.encode(out);
                x25519.encode(out);
                kem.encode(out);
                index.encode(out);
                list8::encode(path, out);
            }
        }
    }
}

impl Decode for Record {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        match u8::decode(input)? {
            1 => Ok(Self::LastResort {
                kem: Decode::decode(input)?,
            }),
            2 => {
                let (id, x25519) = (Decode::decode(input)?, Decode::decode(input)?);
                let (kem, index) = (Decode::decode(input)?, Decode::decode(input)?);
                let path: Vec<Hash> = list8::decode(input)?;
                if path.len() > MAX_PATH {
                    return Err(Error::Malformed);
                }
                Ok(Self::OneTime {
                    id,
                    x25519,
                    kem,
                    index,
                    path,
                })
            }
            _ => Err(Error::Malformed),
        }
    }
}

impl Encode for PrekeyBundle {
    fn encode(&self, out: &mut impl Sink) {
        self.manifest.encode(out);
        self.record.encode(out);
    }
}

impl Decode for PrekeyBundle {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let manifest: SignedManifest = Decode::decode(input)?;
        let record = Decode::decode(input)?;
        if let Record::OneTime { index, .. } = &record
            && *index >= manifest.manifest.onetime_count
        {
            return Err(Error::Malformed);
        }
        Ok(Self { manifest, record })
    }
}

crate::secret::opaque_debug!(PrekeyBundle);
