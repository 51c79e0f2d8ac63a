//! All sessions with one peer device (spec section 10): which one sends, which one opens, when to start anew.
//!
//! Both devices may start a session at the same time, and either may start again after a loss. Every session has
//! a rank that its initiator chose, both sides know it, and both send on the session that is first in one
//! order. No negotiation: who knows the same sessions makes the same choice.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::account::{Accepted, Account, InitiateOptions};
use crate::error::{Error, Result};
use crate::identity::{AccountSigner, IdentityId, Peer};
use crate::limits::{MANIFEST_LIFETIME, MAX_ARCHIVE, MAX_PLAINTEXT, RESET_PERIOD};
use crate::prekey::PrekeyBundle;
use crate::session::{Facts, Opened, Session};
use crate::state::{self, StateKey, StateKind};
use crate::wire::codec::{Decode, Encode, Reader, Sink, list8, structure};
use crate::wire::frame::Frame;
use crate::wire::initial::{InitialMessage, TYPE_INITIAL};
use crate::wire::padding::Padding;

/// A peer device: its identity and all sessions with it.
pub struct Contact {
    generation: u64,
    /// The identity that messages are sent to.
    identity: IdentityId,
    /// Another identity that was seen in its place, until the user decides.
    changed: Option<IdentityId>,
    verified: bool,
    last_reset: u64,
    /// Best first (M-CT-03).
    sessions: Vec<Ranked>,
    /// Not in the state: sessions started here rank above it.
    floor: u64,
}

/// A session and the place its initiator gave it.
struct Ranked {
    rank: u64,
    session: Session,
}

/// What the application is to be told, and mostly what the user is to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The peer started a session; `sends` if it is the one we send on now.
    NewSession {
        /// The session's id.
        session_id: [u8; 32],
        /// Whether messages are sent on it from now on.
        sends: bool,
    },
    /// The peer gave up the former session and started this one: messages may have been lost. Show the user.
    SessionReset {
        /// The new session's id.
        session_id: [u8; 32],
    },
    /// The post-quantum agreement of a session broke: the message is lost, [`Contact::reset`] starts anew.
    SessionFailed {
        /// The session's id.
        session_id: [u8; 32],
    },
    /// The archive was full: this session's remaining messages can no longer be read.
    SessionEvicted {
        /// The session's id.
        session_id: [u8; 32],
    },
    /// The peer shows another identity. Nothing is sent before [`Contact::acknowledge`] or [`Contact::reject`].
    IdentityChanged {
        /// The identity known so far.
        from: IdentityId,
        /// The identity seen now.
        to: IdentityId,
    },
    /// An authenticated message was not of the form of section 10.1: the peer does not use contacts.
    Unreadable,
}

/// How far the user trusts an author's identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// The safety number was compared.
    Verified,
    /// The identity known for this contact; nobody compared the safety number.
    Unverified,
    /// Not the identity known for this contact: a change that awaits a decision, or the former identity.
    Other,
}

/// What came out of a message.
#[must_use]
#[derive(Debug)]
pub struct Received {
    /// The plaintext with its author; none for a reset, or when an event says why.
    pub opened: Option<Opened>,
    /// Who wrote it: the peer of the message's session, also when there is no plaintext.
    pub author: Peer,
    /// How far the author's identity is trusted.
    pub trust: Trust,
    /// What happened besides.
    pub events: Vec<Event>,
}

impl Contact {
    /// A contact without sessions.
    pub fn new(identity: IdentityId) -> Self {
        Self {
            generation: 0,
            identity,
            changed: None,
            verified: false,
            last_reset: 0,
            sessions: Vec::new(),
            floor: 0,
        }
    }

    /// Starts a session and encrypts its first message. With a session to send on already, this is a reset
    /// with content: [`Contact::reset`] says when it is allowed.
    ///
    /// # Errors
    /// Those of [`Account::initiate_with`] and of [`Contact::reset`]. Nothing has changed then.
    pub fn initiate<S: AccountSigner, R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &mut Account<S>,
        bundle: &PrekeyBundle,
        plaintext: &[u8],
        options: InitiateOptions<'_>,
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<u8>> {
        let frame = |rank| Frame::Opening {
            rank,
            payload: plaintext,
        };
        self.start(account, bundle, frame, options, now, rng)
    }

    /// Gives up the session and starts another, with a message that tells the peer so: for a session that
    /// failed, or whose messages the peer cannot read. At most one in an hour (spec M-CT-06).
    ///
    /// # Errors
    /// [`Error::Limit`] within an hour of the last reset; [`Error::IdentityChanged`] while a change awaits a decision, or
    /// when the bundle is another identity's (see [`Contact::observe`]); those of [`Account::initiate_with`].
    /// Nothing has changed then.
    pub fn reset<S: AccountSigner, R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &mut Account<S>,
        bundle: &PrekeyBundle,
        options: InitiateOptions<'_>,
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<u8>> {
        self.start(
            account,
            bundle,
            |rank| Frame::Reset { rank },
            options,
            now,
            rng,
        )
    }

    fn start<'a, S: AccountSigner, R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &mut Account<S>,
        bundle: &PrekeyBundle,
        frame: impl FnOnce(u64) -> Frame<'a>,
        options: InitiateOptions<'_>,
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<u8>> {
        if self.changed.is_some() || bundle.unverified_identity() != self.identity {
            return Err(Error::IdentityChanged);
        }
        let rank = now.max(self.highest_rank().saturating_add(1));
        let frame = frame(rank);
        let is_reset = matches!(frame, Frame::Reset { .. }) || self.sending().is_some();
        if is_reset && self.last_reset != 0 && now.abs_diff(self.last_reset) < RESET_PERIOD {
            return Err(Error::Limit);
        }
        let plaintext = frame.to_plaintext();
        let (session, message) = account.initiate_with(bundle, &plaintext, options, now, rng)?;
        if is_reset {
            self.last_reset = now;
        }
        // The session evicted, if any, shows in `sessions`; its messages are answered as `Authentication`.
        let _evicted = self.insert(Ranked { rank, session });
        self.touch();
        Ok(message)
    }

    /// Encrypts for the peer, with the default padding and no associated data.
    ///
    /// # Errors
    /// As [`Contact::send_with`].
    pub fn send<R: TryCryptoRng + ?Sized>(
        &mut self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>> {
        self.send_with(plaintext, &[], Padding::default(), rng)
    }

    /// Encrypts for the peer on the session both sides prefer. The state must be on disk before the message leaves.
    ///
    /// # Errors
    /// [`Error::NoSession`]: [`Contact::initiate`] first. [`Error::IdentityChanged`] while a change awaits a decision.
    /// [`Error::AgreementFailed`]: [`Contact::reset`]. [`Error::Limit`] above 16 MiB − 9 bytes; those of
    /// [`Session::encrypt_with`]. Nothing has changed then.
    pub fn send_with<R: TryCryptoRng + ?Sized>(
        &mut self,
        plaintext: &[u8],
        ad: &[u8],
        padding: Padding,
        rng: &mut R,
    ) -> Result<Vec<u8>> {
        if self.changed.is_some() {
            return Err(Error::IdentityChanged);
        }
        if plaintext.len() > MAX_PLAINTEXT.saturating_sub(Frame::OVERHEAD) {
            return Err(Error::Limit);
        }
        let identity = self.identity;
        let best = self
            .sessions
            .iter_mut()
            .find(|ranked| ranked.session.peer().identity == identity)
            .ok_or(Error::NoSession)?;
        let frame = if best.session.is_unanswered() {
            Frame::Opening {
                rank: best.rank,
                payload: plaintext,
            }
        } else {
            Frame::Data { payload: plaintext }
        };
        let message = best
            .session
            .encrypt_with(&frame.to_plaintext(), ad, padding, rng)?;
        self.touch();
        Ok(message)
    }

    /// Whether a session here was accepted with the first flight that `message` carries: then
    /// [`Contact::receive`] opens it, and [`Account::accept`] would refuse it.
    pub fn owns(&self, message: &[u8]) -> bool {
        let Ok(initial) = InitialMessage::from_bytes(message) else {
            return false;
        };
        let ephemeral = Some(&initial.flight.ephemeral);
        self.sessions
            .iter()
            .any(|ranked| ranked.session.accepted_ephemeral() == ephemeral)
    }

    /// Opens a message that was sent without associated data.
    ///
    /// # Errors
    /// As [`Contact::receive_with`].
    pub fn receive(&mut self, message: &[u8]) -> Result<Received> {
        self.receive_with(message, &[])
    }

    /// Opens a message of any session here: an initial message by its first flight, others by trial, the best
    /// session first, at most 9 sessions.
    ///
    /// # Errors
    /// [`Error::NoSession`]: an initial message of a new session, for [`Account::accept_with`] and then
    /// [`Contact::adopt`]; or there is no session. [`Error::AgreementFailed`]: nothing opened it, and the session to send
    /// on has failed: it may be the one it is for. Those of [`Session::decrypt_with`]. Nothing has changed then.
    pub fn receive_with(&mut self, message: &[u8], ad: &[u8]) -> Result<Received> {
        let ephemeral = match message.get(1) {
            Some(&TYPE_INITIAL) => Some(InitialMessage::from_bytes(message)?.flight.ephemeral),
            _ => None,
        };
        let sending = self.sending().map(|session| *session.id());
        let mut refusal = Error::NoSession;
        for Ranked { rank, session } in &mut self.sessions {
            if ephemeral.is_some() && session.accepted_ephemeral() != ephemeral.as_ref() {
                continue;
            }
            let had_failed = session.is_failed();
            let (opened, event) = match session.decrypt_with(message, ad) {
                Ok(opened) => match unframe(opened) {
                    // Overtaken by a later message of its session, which brought the session here.
                    Some((_, Some(announced), true)) if announced == *rank => {
                        let session_id = *session.id();
                        (None, Some(Event::SessionReset { session_id }))
                    }
                    Some((opened, Some(announced), _)) if announced == *rank => (opened, None),
                    Some((opened, None, _)) => (opened, None),
                    _ => (None, Some(Event::Unreadable)),
                },
                Err(Error::AgreementFailed) if !had_failed => {
                    let session_id = *session.id();
                    (None, Some(Event::SessionFailed { session_id }))
                }
                Err(Error::AgreementFailed) => {
                    if sending == Some(*session.id()) {
                        refusal = Error::AgreementFailed;
                    }
                    continue;
                }
                Err(error @ (Error::Authentication | Error::Malformed)) => {
                    // A message is malformed for a session with more slots: the others decide.
                    if matches!(refusal, Error::NoSession | Error::Malformed) {
                        refusal = error;
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            let author = session.peer().clone();
            self.touch();
            return Ok(Received {
                opened,
                trust: self.trust(&author.identity),
                author,
                events: event.into_iter().collect(),
            });
        }
        Err(refusal)
    }

    /// Takes over a session that [`Account::accept_with`] made of an initial message, with its first message. When the
    /// session's peer is not this contact's identity, giving it here says that the peer has changed its
    /// identity. `now` in Unix seconds: a session that claims a rank of more than 28 days after it is not kept
    /// ([`Event::Unreadable`]), so that nobody can claim a place that no later session reaches. A session that is held
    /// already (the contact was stored, the account was not) stays as it is.
    pub fn adopt(&mut self, accepted: Accepted, now: u64) -> Received {
        let Accepted { session, opened } = accepted;
        let (author, session_id) = (session.peer().clone(), *session.id());
        let mut events = Vec::new();
        let mut content = None;
        let latest = now.saturating_add(MANIFEST_LIFETIME);
        if let Some((opened, Some(rank), reset)) = unframe(opened)
            && rank <= latest
            && self.held(&session_id).is_none_or(|held| held == rank)
        {
            content = opened;
            events.extend(self.observe(author.identity));
            let evicted = self.insert(Ranked { rank, session });
            let sends = self.sending().is_some_and(|best| *best.id() == session_id);
            events.push(Event::NewSession { session_id, sends });
            if reset {
                events.push(Event::SessionReset { session_id });
            }
            events.extend(evicted.map(|session_id| Event::SessionEvicted { session_id }));
        } else {
            events.push(Event::Unreadable);
        }
        self.touch();
        Received {
            opened: content,
            trust: self.trust(&author.identity),
            author,
            events,
        }
    }

    /// Says which identity the peer shows now, in a directory or a bundle. Another one than before is an event, and
    /// stops sending until the user has decided.
    pub fn observe(&mut self, identity: IdentityId) -> Option<Event> {
        if identity == self.identity {
            return None;
        }
        if self.changed != Some(identity) {
            self.changed = Some(identity);
            self.touch();
        }
        Some(Event::IdentityChanged {
            from: self.identity,
            to: identity,
        })
    }

    /// The user accepts the changed identity. It is not verified; sessions with the former one only receive.
    ///
    /// # Errors
    /// [`Error::IdentityChanged`] unless `identity` is the one that awaits a decision.
    pub fn acknowledge(&mut self, identity: IdentityId) -> Result<()> {
        if self.changed != Some(identity) {
            return Err(Error::IdentityChanged);
        }
        self.identity = identity;
        self.changed = None;
        self.verified = false;
        self.touch();
        Ok(())
    }

    /// The user refuses the changed identity: its sessions are deleted, sending goes on to the former one.
    pub fn reject(&mut self) {
        if let Some(refused) = self.changed.take() {
            self.sessions
                .retain(|ranked| ranked.session.peer().identity != refused);
            self.touch();
        }
    }

    /// Records whether the user has compared the safety number of `identity`.
    ///
    /// # Errors
    /// [`Error::IdentityChanged`] unless that is [`Contact::identity`]: it may have changed while the user compared.
    pub fn set_verified(&mut self, identity: IdentityId, verified: bool) -> Result<()> {
        if identity != self.identity {
            return Err(Error::IdentityChanged);
        }
        self.verified = verified;
        self.touch();
        Ok(())
    }

    /// How far `author` is trusted as this contact.
    pub fn trust(&self, author: &IdentityId) -> Trust {
        match (*author == self.identity, self.verified) {
            (false, _) => Trust::Other,
            (true, true) => Trust::Verified,
            (true, false) => Trust::Unverified,
        }
    }

    /// The identity messages are sent to.
    pub fn identity(&self) -> IdentityId {
        self.identity
    }

    /// The identity that awaits the user's decision.
    pub fn changed_identity(&self) -> Option<IdentityId> {
        self.changed
    }

    /// The session messages are sent on.
    pub fn sending(&self) -> Option<&Session> {
        self.sessions
            .iter()
            .map(|ranked| &ranked.session)
            .find(|session| session.peer().identity == self.identity)
    }

    /// The facts of all sessions, best first.
    pub fn sessions(&self) -> impl Iterator<Item = Facts> + '_ {
        self.sessions.iter().map(|ranked| ranked.session.facts())
    }

    /// The highest rank known: of the sessions here, or the floor.
    pub fn highest_rank(&self) -> u64 {
        let best = self.sessions.first().map_or(0, |best| best.rank);
        best.max(self.floor)
    }

    /// Sessions started from now on rank above `rank`: the [`Contact::highest_rank`] of a contact whose sessions were given
    /// up and that the peer may still have. It is not in the state; whoever needs it keeps it and sets it again.
    pub fn set_rank_floor(&mut self, rank: u64) {
        self.floor = rank;
    }

    /// Grows with every change of the state.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Deletes keys of 30 days, as [`Session::maintain`], in all sessions.
    pub fn maintain(&mut self, now: u64) {
        for ranked in &mut self.sessions {
            ranked.session.maintain(now);
        }
        self.touch();
    }

    /// The state, sealed under the application's key (spec section 8.1, kind 3).
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn export<R: TryCryptoRng + ?Sized>(&self, key: &StateKey, rng: &mut R) -> Result<Vec<u8>> {
        state::seal(key, StateKind::Contact, self.generation, self, rng)
    }

    /// Restores a state that is not older than `minimum_generation`.
    ///
    /// # Errors
    /// [`Error::Rollback`], [`Error::Authentication`], [`Error::Version`], [`Error::Malformed`].
    pub fn import(key: &StateKey, sealed: &[u8], minimum_generation: u64) -> Result<Self> {
        let state = state::open(key, StateKind::Contact, sealed, minimum_generation)?;
        Self::from_state(&state)
    }

    /// The state in the clear, for a store that seals it itself. Secret.
    pub fn to_state(&self) -> Zeroizing<Vec<u8>> {
        self.to_secret_vec()
    }

    /// Restores a state from [`Contact::to_state`].
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Malformed`].
    pub fn from_state(state: &[u8]) -> Result<Self> {
        Decode::from_bytes(state)
    }

    /// The rank of a session here.
    fn held(&self, id: &[u8; 32]) -> Option<u64> {
        let mut sessions = self.sessions.iter();
        sessions
            .find(|held| held.session.id() == id)
            .map(|held| held.rank)
    }

    /// M-CT-03 and -05: puts a session in its place, unless it is here already; the id of one that had to go.
    fn insert(&mut self, ranked: Ranked) -> Option<[u8; 32]> {
        if self.held(ranked.session.id()).is_some() {
            return None;
        }
        let place = self
            .sessions
            .partition_point(|held| held.key() < ranked.key());
        self.sessions.insert(place, ranked);
        if self.sessions.len() <= MAX_ARCHIVE.saturating_add(1) {
            return None;
        }
        let sending = self.sending().map(|session| *session.id());
        let last = self
            .sessions
            .iter()
            .rposition(|held| Some(held.session.id()) != sending.as_ref())?;
        Some(*self.sessions.remove(last).session.id())
    }

    fn touch(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }
}

impl Ranked {
    /// The order of M-CT-03: ascending keys are best first.
    fn key(&self) -> (core::cmp::Reverse<u64>, &[u8; 32]) {
        (core::cmp::Reverse(self.rank), self.session.id())
    }
}

/// Takes the frame off: the content (none for a reset), the rank of an opening, whether it is a reset. None for
/// anything else.
fn unframe(opened: Opened) -> Option<(Option<Opened>, Option<u64>, bool)> {
    let (length, rank, reset) = match Frame::from_bytes(opened.plaintext()).ok()? {
        Frame::Data { payload } => (payload.len(), None, false),
        Frame::Opening { rank, payload } => (payload.len(), Some(rank), false),
        Frame::Reset { rank } => return Some((None, Some(rank), true)),
    };
    Some((Some(opened.last(length)), rank, reset))
}

structure!(Ranked { rank, session });

impl Encode for Contact {
    fn encode(&self, out: &mut impl Sink) {
        StateKind::Contact.encode_start(self.generation, out);
        self.identity.encode(out);
        self.changed.encode(out);
        self.verified.encode(out);
        self.last_reset.encode(out);
        list8::encode(&self.sessions, out);
    }
}

impl Decode for Contact {
    /// Checks the rules of section 10.4.
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let generation = StateKind::Contact.decode_start(input)?;
        let (identity, changed) = (Decode::decode(input)?, Decode::decode(input)?);
        let (verified, last_reset) = (Decode::decode(input)?, Decode::decode(input)?);
        let sessions: Vec<Ranked> = list8::decode(input)?;
        let ordered = sessions.is_sorted_by(|a, b| a.key() < b.key());
        if !ordered || sessions.len() > MAX_ARCHIVE.saturating_add(1) || changed == Some(identity) {
            return Err(Error::Malformed);
        }
        Ok(Self {
            generation,
            identity,
            changed,
            verified,
            last_reset,
            sessions,
            floor: 0,
        })
    }
}

crate::secret::opaque_debug!(Contact);
