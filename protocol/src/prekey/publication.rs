//! A publication: what goes to the directory, what stays on the device, and when it ends (spec section 3.4).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::bundle::{PrekeyBundle, Record};
use super::manifest::{Manifest, SignedManifest, SignedPrekey};
use super::{Kind, PrekeyPublic, PrekeySecret, tree};
use crate::crypto::hash::Hash;
use crate::crypto::kem::kem1024;
use crate::error::{Error, Result};
use crate::identity::{Signer, Subject};
use crate::limits::{
    CLOCK_SKEW, DELETION_GRACE, MANIFEST_LIFETIME, MAX_ONE_TIME, MAX_REPLAY, REPLENISH_FRACTION,
    ROTATION_PERIOD,
};
use crate::secret;
use crate::wire::codec::{Decode, Encode, Reader, Sink, list16};
use crate::wire::initial::PrekeyIds;

/// What a device gives to a directory. All records are opaque to the directory: it hands out the manifest
/// followed by a one-time record, each once, and by the last resort when they are used up.
pub struct Publication {
    manifest: SignedManifest,
    last_resort: Record,
    onetime: Vec<Record>,
}

/// The private side of a publication.
pub struct PublicationState {
    created: u64,
    not_after: u64,
    count: u16,
    manifest_hash: Hash,
    /// Secrets are boxed, so that removing one leaves no copy of another behind.
    signed: Box<PrekeySecret>,
    #[allow(clippy::vec_box)]
    onetime: Vec<Box<PrekeySecret>>,
    replay: BTreeSet<Hash>,
}

/// The private prekeys that a first flight names.
pub struct Claimed<'a> {
    pub(crate) manifest_hash: &'a Hash,
    pub(crate) signed: &'a PrekeySecret,
    pub(crate) onetime: Option<&'a PrekeySecret>,
    replay: &'a BTreeSet<Hash>,
}

/// What every manifest of one device has in common.
pub(crate) struct Publisher<'a, S> {
    pub(crate) signer: &'a S,
    pub(crate) subject: &'a Subject,
    pub(crate) generation: u64,
    pub(crate) first_id: u32,
}

impl Publication {
    /// The signed manifest, encoded: the first part of every bundle.
    pub fn manifest_bytes(&self) -> Vec<u8> {
        self.manifest.to_vec()
    }

    /// The last-resort record, encoded.
    pub fn last_resort_bytes(&self) -> Vec<u8> {
        self.last_resort.to_vec()
    }

    /// The one-time records, encoded, each to be handed out once.
    pub fn one_time_bytes(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.onetime.iter().map(Encode::to_vec)
    }

    /// A bundle with the first one-time prekey: what a directory hands out first.
    pub fn bundle(&self) -> PrekeyBundle {
        self.bundles()
            .next()
            .unwrap_or_else(|| self.last_resort_bundle())
    }

    /// A bundle for each one-time prekey.
    pub fn bundles(&self) -> impl Iterator<Item = PrekeyBundle> + '_ {
        self.onetime.iter().map(|record| self.with(record))
    }

    /// The bundle without a one-time prekey.
    pub fn last_resort_bundle(&self) -> PrekeyBundle {
        self.with(&self.last_resort)
    }

    fn with(&self, record: &Record) -> PrekeyBundle {
        PrekeyBundle {
            manifest: self.manifest.clone(),
            record: record.clone(),
        }
    }
}

impl<S: Signer> Publisher<'_, S> {
    /// Makes `count` one-time prekeys and a signed one, valid from `now` (Unix seconds).
    pub(crate) fn publish<R: TryCryptoRng + ?Sized>(
        &self,
        count: u16,
        now: u64,
        rng: &mut R,
    ) -> Result<(Publication, PublicationState)> {
        if !(1..=MAX_ONE_TIME).contains(&count) {
            return Err(Error::Limit);
        }
        let not_after = now.checked_add(MANIFEST_LIFETIME).ok_or(Error::Limit)?;
        // The end of the id range must exist too.
        self.first_id
            .checked_add(u32::from(count))
            .ok_or(Error::Limit)?;
        let (signed, public) = PrekeySecret::generate(Kind::Signed, self.first_id, rng)?;
        let mut secrets = Vec::with_capacity(count.into());
        let mut publics = Vec::with_capacity(count.into());
        for id in (1..=u32::from(count)).map(|i| self.first_id.saturating_add(i)) {
            let (secret, public) = PrekeySecret::generate(Kind::OneTime, id, rng)?;
            secrets.push(Box::new(secret));
            publics.push(public);
        }
        let leaves: Vec<Hash> = secrets.iter().map(|secret| secret.leaf).collect();
        let manifest = Manifest {
            identity: self.signer.identity().clone(),
            subject: self.subject.clone(),
            generation: self.generation,
            not_before: now.saturating_sub(CLOCK_SKEW),
            not_after,
            signed: SignedPrekey {
                id: self.first_id,
                x25519: public.x25519,
                kem_hash: public.kem_hash,
            },
            onetime_count: count,
            root: tree::root(&leaves).ok_or(Error::Limit)?,
        };
        let manifest_hash = manifest.hash();
        let manifest = manifest.sign(self.signer, &secret::random_bytes(rng)?)?;
        let last_resort = Record::LastResort {
            kem: kem1024::EncapsulationKey::from_bytes(&public.kem)?,
        };
        let onetime = one_time_records(&secrets, &publics, &leaves)?;
        let state = PublicationState {
            created: now,
            not_after,
            count,
            manifest_hash,
            signed: Box::new(signed),
            onetime: secrets,
            replay: BTreeSet::new(),
        };
        Ok((
            Publication {
                manifest,
                last_resort,
                onetime,
            },
            state,
        ))
    }
}

fn one_time_records(
    secrets: &[Box<PrekeySecret>],
    publics: &[PrekeyPublic],
    leaves: &[Hash],
) -> Result<Vec<Record>> {
    (0u16..)
        .zip(secrets.iter().zip(publics))
        .zip(tree::paths(leaves))
        .map(|((index, (secret, public)), path)| {
            Ok(Record::OneTime {
                id: secret.id,
                x25519: public.x25519,
                kem: kem1024::EncapsulationKey::from_bytes(&public.kem)?,
                index,
                path,
            })
        })
        .collect()
}

impl PublicationState {
    /// The id of the signed prekey, by which first flights name a publication.
    pub(crate) fn signed_id(&self) -> u32 {
        self.signed.id
    }

    /// The highest id of the publication.
    pub(crate) fn last_id(&self) -> u32 {
        self.signed.id.saturating_add(self.count.into())
    }

    /// One-time prekeys not used yet.
    pub(crate) fn remaining(&self) -> usize {
        self.onetime.len()
    }

    /// M-PK-08: time to publish again.
    pub(crate) fn is_old(&self, now: u64) -> bool {
        let replay_fills = 4 * self.replay.len() >= 3 * MAX_REPLAY;
        now.saturating_sub(self.created) >= ROTATION_PERIOD || replay_fills
    }

    /// M-PK-08: few one-time prekeys left.
    pub(crate) fn is_low(&self) -> bool {
        self.remaining() < usize::from(self.count).div_ceil(REPLENISH_FRACTION)
    }

    /// M-PK-09: the private halves must go.
    pub(crate) fn is_dead(&self, now: u64) -> bool {
        now >= self.not_after.saturating_add(DELETION_GRACE)
    }

    /// M-HS-05: the private prekeys of a first flight.
    pub(crate) fn claim(&self, ids: &PrekeyIds) -> Result<Claimed<'_>> {
        let onetime = match ids.onetime {
            None => None,
            Some(id) => Some(self.one_time(id)?),
        };
        Ok(Claimed {
            manifest_hash: &self.manifest_hash,
            signed: &self.signed,
            onetime,
            replay: &self.replay,
        })
    }

    fn one_time(&self, id: u32) -> Result<&PrekeySecret> {
        let ours = id
            .checked_sub(self.signed.id)
            .is_some_and(|i| (1..=self.count.into()).contains(&i));
        if !ours {
            return Err(Error::UnknownPrekey);
        }
        let found = self.onetime.binary_search_by_key(&id, |secret| secret.id);
        found
            .ok()
            .and_then(|at| self.onetime.get(at))
            .map(|secret| &**secret)
            .ok_or(Error::PrekeyUsed)
    }

    /// M-HS-11: deletes the one-time prekey, or remembers `th0`.
    pub(crate) fn consume(&mut self, ids: &PrekeyIds, th0: &Hash) {
        match ids.onetime {
            Some(id) => self.onetime.retain(|secret| secret.id != id),
            None => {
                self.replay.insert(*th0);
            }
        }
    }
}

impl Claimed<'_> {
    /// M-HS-09: a first flight without a one-time prekey is taken once.
    pub(crate) fn check_replay(&self, th0: &Hash) -> Result<()> {
        if self.onetime.is_some() {
            Ok(())
        } else if self.replay.contains(th0) {
            Err(Error::Duplicate)
        } else if self.replay.len() >= MAX_REPLAY {
            Err(Error::Limit)
        } else {
            Ok(())
        }
    }
}

impl Encode for PublicationState {
    fn encode(&self, out: &mut impl Sink) {
        self.created.encode(out);
        self.not_after.encode(out);
        self.count.encode(out);
        self.manifest_hash.encode(out);
        self.signed.encode(out);
        list16::encode(&self.onetime, out);
        (self.replay.len() as u16).encode(out);
        self.replay.iter().for_each(|hash| hash.encode(out));
    }
}

impl Decode for PublicationState {
    /// Checks the rules of section 8.3: ids ascending in their range, hashes ascending, counts in bounds.
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let (created, not_after, count) = (
            Decode::decode(input)?,
            Decode::decode(input)?,
            u16::decode(input)?,
        );
        let (manifest_hash, signed) = (Decode::decode(input)?, Box::<PrekeySecret>::decode(input)?);
        let onetime: Vec<Box<PrekeySecret>> = list16::decode(input)?;
        let replay: Vec<Hash> = list16::decode(input)?;
        let last = signed
            .id
            .checked_add(count.into())
            .ok_or(Error::Malformed)?;
        let in_range = onetime
            .iter()
            .all(|secret| secret.id > signed.id && secret.id <= last);
        let valid = (1..=MAX_ONE_TIME).contains(&count)
            && in_range
            && onetime.is_sorted_by(|a, b| a.id < b.id)
            && replay.len() <= MAX_REPLAY
            && replay.is_sorted_by(|a, b| a < b);
        if !valid {
            return Err(Error::Malformed);
        }
        let replay = replay.into_iter().collect();
        Ok(Self {
            created,
            not_after,
            count,
            manifest_hash,
            signed,
            onetime,
            replay,
        })
    }
}

crate::secret::opaque_debug!(Publication);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_pk_08_a_publication_is_old_when_its_replay_set_is_three_quarters_full() {
        let hash = |number: u64| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            hash
        };
        let mut state = PublicationState {
            created: 0,
            not_after: MANIFEST_LIFETIME,
            count: 1,
            manifest_hash: [0; 32],
            // No real keys: their making takes Miri minutes.
            signed: Box::new(PrekeySecret::from_bytes(&[1; 4 + 32 + 64 + 32]).unwrap()),
            onetime: Vec::new(),
            replay: (0..3_071).map(hash).collect(),
        };
        assert!(!state.is_old(0));
        state.replay.insert(hash(3_071));
        assert!(state.is_old(0));
    }
}
