//! A session (spec sections 5 and 8): encrypt, decrypt, prepare and commit, facts, export, state.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::crypto::dh::PublicKey;
use crate::crypto::hash::{Hash, expand_into, hash};
use crate::error::{Error, Result};
use crate::handshake::Established;
use crate::identity::{IdentityId, Peer, Subject};
use crate::labels;
use crate::limits::{MAX_EXPORT, MAX_PLAINTEXT, VERSION};
use crate::ratchet::Role;
use crate::ratchet::triple::{Context, TripleRatchet};
use crate::secret::{Secret, Wiped};
use crate::state::{self, StateKey, StateKind};
use crate::wire::codec::{Decode, Encode, Reader, Sink, bytes16, structure};
use crate::wire::initial::{FirstFlight, InitialMessage, TYPE_INITIAL};
use crate::wire::message::Slots;
use crate::wire::padding::Padding;

/// A decrypted message: the plaintext together with the authenticated peer it came from.
#[must_use = "a plaintext without its sender means nothing"]
pub struct Opened {
    peer: Peer,
    plaintext: Wiped,
}

/// How a session was opened, as far as it still matters.
enum Opening {
    /// Nothing more to remember: an initiator whose peer has answered.
    Done,
    /// An initiator repeats its first flight until it is answered (M-HS-03).
    Unanswered(Vec<u8>),
    /// A responder knows its own first flight when it comes again. Boxed: the bytes that a smaller variant leaves unused
    /// would take pieces of the stack along to the heap.
    Accepted(Box<AcceptedFlight>),
}

/// The initiator's ephemeral key `EK` and the hash of its first flight.
struct AcceptedFlight {
    ephemeral: PublicKey,
    hash: Hash,
}

/// A conversation with one peer device.
pub struct Session(Box<Inner>);

/// Boxed, so that moving a session smears no secrets over the stack.
struct Inner {
    generation: u64,
    failed: bool,
    own: IdentityId,
    peer: Peer,
    exporter: Secret<32>,
    used_onetime: bool,
    opening: Opening,
    ratchet: TripleRatchet,
}

/// What an application can know about a session.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// The authenticated peer.
    pub peer: Peer,
    /// The same 32 bytes on both sides, unique to the session. Not a secret, but do not publish it.
    pub session_id: [u8; 32],
    /// Which side this is.
    pub role: Role,
    /// Codewords in each message.
    pub slots: Slots,
    /// Newest completed post-quantum epoch; 0 is the handshake's.
    pub epoch: u32,
    /// Messages sent and received since that epoch's key: high when the peer does not answer.
    pub messages_since_epoch: u32,
    /// Whether the handshake used a one-time prekey: without one, a stolen signed prekey opens its first messages.
    pub used_one_time_prekey: bool,
    /// Whether the peer has sent anything in this session.
    pub peer_has_answered: bool,
    /// Whether the post-quantum agreement broke and the session has ended.
    pub failed: bool,
    /// Keys held for messages that have not come: classical, post-quantum.
    pub skipped: (usize, usize),
    /// Grows with every change of the state.
    pub generation: u64,
}

/// A change that is computed and not made yet: persist [`Pending::state`], with [`Pending::output`] in the same
/// transaction, then [`Session::commit`].
#[must_use = "nothing has changed before `commit`"]
pub struct Pending<T> {
    base: u64,
    next: Session,
    output: Result<T>,
}

impl Opened {
    fn new(peer: Peer, plaintext: Wiped) -> Self {
        Self { peer, plaintext }
    }

    /// The same message with the last `length` bytes of its plaintext only.
    pub(crate) fn last(mut self, length: usize) -> Self {
        let cut = self.plaintext.len().saturating_sub(length);
        self.plaintext.drain(..cut);
        self
    }

    /// Who sent it.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What was sent.
    pub fn plaintext(&self) -> &[u8] {
        &self.plaintext
    }

    /// Both, together. The plaintext is no longer wiped on drop.
    pub fn into_parts(mut self) -> (Peer, Vec<u8>) {
        (self.peer, core::mem::take(&mut *self.plaintext))
    }
}

impl Session {
    /// The initiator's session.
    pub(crate) fn initiated(
        own: IdentityId,
        established: Established,
        flight: &FirstFlight,
    ) -> Self {
        Self::new(own, established, Opening::Unanswered(flight.to_vec()))
    }

    /// The responder's session.
    pub(crate) fn accepted(
        own: IdentityId,
        established: Established,
        initial: &InitialMessage<'_>,
    ) -> Self {
        let flight = AcceptedFlight {
            ephemeral: initial.flight.ephemeral,
            hash: hash(labels::FIRST_FLIGHT, &[initial.flight_bytes]),
        };
        Self::new(own, established, Opening::Accepted(Box::new(flight)))
    }

    fn new(own: IdentityId, established: Established, opening: Opening) -> Self {
        let Established {
            peer,
            ratchet,
            exporter,
            used_onetime,
        } = established;
        Self(Box::new(Inner {
            generation: 0,
            failed: false,
            own,
            peer,
            exporter,
            used_onetime,
            opening,
            ratchet,
        }))
    }

    /// Encrypts with the default padding and no associated data.
    ///
    /// # Errors
    /// As [`Session::encrypt_with`].
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &mut self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>> {
        self.encrypt_with(plaintext, &[], Padding::default(), rng)
    }

    /// Encrypts `plaintext` (at most 16 MiB). `ad` is authenticated and not sent: the receiver must give the same.
    ///
    /// The state changes: it must be on disk before the message leaves. [`Session::prepare_encrypt`] makes that a
    /// property of the program.
    ///
    /// # Errors
    /// [`Error::Limit`] above 16 MiB or at the end of a chain; [`Error::Randomness`]; [`Error::AgreementFailed`] when
    /// the session has ended; [`Error::Malformed`] when the peer's ratchet key does not contribute. Nothing
    /// has changed then.
    pub fn encrypt_with<R: TryCryptoRng + ?Sized>(
        &mut self,
        plaintext: &[u8],
        ad: &[u8],
        padding: Padding,
        rng: &mut R,
    ) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(self.message_len(plaintext.len(), padding)?);
        let inner = &mut *self.0;
        if let Opening::Unanswered(flight) = &inner.opening {
            out.extend_from_slice(flight);
        }
        inner
            .ratchet
            .encrypt(plaintext, ad, padding, &mut out, rng)?;
        inner.generation = inner.generation.saturating_add(1);
        Ok(out)
    }

    /// The exact length of the next message, for a plaintext of `plaintext_len` bytes: the padded plaintext, what every
    /// message adds, and an initiator's first flight as long as the peer has not answered (spec section 5.4, M-HS-03).
    ///
    /// # Errors
    /// [`Error::AgreementFailed`] when the session has ended; [`Error::Limit`] above 16 MiB.
    pub fn message_len(&self, plaintext_len: usize, padding: Padding) -> Result<usize> {
        let inner = &*self.0;
        if inner.failed {
            return Err(Error::AgreementFailed);
        }
        if plaintext_len > MAX_PLAINTEXT {
            return Err(Error::Limit);
        }
        let flight = match &inner.opening {
            Opening::Unanswered(flight) => flight.len(),
            Opening::Done | Opening::Accepted(_) => 0,
        };
        let message = inner.ratchet.context().slots.overhead();
        Ok(flight + message + padding.padded_len(plaintext_len))
    }

    /// Decrypts a message that was sent without associated data.
    ///
    /// # Errors
    /// As [`Session::decrypt_with`].
    pub fn decrypt(&mut self, message: &[u8]) -> Result<Opened> {
        self.decrypt_with(message, &[])
    }

    /// Decrypts a message with the associated data it was sent with.
    ///
    /// # Errors
    /// [`Error::Authentication`], [`Error::Duplicate`], [`Error::TooOld`], [`Error::TooFarAhead`], [`Error::Version`],
    /// [`Error::Malformed`]: nothing has changed. [`Error::AgreementFailed`]: the session has ended, which is a change.
    pub fn decrypt_with(&mut self, message: &[u8], ad: &[u8]) -> Result<Opened> {
        let inner = &*self.0;
        if inner.failed {
            return Err(Error::AgreementFailed);
        }
        let message = inner.inner_message(message)?;
        self.open(message, ad)
    }

    /// Decrypts the message in the initial message that this session was accepted from.
    ///
    /// # Errors
    /// As [`Session::decrypt_with`].
    pub(crate) fn decrypt_first(
        &mut self,
        initial: &InitialMessage<'_>,
        ad: &[u8],
    ) -> Result<Opened> {
        self.open(initial.message, ad)
    }

    fn open(&mut self, message: &[u8], ad: &[u8]) -> Result<Opened> {
        let inner = &mut *self.0;
        let result = inner.ratchet.decrypt(message, ad);
        match result {
            Ok(_) if matches!(inner.opening, Opening::Unanswered(_)) => {
                inner.opening = Opening::Done
            }
            Err(Error::AgreementFailed) => inner.failed = true,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        inner.generation = inner.generation.saturating_add(1);
        result.map(|plaintext| Opened::new(inner.peer.clone(), plaintext))
    }

    /// Computes an encryption without making it: store [`Pending::state`], then [`Session::commit`] gives the
    /// ciphertext. Dropping it changes nothing.
    ///
    /// # Errors
    /// As [`Session::encrypt_with`].
    pub fn prepare_encrypt<R: TryCryptoRng + ?Sized>(
        &self,
        plaintext: &[u8],
        ad: &[u8],
        padding: Padding,
        rng: &mut R,
    ) -> Result<Pending<Vec<u8>>> {
        let mut next = self.duplicate()?;
        let output = Ok(next.encrypt_with(plaintext, ad, padding, rng)?);
        Ok(Pending {
            base: self.generation(),
            next,
            output,
        })
    }

    /// Computes a decryption without making it: store [`Pending::state`], then [`Session::commit`] gives the plaintext.
    ///
    /// # Errors
    /// As [`Session::decrypt_with`], but for [`Error::AgreementFailed`] of this very message: it changes the state,
    /// so it comes out of [`Session::commit`].
    pub fn prepare_decrypt(&self, message: &[u8], ad: &[u8]) -> Result<Pending<Opened>> {
        let mut next = self.duplicate()?;
        let output = next.decrypt_with(message, ad);
        match output {
            // The end of a session is a change too: it is prepared and committed like any other.
            Err(error) if !next.0.failed || self.0.failed => Err(error),
            output => Ok(Pending {
                base: self.generation(),
                next,
                output,
            }),
        }
    }

    /// Makes a prepared change and releases its result.
    ///
    /// # Errors
    /// [`Error::Stale`] when the session has changed since `pending` was prepared, or it is another session's: nothing
    /// has changed. [`Error::AgreementFailed`] when the prepared message has ended the session.
    pub fn commit<T>(&mut self, pending: Pending<T>) -> Result<T> {
        let same = pending.next.id() == self.id() && pending.next.0.own == self.0.own;
        if pending.base != self.generation() || !same {
            return Err(Error::Stale);
        }
        *self = pending.next;
        pending.output
    }

    /// Dates the keys held for messages that have not come, and deletes those of 30 days. Call it about once
    /// a day with the time in Unix seconds.
    pub fn maintain(&mut self, now: u64) {
        self.0.ratchet.maintain(now);
        self.0.generation = self.0.generation.saturating_add(1);
    }

    /// What there is to know about the session.
    pub fn facts(&self) -> Facts {
        let inner = &*self.0;
        let context = inner.ratchet.context();
        Facts {
            peer: inner.peer.clone(),
            session_id: context.session_id,
            role: context.role,
            slots: context.slots,
            epoch: inner.ratchet.epoch(),
            messages_since_epoch: inner.ratchet.since_epoch(),
            used_one_time_prekey: inner.used_onetime,
            peer_has_answered: !matches!(inner.opening, Opening::Unanswered(_)),
            failed: inner.failed,
            skipped: inner.ratchet.skipped(),
            generation: inner.generation,
        }
    }

    /// The authenticated peer.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// The initiator's ephemeral key `EK`, on the side that accepted (section 4.3).
    pub(crate) fn accepted_ephemeral(&self) -> Option<&PublicKey> {
        match &self.0.opening {
            Opening::Accepted(flight) => Some(&flight.ephemeral),
            _ => None,
        }
    }

    /// Whether first flights still go before the messages (M-HS-03).
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.0.opening, Opening::Unanswered(_))
    }

    /// Whether the post-quantum agreement broke.
    pub(crate) fn is_failed(&self) -> bool {
        self.0.failed
    }

    /// The session's id, the same on both sides.
    pub fn id(&self) -> &[u8; 32] {
        &self.0.ratchet.context().session_id
    }

    /// Grows with every change of the state.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// A secret of `length` bytes (1 to 8,160) for another protocol, the same on both sides for the same `label` and
    /// `context` (spec section 5.7). It depends on the handshake only.
    ///
    /// # Errors
    /// [`Error::Limit`] for another length, and for a label or context above 16 MiB.
    pub fn export_secret(
        &self,
        label: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>> {
        if !(1..=MAX_EXPORT).contains(&length) || label.len().max(context.len()) > MAX_PLAINTEXT {
            return Err(Error::Limit);
        }
        let context = hash(labels::EXPORT_CONTEXT, &[label, context]);
        let mut secret = Zeroizing::new(alloc::vec![0; length]);
        expand_into(
            &self.0.exporter,
            labels::EXPORTER,
            [&context, &[]],
            &mut secret,
        )?;
        Ok(secret)
    }

    /// The state, sealed under the application's key (spec section 8.1).
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn export<R: TryCryptoRng + ?Sized>(&self, key: &StateKey, rng: &mut R) -> Result<Vec<u8>> {
        state::seal(key, StateKind::Session, self.generation(), self, rng)
    }

    /// Restores a state that is not older than `minimum_generation`.
    ///
    /// # Errors
    /// [`Error::Rollback`], [`Error::Authentication`], [`Error::Version`], [`Error::Malformed`].
    pub fn import(key: &StateKey, sealed: &[u8], minimum_generation: u64) -> Result<Self> {
        let state = state::open(key, StateKind::Session, sealed, minimum_generation)?;
        Self::from_state(&state)
    }

    /// The state in the clear, for a store that seals it itself. Secret.
    pub fn to_state(&self) -> Zeroizing<Vec<u8>> {
        self.0.to_secret_vec()
    }

    /// Restores a state from [`Session::to_state`].
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Malformed`].
    pub fn from_state(state: &[u8]) -> Result<Self> {
        Decode::from_bytes(state).map(Self)
    }

    /// For simulations of an attacker: this state's post-quantum part with the classical part of `other`, another copy of
    /// the same session. It is what a thief of this state knows who also breaks X25519 while `other` lives on.
    #[cfg(feature = "hazmat")]
    #[doc(hidden)]
    pub fn with_classical_part_of(mut self, other: Self) -> Self {
        self.0.ratchet.take_classical(other.0.ratchet);
        self
    }

    /// A second copy, through the canonical encoding: there is no `Clone`.
    fn duplicate(&self) -> Result<Self> {
        Self::from_state(&self.to_state())
    }
}

impl<T> Pending<T> {
    /// The state to persist before [`Session::commit`], sealed under the application's key.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn state<R: TryCryptoRng + ?Sized>(&self, key: &StateKey, rng: &mut R) -> Result<Vec<u8>> {
        self.next.export(key, rng)
    }

    /// The generation of that state.
    pub fn generation(&self) -> u64 {
        self.next.generation()
    }

    /// What the change yields, to be stored in one transaction with [`Pending::state`]: the ciphertext in an outbox, or
    /// the plaintext in an inbox. Without that, a crash between storing and [`Session::commit`] loses it. Do nothing
    /// else with it before that. `None` when the message has ended the session.
    pub fn output(&self) -> Option<&T> {
        self.output.as_ref().ok()
    }
}

impl Inner {
    /// The ratchet message in what arrived: a responder takes its first flight off (section 4.3).
    fn inner_message<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        if bytes.get(..2) != Some(&[VERSION, TYPE_INITIAL]) {
            return Ok(bytes);
        }
        let Opening::Accepted(flight) = &self.opening else {
            return Err(Error::Authentication);
        };
        let initial = InitialMessage::from_bytes(bytes)?;
        // The hash costs more than trying the header keys: only for a flight that claims to be ours, before a message
        // that is not forged.
        let ours = flight.ephemeral == initial.flight.ephemeral
            && !self.ratchet.is_forged(initial.message)
            && flight.hash == hash(labels::FIRST_FLIGHT, &[initial.flight_bytes]);
        if ours {
            Ok(initial.message)
        } else {
            Err(Error::Authentication)
        }
    }
}

structure!(AcceptedFlight { ephemeral, hash });

impl Opening {
    /// Whether it fits a session of this role and these slots, as every decoded state must.
    fn check(&self, role: Role, slots: Slots) -> Result<()> {
        let fits = match self {
            Self::Done => role == Role::Initiator,
            Self::Unanswered(flight) => {
                role == Role::Initiator && FirstFlight::from_bytes(flight)?.slots == slots
            }
            Self::Accepted(_) => role == Role::Responder,
        };
        if fits { Ok(()) } else { Err(Error::Malformed) }
    }
}

impl Encode for Opening {
    fn encode(&self, out: &mut impl Sink) {
        match self {
            Self::Done => 0u8.encode(out),
            Self::Unanswered(flight) => {
                1u8.encode(out);
                bytes16::encode(flight, out);
            }
            Self::Accepted(flight) => {
                2u8.encode(out);
                flight.encode(out);
            }
        }
    }
}

impl Decode for Opening {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(match u8::decode(input)? {
            0 => Self::Done,
            1 => Self::Unanswered(bytes16::decode(input)?),
            2 => Self::Accepted(Box::new(Decode::decode(input)?)),
            _ => return Err(Error::Malformed),
        })
    }
}

impl Encode for Session {
    fn encode(&self, out: &mut impl Sink) {
        self.0.encode(out);
    }
}

impl Decode for Session {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Decode::decode(input).map(Self)
    }
}

impl Encode for Inner {
    fn encode(&self, out: &mut impl Sink) {
        let context = self.ratchet.context();
        StateKind::Session.encode_start(self.generation, out);
        context.role.encode(out);
        context.slots.encode(out);
        self.failed.encode(out);
        self.own.encode(out);
        self.peer.identity.encode(out);
        self.peer.subject.encode(out);
        context.session_id.encode(out);
        context.th.encode(out);
        self.exporter.encode(out);
        self.used_onetime.encode(out);
        self.ratchet.since_epoch().encode(out);
        self.opening.encode(out);
        self.ratchet.encode(out);
    }
}

impl Decode for Inner {
    /// Checks the rules of section 8.2.
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let generation = StateKind::Session.decode_start(input)?;
        let (role, slots): (Role, Slots) = (Decode::decode(input)?, Decode::decode(input)?);
        let failed = Decode::decode(input)?;
        let own = Decode::decode(input)?;
        let (identity, subject): (IdentityId, Subject) =
            (Decode::decode(input)?, Decode::decode(input)?);
        let (session_id, th) = (Decode::decode(input)?, Decode::decode(input)?);
        let (exporter, used_onetime) = (Decode::decode(input)?, Decode::decode(input)?);
        let since_epoch = Decode::decode(input)?;
        let opening = Opening::decode(input)?;
        opening.check(role, slots)?;
        if identity == own {
            return Err(Error::Malformed);
        }
        let context = Context {
            role,
            slots,
            session_id,
            th,
        };
        let ratchet = TripleRatchet::decode(input, context, since_epoch)?;
        let peer = Peer { identity, subject };
        Ok(Self {
            generation,
            failed,
            own,
            peer,
            exporter,
            used_onetime,
            opening,
            ratchet,
        })
    }
}

crate::secret::opaque_debug!(Opened, Session, Pending<T>);
