//! Two sessions as a machine of events, and what must hold whatever happens:
//!
//! * what is opened is what was sent, with the sender's identity and its associated data, and at most once in one history
//!   of a state;
//! * an error leaves the state's bytes as they were (a broken agreement ends the session, and nothing more);
//! * while no state was put back, every message that was not delivered yet opens, within the limits of section 7;
//! * no two messages are encrypted under one key and nonce, also after a state was put back; and no two under one key
//!   while none was, which is seen by giving all of them one nonce;
//! * nothing panics.

use std::collections::{BTreeSet, HashSet};
use std::convert::Infallible;
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use marline::hazmat::message::Parts;
use marline::hazmat::{self};
use marline::{Error, InitiateOptions, Opened, Padding, Result, Session, Slots, StateKey};
use rand_core::{TryCryptoRng, TryRng};

use crate::common::{DAY, FailingRng, NOW, Pair, SeededRng, answered_with, unanswered_with};
use crate::{choose, flip, planted, splice};

/// One input.
#[derive(Arbitrary, Debug)]
pub struct Run {
    start: u8,
    /// Every message gets the same nonce, until a state is put back.
    one_nonce: bool,
    events: Vec<Event>,
}

/// `side` is who acts, `which` one of the messages sent to it, see `message_to`.
#[derive(Arbitrary, Debug)]
enum Event {
    Send {
        side: bool,
        length: u8,
        ad: u8,
        padding: u8,
    },
    Lose {
        side: bool,
        count: u8,
    },
    Deliver {
        side: bool,
        which: u8,
    },
    WrongAd {
        side: bool,
        which: u8,
    },
    Corrupt {
        side: bool,
        which: u8,
        at: u16,
        bit: u8,
    },
    Cut {
        side: bool,
        which: u8,
        keep: u16,
    },
    Splice {
        side: bool,
        which: u8,
        with: u8,
        at: u16,
    },
    Reflect {
        side: bool,
        which: u8,
    },
    PrepareSend {
        side: bool,
        commit: bool,
    },
    PrepareReceive {
        side: bool,
        which: u8,
        commit: bool,
    },
    NoEntropy {
        side: bool,
        draws: u8,
    },
    Restart {
        side: bool,
    },
    Keep {
        side: bool,
    },
    PutBack {
        side: bool,
    },
    Maintain {
        side: bool,
        days: u8,
    },
    PingPong {
        rounds: u8,
    },
}

/// More events than this cost more time than they find.
const MAX_EVENTS: usize = 40;
const MAX_MESSAGES: usize = 60;

struct Message {
    bytes: Vec<u8>,
    text: Vec<u8>,
    ad: Vec<u8>,
    from: usize,
    /// The sender's epoch and how many chains it had begun.
    epoch: u32,
    chain: u32,
}

struct Side {
    session: Session,
    /// Messages that this state has opened.
    opened: BTreeSet<usize>,
    /// Chains it has begun, whether it has received since, and the newest of the peer's chains that it has seen.
    chain: u32,
    received: bool,
    newest: u32,
    kept: Option<(Vec<u8>, BTreeSet<usize>)>,
}

struct World {
    sides: [Side; 2],
    slots: Slots,
    messages: Vec<Message>,
    rng: Rng,
    /// Key streams seen.
    streams: HashSet<[u8; 32]>,
    /// Whether a state was put back: messages of the other history may not open.
    forked: bool,
}

/// Draws, where every nonce may be the same one.
struct Rng {
    rng: SeededRng,
    one_nonce: bool,
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        self.rng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        self.rng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Infallible> {
        self.rng.try_fill_bytes(bytes)?;
        if self.one_nonce && bytes.len() == 12 {
            bytes.fill(0);
        }
        Ok(())
    }
}

impl TryCryptoRng for Rng {}

/// A pair of sessions to begin with.
struct Start {
    states: [Vec<u8>; 2],
    slots: Slots,
    /// The initial message, delivered already, where the initiator is not answered.
    first: Vec<u8>,
}

fn starts() -> &'static [Start] {
    static STARTS: OnceLock<Vec<Start>> = OnceLock::new();
    STARTS.get_or_init(|| {
        let choices = [(Slots::STANDARD, false), (Slots::STANDARD, true)];
        let choices = choices.into_iter().chain([
            (Slots::IMMEDIATE, true),
            (Slots::IMMEDIATE, false),
            (Slots::CONSTRAINED, true),
        ]);
        choices
            .map(|(slots, answered)| {
                let rng = &mut SeededRng::new(u64::from(slots.get()));
                let options = InitiateOptions {
                    slots,
                    ..Default::default()
                };
                let make = if answered {
                    answered_with
                } else {
                    unanswered_with
                };
                let Pair { a, b, first, .. } = make(options, rng);
                Start {
                    states: [a.to_state().to_vec(), b.to_state().to_vec()],
                    slots,
                    first,
                }
            })
            .collect()
    })
}

/// Runs the events and checks all of the above.
pub fn run(input: &Run) {
    let mut world = World::new(input);
    for event in input.events.iter().take(MAX_EVENTS) {
        world.step(event);
    }
    world.end();
}

impl World {
    fn new(input: &Run) -> Self {
        let start = &starts()[usize::from(input.start) % starts().len()];
        let side = |i: usize| Side {
            session: Session::from_state(&start.states[i]).unwrap(),
            opened: BTreeSet::from([0]),
            chain: 1,
            received: true,
            newest: 0,
            kept: None,
        };
        // Delivered already; its associated data and text were checked.
        let first = Message {
            bytes: start.first.clone(),
            text: b"first".to_vec(),
            ad: vec![],
            from: 0,
            epoch: 0,
            chain: 0,
        };
        Self {
            sides: [side(0), side(1)],
            slots: start.slots,
            messages: vec![first],
            rng: Rng {
                rng: SeededRng::new(99),
                one_nonce: input.one_nonce,
            },
            streams: HashSet::new(),
            forked: false,
        }
    }

    fn step(&mut self, event: &Event) {
        match *event {
            Event::Send {
                side,
                length,
                ad,
                padding,
            } => {
                let padding = match padding % 4 {
                    0 => Padding::None,
                    1 => Padding::Block(160),
                    _ => Padding::default(),
                };
                let text = vec![length; length.into()];
                self.send(side.into(), text, vec![ad; (ad % 5).into()], padding);
            }
            Event::Lose { side, count } => {
                for _ in 0..count % 16 {
                    self.send(side.into(), vec![count; 9], vec![], Padding::default());
                }
            }
            Event::Deliver { side, which } => {
                if let Some(id) = self.message_to(side, which) {
                    self.deliver(side.into(), id);
                }
            }
            Event::WrongAd { side, which } => {
                if let Some(id) = self.message_to(side, which) {
                    let (bytes, mut ad) = (
                        self.messages[id].bytes.clone(),
                        self.messages[id].ad.clone(),
                    );
                    ad.push(1);
                    self.refuse(side.into(), &bytes, &ad);
                }
            }
            Event::Corrupt {
                side,
                which,
                at,
                bit,
            } => self.tampered(side, which, |bytes, _| flip(bytes, at, bit)),
            Event::Cut { side, which, keep } => self.tampered(side, which, |bytes, _| {
                bytes.truncate(usize::from(keep) % bytes.len());
            }),
            Event::Splice {
                side,
                which,
                with,
                at,
            } => {
                let other = self.message_to(side, with);
                self.tampered(side, which, |bytes, messages| {
                    if let Some(other) = other {
                        splice(bytes, &messages[other].bytes, at);
                    }
                });
            }
            Event::Reflect { side, which } => {
                if let Some(id) = self.message_to(!side, which) {
                    let message = &self.messages[id];
                    let (bytes, ad) = (message.bytes.clone(), message.ad.clone());
                    self.refuse(side.into(), &bytes, &ad);
                }
            }
            Event::PrepareSend { side, commit } => self.prepare_send(side.into(), commit),
            Event::PrepareReceive {
                side,
                which,
                commit,
            } => {
                if let Some(id) = self.message_to(side, which) {
                    self.prepare_receive(side.into(), id, commit);
                }
            }
            Event::NoEntropy { side, draws } => self.no_entropy(side.into(), draws),
            Event::Restart { side } => self.restart(side.into()),
            Event::Keep { side } => {
                let side = &mut self.sides[usize::from(side)];
                side.kept = Some((side.session.to_state().to_vec(), side.opened.clone()));
            }
            Event::PutBack { side } => self.put_back(side.into()),
            Event::Maintain { side, days } => {
                // Keys that wait are dated, and after 30 days deleted.
                let now = NOW + DAY * u64::from(days % 40);
                self.forked |= days % 40 >= 30;
                self.sides[usize::from(side)].session.maintain(now);
            }
            Event::PingPong { rounds } => {
                for round in 0..rounds % 5 {
                    for side in [0, 1] {
                        let id = self.send(side, vec![round; 20], vec![], Padding::default());
                        if let Some(id) = id {
                            self.deliver(1 - side, id);
                        }
                    }
                }
            }
        }
    }

    /// A message to this side: one of the newest, or any.
    fn message_to(&self, side: bool, which: u8) -> Option<usize> {
        let to_it = |id: &usize| self.messages[*id].from != usize::from(side);
        let ids: Vec<usize> = (0..self.messages.len()).rev().filter(to_it).collect();
        choose(&ids, which)
    }

    fn send(&mut self, from: usize, text: Vec<u8>, ad: Vec<u8>, padding: Padding) -> Option<usize> {
        if self.messages.len() >= MAX_MESSAGES {
            return None;
        }
        let session = &mut self.sides[from].session;
        let generation = session.generation();
        let bytes = match session.encrypt_with(&text, &ad, padding, &mut self.rng) {
            Ok(bytes) => bytes,
            Err(Error::AgreementFailed) if session.facts().failed => return None,
            Err(error) => panic!("encrypt: {error}"),
        };
        assert_eq!(session.generation(), generation + 1);
        Some(self.sent(from, bytes, text, ad, padding))
    }

    /// Enters a message that was made, and looks whether its key stream is new.
    fn sent(
        &mut self,
        from: usize,
        bytes: Vec<u8>,
        text: Vec<u8>,
        ad: Vec<u8>,
        padding: Padding,
    ) -> usize {
        let padded = hazmat::pad(padding, &text);
        let start = bytes.len() - self.slots.overhead() - padded.len();
        let parts = Parts::from_bytes(&bytes[start..], self.slots).unwrap();
        if padded.len() >= 32 {
            let mut stream: [u8; 32] = parts.body_ct[..32].try_into().unwrap();
            stream
                .iter_mut()
                .zip(&padded)
                .for_each(|(byte, text)| *byte ^= text);
            assert!(
                self.streams.insert(stream),
                "one key and nonce for two messages"
            );
        }
        let side = &mut self.sides[from];
        side.chain += u32::from(std::mem::take(&mut side.received));
        self.messages.push(Message {
            bytes,
            text,
            ad,
            from,
            epoch: side.session.facts().epoch,
            chain: side.chain,
        });
        self.messages.len() - 1
    }

    fn deliver(&mut self, to: usize, id: usize) {
        let message = &self.messages[id];
        let session = &mut self.sides[to].session;
        let (before, generation) = (session.to_state(), session.generation());
        let result = session.decrypt_with(&message.bytes, &message.ad);
        if result.is_ok() {
            assert_eq!(session.generation(), generation + 1);
        }
        if planted() && result.is_ok() {
            // The control: the state from before the message comes back.
            *session = Session::from_state(&before).unwrap();
        }
        self.delivered(to, id, &before, result);
    }

    /// What must hold after a genuine message.
    fn delivered(&mut self, to: usize, id: usize, before: &[u8], result: Result<Opened>) {
        let message = &self.messages[id];
        let (from, side) = (self.sides[1 - to].session.facts(), &self.sides[to]);
        match result {
            Ok(opened) => {
                assert_eq!(opened.plaintext(), message.text);
                assert_eq!(opened.peer().identity, side.session.peer().identity);
                assert_eq!(from.session_id, *side.session.id());
                let side = &mut self.sides[to];
                assert!(side.opened.insert(id), "opened twice");
                side.received |= message.chain > side.newest;
                side.newest = side.newest.max(message.chain);
            }
            Err(Error::AgreementFailed) => {
                assert!(self.forked && side.session.facts().failed);
            }
            Err(error) => {
                assert!(
                    *side.session.to_state() == *before,
                    "{error}, and the state changed"
                );
                let facts = side.session.facts();
                let retired = side.newest > message.chain + 7 || facts.epoch > message.epoch;
                let excused = side.opened.contains(&id) || self.forked || retired;
                assert!(excused, "not delivered yet: {error}");
            }
        }
    }

    fn tampered(&mut self, side: bool, which: u8, change: impl FnOnce(&mut Vec<u8>, &[Message])) {
        let Some(id) = self.message_to(side, which) else {
            return;
        };
        let message = &self.messages[id];
        let (mut bytes, ad) = (message.bytes.clone(), message.ad.clone());
        change(&mut bytes, &self.messages);
        // Splicing can give a message that is somebody's.
        if self.messages.iter().all(|message| message.bytes != bytes) {
            self.refuse(side.into(), &bytes, &ad);
        }
    }

    /// What is not a message for this side is refused and changes nothing.
    fn refuse(&mut self, to: usize, bytes: &[u8], ad: &[u8]) {
        let session = &mut self.sides[to].session;
        let before = session.to_state();
        let error = session
            .decrypt_with(bytes, ad)
            .expect_err("a forgery was opened");
        assert!(
            session.to_state() == before,
            "{error}, and the state changed"
        );
        assert!(session.prepare_decrypt(bytes, ad).is_err());
    }

    fn prepare_send(&mut self, from: usize, commit: bool) {
        let (text, padding) = (b"prepared".to_vec(), Padding::default());
        let session = &mut self.sides[from].session;
        let before = session.to_state();
        let Ok(pending) = session.prepare_encrypt(&text, b"ad", padding, &mut self.rng) else {
            assert!(session.facts().failed);
            return;
        };
        assert!(session.to_state() == before);
        let message = pending.output().cloned();
        if commit {
            let committed = session.commit(pending).unwrap();
            assert_eq!(Some(&committed), message.as_ref());
            self.sent(from, committed, text, b"ad".to_vec(), padding);
        } else {
            // A ciphertext that never left: its key may be used again, its nonce is another one.
            assert!(session.to_state() == before);
        }
    }

    fn prepare_receive(&mut self, to: usize, id: usize, commit: bool) {
        let message = &self.messages[id];
        let session = &mut self.sides[to].session;
        let before = session.to_state();
        let pending = session.prepare_decrypt(&message.bytes, &message.ad);
        assert!(session.to_state() == before);
        match pending {
            Ok(pending) if commit => {
                let stale = session.prepare_decrypt(&message.bytes, &message.ad);
                let result = session.commit(pending);
                if let Ok(stale) = stale {
                    let now = session.to_state();
                    assert_eq!(session.commit(stale).err(), Some(Error::Stale));
                    assert!(session.to_state() == now);
                }
                self.delivered(to, id, &before, result);
            }
            Ok(_) => {}
            Err(error) => self.delivered(to, id, &before, Err(error)),
        }
    }

    fn no_entropy(&mut self, from: usize, draws: u8) {
        let mut rng = FailingRng {
            draws: (draws % 3).into(),
            rng: SeededRng::new(draws.into()),
        };
        let session = &mut self.sides[from].session;
        let before = session.to_state();
        // A copy, so that one draw being enough loses no message.
        let mut copy = Session::from_state(&before).unwrap();
        match copy.encrypt(b"text", &mut rng) {
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error, Error::Randomness | Error::AgreementFailed));
                assert!(copy.to_state() == before, "{error}, and the state changed");
            }
        }
    }

    fn restart(&mut self, side: usize) {
        let session = &mut self.sides[side].session;
        let (state, generation) = (session.to_state(), session.generation());
        let key = StateKey::new(&mut [3; 32]);
        let sealed = session.export(&key, &mut self.rng).unwrap();
        let newer = Session::import(&key, &sealed, generation + 1).err();
        assert_eq!(newer, Some(Error::Rollback));
        *session = Session::import(&key, &sealed, generation).unwrap();
        assert!(session.to_state() == state);
    }

    fn put_back(&mut self, side: usize) {
        let side = &mut self.sides[side];
        if let Some((state, opened)) = &side.kept {
            side.session = Session::from_state(state).unwrap();
            side.opened = opened.clone();
            self.forked = true;
            // From now on keys may come again, and the nonces have to differ.
            self.rng.one_nonce = false;
        }
    }

    /// Both sides still agree, and the conversation goes on.
    fn end(&mut self) {
        let [a, b] = &self.sides;
        let secrets = [a, b].map(|side| side.session.export_secret(b"end", b"", 32).unwrap());
        assert!(secrets[0] == secrets[1]);
        if self.forked {
            return;
        }
        for side in [0, 1, 0, 1] {
            let text = format!("end of {side}").into_bytes();
            if let Some(id) = self.send(side, text, vec![], Padding::default()) {
                self.deliver(1 - side, id);
                assert!(self.sides[1 - side].opened.contains(&id));
            }
        }
    }
}
