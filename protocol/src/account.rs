//! One device's identity and prekeys, and their life cycle (spec sections 3.4, 4.3 and 8.3).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::handshake;
use crate::identity::{
    AccountSigner, EXTERNAL_SIGNER, External, IdentityId, IdentityKey, IdentityKeyPair,
    SafetyNumber, Signer, Subject,
};
use crate::limits::{MAX_PUBLICATIONS, MAX_SEEN};
use crate::prekey::{PrekeyBundle, Publication, PublicationState, Publisher};
use crate::session::{Opened, Session};
use crate::state::{self, StateKey, StateKind};
use crate::wire::codec::{Decode, Encode, Reader, Sink, list8, list32, structure};
use crate::wire::initial::InitialMessage;
use crate::wire::message::Slots;
use crate::wire::padding::Padding;

/// A device: its identity, its prekeys, and what it has seen of others. `S` signs for the identity.
pub struct Account<S = IdentityKeyPair> {
    generation: u64,
    signer: S,
    subject: Subject,
    next_id: u32,
    manifest_generation: u64,
    /// Oldest first.
    publications: VecDeque<PublicationState>,
    /// The highest manifest generation accepted from each peer.
    seen: BTreeMap<IdentityId, u64>,
}

/// A first message that was accepted.
#[must_use]
pub struct Accepted {
    /// The new session.
    pub session: Session,
    /// The first plaintext and who sent it.
    pub opened: Opened,
}

/// What the life cycle of the prekeys wants done (spec section 3.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Task {
    /// Publish: there is no publication, or the newest is 7 days old or its replay memory fills up.
    Rotate,
    /// Publish: fewer than a quarter of the one-time prekeys is left.
    Replenish {
        /// One-time prekeys left.
        remaining: usize,
    },
    /// Call [`Account::delete_expired`]: private halves are past their deadline.
    Delete {
        /// Publications to delete.
        publications: usize,
    },
}

/// Choices of an initiator that have good defaults.
#[derive(Clone, Copy, Default, Debug)]
pub struct InitiateOptions<'a> {
    /// Codewords in each message of the session.
    pub slots: Slots,
    /// Padding of the first message.
    pub padding: Padding,
    /// Associated data of the first message: the responder must give the same.
    pub ad: &'a [u8],
}

impl Account {
    /// A new device with a fresh identity. `subject` (at most 255 bytes) is the name it claims.
    ///
    /// # Errors
    /// [`Error::Limit`] for a longer subject, [`Error::Randomness`].
    pub fn generate<R: TryCryptoRng + ?Sized>(
        subject: impl AsRef<[u8]>,
        rng: &mut R,
    ) -> Result<Self> {
        let subject = Subject::new(subject.as_ref())?;
        Ok(Self::new(IdentityKeyPair::generate(rng)?, subject))
    }

    /// Restores a state that is not older than `minimum_generation`.
    ///
    /// # Errors
    /// [`Error::Rollback`], [`Error::Authentication`], [`Error::Version`], [`Error::Malformed`].
    pub fn import(key: &StateKey, sealed: &[u8], minimum_generation: u64) -> Result<Self> {
        let state = state::open(key, StateKind::Account, sealed, minimum_generation)?;
        Self::from_state(&state)
    }

    /// Restores a state from [`Account::to_state`].
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Malformed`].
    pub fn from_state(state: &[u8]) -> Result<Self> {
        Self::decode(state, |input| match u8::decode(input)? {
            0 => IdentityKeyPair::decode(input),
            _ => Err(Error::Malformed),
        })
    }
}

impl<T: Signer> Account<External<T>> {
    /// A new device whose identity signs through `signer`.
    pub fn with_signer(signer: T, subject: Subject) -> Self {
        Self::new(External(signer), subject)
    }

    /// Restores a state of a device with an external signer, as [`Account::import`]. A signer that must outlive a refused
    /// state is lent, as `&signer`.
    ///
    /// # Errors
    /// As [`Account::import`]; [`Error::IdentityChanged`] when `signer` is another identity's.
    pub fn import_with_signer(
        key: &StateKey,
        sealed: &[u8],
        minimum_generation: u64,
        signer: T,
    ) -> Result<Self> {
        let state = state::open(key, StateKind::Account, sealed, minimum_generation)?;
        Self::decode(&state, |input| {
            if u8::decode(input)? != EXTERNAL_SIGNER {
                return Err(Error::Malformed);
            }
            if IdentityKey::decode(input)?.id() != signer.identity().id() {
                return Err(Error::IdentityChanged);
            }
            Ok(External(signer))
        })
    }
}

impl<S: AccountSigner> Account<S> {
    fn new(signer: S, subject: Subject) -> Self {
        Self {
            generation: 0,
            signer,
            subject,
            next_id: 1,
            manifest_generation: 0,
            publications: VecDeque::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Makes a publication of `count` (1 to 1,024) one-time prekeys and a fresh signed prekey, valid from `now` (Unix
    /// seconds). It replaces the one before at the directory; the private halves of that one stay until their deadline.
    ///
    /// The account's state changes: it must be on disk before the publication leaves the device, or prekey ids
    /// could be used twice (M-PK-01).
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Randomness`], [`Error::Signer`]; nothing has changed then.
    pub fn publish<R: TryCryptoRng + ?Sized>(
        &mut self,
        count: u16,
        now: u64,
        rng: &mut R,
    ) -> Result<Publication> {
        let first_id = self.next_id;
        let generation = self
            .manifest_generation
            .checked_add(1)
            .ok_or(Error::Limit)?;
        let next_id = first_id
            .checked_add(u32::from(count) + 1)
            .ok_or(Error::Limit)?;
        let publisher = Publisher {
            signer: &self.signer,
            subject: &self.subject,
            generation,
            first_id,
        };
        let (publication, state) = publisher.publish(count, now, rng)?;
        self.next_id = next_id;
        self.manifest_generation = generation;
        if self.publications.len() >= MAX_PUBLICATIONS {
            self.publications.pop_front();
        }
        self.publications.push_back(state);
        self.touch();
        Ok(publication)
    }

    /// What is due at `now` (Unix seconds).
    pub fn due(&self, now: u64) -> Vec<Task> {
        let mut tasks = Vec::new();
        match self.publications.back() {
            Some(newest) if !newest.is_old(now) => {
                if newest.is_low() {
                    tasks.push(Task::Replenish {
                        remaining: newest.remaining(),
                    });
                }
            }
            _ => tasks.push(Task::Rotate),
        }
        let publications = self
            .publications
            .iter()
            .filter(|state| state.is_dead(now))
            .count();
        if publications > 0 {
            tasks.push(Task::Delete { publications });
        }
        tasks
    }

    /// Deletes private halves past their deadline; the number of publications deleted.
    pub fn delete_expired(&mut self, now: u64) -> usize {
        let before = self.publications.len();
        self.publications.retain(|state| !state.is_dead(now));
        let deleted = before.saturating_sub(self.publications.len());
        if deleted > 0 {
            self.touch();
        }
        deleted
    }

    /// One-time prekeys of the newest publication that are not used yet.
    pub fn one_time_prekeys_left(&self) -> usize {
        self.publications
            .back()
            .map_or(0, PublicationState::remaining)
    }

    /// Starts a session with the bundle's owner and encrypts its first message, with default options.
    ///
    /// # Errors
    /// As [`Account::initiate_with`].
    pub fn initiate<R: TryCryptoRng + ?Sized>(
        &mut self,
        bundle: &PrekeyBundle,
        plaintext: &[u8],
        now: u64,
        rng: &mut R,
    ) -> Result<(Session, Vec<u8>)> {
        self.initiate_with(bundle, plaintext, InitiateOptions::default(), now, rng)
    }

    /// Starts a session: verifies the bundle at `now` (Unix seconds), makes the handshake, encrypts the first message.
    ///
    /// The account and the session must be on disk before the message leaves.
    ///
    /// # Errors
    /// [`Error::Authentication`], [`Error::Expired`], [`Error::Rollback`], [`Error::OwnIdentity`] for the bundle;
    /// [`Error::Limit`], [`Error::Randomness`], [`Error::Malformed`], [`Error::Signer`]. Nothing has changed then.
    pub fn initiate_with<R: TryCryptoRng + ?Sized>(
        &mut self,
        bundle: &PrekeyBundle,
        plaintext: &[u8],
        options: InitiateOptions<'_>,
        now: u64,
        rng: &mut R,
    ) -> Result<(Session, Vec<u8>)> {
        let peer = bundle.unverified_identity();
        let known = self.seen.get(&peer).copied();
        let verified = bundle.verified(now, known, self.id())?;
        if known.is_none() && self.seen.len() >= MAX_SEEN {
            return Err(Error::Limit);
        }
        let (established, flight) =
            handshake::initiate(&self.signer, &self.subject, &verified, options.slots, rng)?;
        let mut session = Session::initiated(self.id(), established, &flight);
        let message = session.encrypt_with(plaintext, options.ad, options.padding, rng)?;
        self.seen.insert(peer, bundle.manifest.manifest.generation);
        self.touch();
        Ok((session, message))
    }

    /// Accepts a first message that was sent without associated data.
    ///
    /// # Errors
    /// As [`Account::accept_with`].
    pub fn accept(&mut self, message: &[u8], now: u64) -> Result<Accepted> {
        self.accept_with(message, &[], now)
    }

    /// Accepts an initial message at `now` (Unix seconds): the new session and its first plaintext. An initial message
    /// of a session that exists already (a first flight is repeated until it is answered) belongs to
    /// [`Session::decrypt`]: offer initial messages to the sessions first, which answer [`Error::Authentication`] if it is
    /// not theirs; here such a message is [`Error::PrekeyUsed`] or [`Error::Duplicate`]. [`crate::Contact`] does this.
    ///
    /// The account's state changes with success: it must be on disk, with the session, before the plaintext is acted
    /// on.
    ///
    /// # Errors
    /// [`Error::UnknownPrekey`], [`Error::PrekeyUsed`], [`Error::Duplicate`], [`Error::Authentication`],
    /// [`Error::OwnIdentity`], [`Error::Limit`] (replay memory full: publish again), [`Error::Version`],
    /// [`Error::Malformed`], and those of [`Session::decrypt`]. Nothing has changed then.
    pub fn accept_with(&mut self, message: &[u8], ad: &[u8], now: u64) -> Result<Accepted> {
        let own = self.id();
        let initial = InitialMessage::from_bytes(message)?;
        let ids = initial.flight.prekeys;
        let publication = self
            .publications
            .iter_mut()
            .find(|state| state.signed_id() == ids.signed && !state.is_dead(now))
            .ok_or(Error::UnknownPrekey)?;
        let (established, th0) =
            handshake::accept(own, &publication.claim(&ids)?, &initial.flight)?;
        let mut session = Session::accepted(own, established, &initial);
        let opened = session.decrypt_first(&initial, ad)?;
        publication.consume(&ids, &th0);
        self.touch();
        Ok(Accepted { session, opened })
    }

    /// The device's public identity.
    pub fn identity(&self) -> &IdentityKey {
        self.signer.identity()
    }

    /// The id of the device's identity.
    pub fn id(&self) -> IdentityId {
        self.signer.identity().id()
    }

    /// The name the device claims.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The safety number with a peer, for people to compare.
    pub fn safety_number(&self, peer: &IdentityId) -> SafetyNumber {
        SafetyNumber::new(&self.id(), peer)
    }

    /// Grows with every change of the state.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    fn touch(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    /// The state, sealed under the application's key (spec section 8.1).
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn export<R: TryCryptoRng + ?Sized>(&self, key: &StateKey, rng: &mut R) -> Result<Vec<u8>> {
        state::seal(key, StateKind::Account, self.generation, self, rng)
    }

    /// The state in the clear, for a store that seals it itself. Secret.
    pub fn to_state(&self) -> Zeroizing<Vec<u8>> {
        self.to_secret_vec()
    }
}

impl<S: AccountSigner> Encode for Account<S> {
    fn encode(&self, out: &mut impl Sink) {
        StateKind::Account.encode_start(self.generation, out);
        out.put(&self.signer.to_state());
        self.subject.encode(out);
        self.next_id.encode(out);
        self.manifest_generation.encode(out);
        list8::encode(&self.publications, out);
        let seen = self.seen.iter();
        let seen: Vec<Seen> = seen
            .map(|(id, generation)| Seen {
                identity: *id,
                generation: *generation,
            })
            .collect();
        list32::encode(&seen, out);
    }
}

/// One entry of `seen`.
struct Seen {
    identity: IdentityId,
    generation: u64,
}
structure!(Seen {
    identity,
    generation
});

impl<S> Account<S> {
    /// Reads a state; checks the rules of section 8.3.
    fn decode(state: &[u8], signer: impl FnOnce(&mut Reader<'_>) -> Result<S>) -> Result<Self> {
        let mut input = Reader::new(state);
        let generation = StateKind::Account.decode_start(&mut input)?;
        let signer = signer(&mut input)?;
        let subject = Decode::decode(&mut input)?;
        let (next_id, manifest_generation) =
            (u32::decode(&mut input)?, Decode::decode(&mut input)?);
        let publications: VecDeque<PublicationState> = list8::decode(&mut input)?.into();
        let seen: Vec<Seen> = list32::decode(&mut input)?;
        input.finish()?;
        let ascending = publications
            .iter()
            .is_sorted_by(|a, b| a.last_id() < b.signed_id())
            && publications
                .back()
                .is_none_or(|newest| newest.last_id() < next_id)
            && seen.is_sorted_by(|a, b| a.identity < b.identity);
        if !ascending || publications.len() > MAX_PUBLICATIONS || seen.len() > MAX_SEEN {
            return Err(Error::Malformed);
        }
        let seen = seen
            .into_iter()
            .map(|seen| (seen.identity, seen.generation))
            .collect();
        Ok(Self {
            generation,
            signer,
            subject,
            next_id,
            manifest_generation,
            publications,
            seen,
        })
    }
}

crate::secret::opaque_debug!(Account<S>, Accepted);
