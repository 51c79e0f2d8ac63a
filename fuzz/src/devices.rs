//! Two devices with accounts and contacts, a directory and a network, as a machine of events. What must hold:
//!
//! * what is opened is what was sent, from whom it was sent, and at most once in one history of a device's state;
//! * an error leaves account and contact as they were, byte for byte;
//! * a bundle or first message that was changed anywhere is refused;
//! * while no state was put back and every prekey was handed out once, every message that was not delivered yet opens; and
//!   when all are delivered, both sides send on the same session.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use arbitrary::Arbitrary;
use marline::{
    Account, Contact, Error, Event as Told, InitiateOptions, PrekeyBundle, Publication, Received,
    Slots,
};

use crate::common::{FailingRng, NOW, SeededRng};
use crate::{choose, flip, planted, splice};

/// One input.
#[derive(Arbitrary, Debug)]
pub struct Run {
    events: Vec<Event>,
}

/// `side` is who acts, `which` one of the messages sent to it, see `message_to`.
#[derive(Arbitrary, Debug)]
enum Event {
    Publish {
        side: bool,
    },
    Initiate {
        side: bool,
        bundle: u8,
        reset: bool,
        slots: u8,
    },
    ChangedBundle {
        side: bool,
        bundle: u8,
        at: u16,
        bit: u8,
    },
    Send {
        side: bool,
        length: u8,
    },
    Deliver {
        side: bool,
        which: u8,
    },
    Corrupt {
        side: bool,
        which: u8,
        at: u16,
        bit: u8,
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
    Wait {
        minutes: u8,
    },
}

const MAX_EVENTS: usize = 60;
/// More sessions than this and the archive forgets some.
const MAX_SESSIONS: usize = 8;

struct Message {
    bytes: Vec<u8>,
    /// None for a reset.
    text: Option<Vec<u8>>,
    from: usize,
}

struct Side {
    account: Account,
    contact: Contact,
    publication: Arc<Publication>,
    /// Bundles of the publication given out so far.
    given: usize,
    opened: BTreeSet<usize>,
    kept: Option<(Vec<u8>, Vec<u8>, BTreeSet<usize>)>,
}

struct World {
    sides: [Side; 2],
    messages: Vec<Message>,
    initiated: usize,
    now: u64,
    rng: SeededRng,
    /// Whether a state was put back or a prekey used twice: messages may be lost.
    forked: bool,
}

/// States and publications to begin with.
struct Start {
    states: [Vec<u8>; 2],
    publications: [Arc<Publication>; 2],
}

/// One-time prekeys of each device at the start.
const ONE_TIME: u16 = 4;

fn start() -> &'static Start {
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(|| {
        let rng = &mut SeededRng::new(5);
        let mut accounts = ["one", "two"].map(|name| Account::generate(name, rng).unwrap());
        let publications = accounts
            .each_mut()
            .map(|account| Arc::new(account.publish(ONE_TIME, NOW, rng).unwrap()));
        Start {
            states: accounts.map(|account| account.to_state().to_vec()),
            publications,
        }
    })
}

/// Runs the events and checks all of the above.
pub fn run(input: &Run) {
    let mut world = World::new();
    for event in input.events.iter().take(MAX_EVENTS) {
        world.step(event);
    }
    world.end();
}

impl Side {
    fn states(&self) -> (Vec<u8>, Vec<u8>) {
        (
            self.account.to_state().to_vec(),
            self.contact.to_state().to_vec(),
        )
    }

    /// What an application does with a message.
    fn receive(&mut self, bytes: &[u8], now: u64) -> Result<Received, Error> {
        match self.contact.receive(bytes) {
            Err(Error::NoSession) if !self.contact.owns(bytes) => {
                let accepted = self.account.accept(bytes, now)?;
                Ok(self.contact.adopt(accepted, now))
            }
            result => result,
        }
    }
}

impl World {
    fn new() -> Self {
        let start = start();
        let accounts = start
            .states
            .each_ref()
            .map(|state| Account::from_state(state).unwrap());
        let ids = accounts.each_ref().map(Account::id);
        let mut contacts = [ids[1], ids[0]].map(Contact::new).into_iter();
        let mut publications = start.publications.iter();
        let sides = accounts.map(|account| Side {
            account,
            contact: contacts.next().unwrap(),
            publication: publications.next().unwrap().clone(),
            given: 0,
            opened: BTreeSet::new(),
            kept: None,
        });
        Self {
            sides,
            messages: vec![],
            initiated: 0,
            now: NOW,
            rng: SeededRng::new(6),
            forked: false,
        }
    }

    fn step(&mut self, event: &Event) {
        match *event {
            Event::Publish { side } => {
                let side = &mut self.sides[usize::from(side)];
                side.publication =
                    Arc::new(side.account.publish(2, self.now, &mut self.rng).unwrap());
                side.given = 0;
            }
            Event::Initiate {
                side,
                bundle,
                reset,
                slots,
            } => {
                self.initiate(side.into(), bundle, reset, slots);
            }
            Event::ChangedBundle {
                side,
                bundle,
                at,
                bit,
            } => {
                self.changed_bundle(side.into(), bundle, at.into(), bit);
            }
            Event::Send { side, length } => {
                let text = vec![length; length.into()];
                let sender = &mut self.sides[usize::from(side)];
                let before = sender.states();
                match sender.contact.send(&text, &mut self.rng) {
                    Ok(bytes) => self.sent(side.into(), bytes, Some(text)),
                    Err(error) => {
                        let failed = self.forked && error == Error::AgreementFailed;
                        assert!(error == Error::NoSession || failed, "send: {error}");
                        assert!(sender.states() == before);
                    }
                }
            }
            Event::Deliver { side, which } => {
                if let Some(id) = self.message_to(side, which) {
                    self.deliver(side.into(), id);
                }
            }
            Event::Corrupt {
                side,
                which,
                at,
                bit,
            } => {
                self.tampered(side, which, |bytes, _| flip(bytes, at, bit));
            }
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
                    let bytes = self.messages[id].bytes.clone();
                    self.refuse(side.into(), &bytes);
                }
            }
            Event::NoEntropy { side, draws } => {
                let other = self.sides[usize::from(!side)]
                    .publication
                    .last_resort_bundle();
                let side = &mut self.sides[usize::from(side)];
                let before = side.states();
                let rng = &mut FailingRng {
                    draws: (draws % 3).into(),
                    rng: SeededRng::new(1),
                };
                let options = InitiateOptions::default();
                let result = side
                    .contact
                    .reset(&mut side.account, &other, options, self.now, rng);
                assert!(matches!(
                    result,
                    Err(Error::Randomness | Error::Limit | Error::Rollback)
                ));
                assert!(side.states() == before);
            }
            Event::Restart { side } => {
                let side = &mut self.sides[usize::from(side)];
                let states = side.states();
                side.account = Account::from_state(&states.0).unwrap();
                side.contact = Contact::from_state(&states.1).unwrap();
                assert!(side.states() == states);
            }
            Event::Keep { side } => {
                let side = &mut self.sides[usize::from(side)];
                let (account, contact) = side.states();
                side.kept = Some((account, contact, side.opened.clone()));
            }
            Event::PutBack { side } => {
                let side = &mut self.sides[usize::from(side)];
                if let Some((account, contact, opened)) = &side.kept {
                    side.account = Account::from_state(account).unwrap();
                    side.contact = Contact::from_state(contact).unwrap();
                    side.opened = opened.clone();
                    self.forked = true;
                }
            }
            Event::Wait { minutes } => self.now += u64::from(minutes) * 60,
        }
    }

    /// A bundle as a directory hands it out: each one-time prekey once, then the last resort, unless `bundle` says so.
    fn bundle(&mut self, of: usize, bundle: u8) -> PrekeyBundle {
        let side = &mut self.sides[of];
        match bundle % 4 {
            // A directory that hands out a one-time prekey twice.
            3 => {
                self.forked = true;
                side.publication.bundle()
            }
            2 => side.publication.last_resort_bundle(),
            _ => {
                let next = side.publication.bundles().nth(side.given);
                side.given += 1;
                next.unwrap_or_else(|| side.publication.last_resort_bundle())
            }
        }
    }

    fn initiate(&mut self, from: usize, bundle: u8, reset: bool, slots: u8) {
        if self.initiated >= MAX_SESSIONS {
            return;
        }
        let bundle = self.bundle(1 - from, bundle);
        let options = InitiateOptions {
            slots: Slots::new(slots % 38 + 1).unwrap(),
            ..Default::default()
        };
        let (now, text) = (
            self.now,
            format!("hello {}", self.messages.len()).into_bytes(),
        );
        let rng = &mut self.rng;
        let Side {
            account, contact, ..
        } = &mut self.sides[from];
        let before = (account.to_state(), contact.to_state());
        let result = if reset {
            contact.reset(account, &bundle, options, now, rng)
        } else {
            contact.initiate(account, &bundle, &text, options, now, rng)
        };
        match result {
            Ok(bytes) => {
                self.initiated += 1;
                self.sent(from, bytes, (!reset).then_some(text));
            }
            Err(error) => {
                // A second reset within an hour; a publication from a history that was undone.
                let rollback = self.forked && error == Error::Rollback;
                assert!(error == Error::Limit || rollback, "initiate: {error}");
                assert!((account.to_state(), contact.to_state()) == before);
            }
        }
    }

    fn changed_bundle(&mut self, from: usize, bundle: u8, at: usize, bit: u8) {
        let forked = self.forked;
        let mut bytes = self.bundle(1 - from, bundle % 3).to_bytes();
        self.forked = forked;
        let at = at % bytes.len();
        bytes[at] ^= 1 << (bit % 8);
        let Ok(bundle) = PrekeyBundle::from_bytes(&bytes) else {
            return;
        };
        let Side { account, .. } = &mut self.sides[from];
        let before = account.to_state();
        let result = account.initiate(&bundle, b"text", self.now, &mut self.rng);
        let error = result.err().expect("a changed bundle was taken");
        assert!(
            account.to_state() == before,
            "{error}, and the account changed"
        );
    }

    fn sent(&mut self, from: usize, bytes: Vec<u8>, text: Option<Vec<u8>>) {
        self.messages.push(Message { bytes, text, from });
    }

    /// A message to this side: one of the newest, or any.
    fn message_to(&self, side: bool, which: u8) -> Option<usize> {
        let to_it = |id: &usize| self.messages[*id].from != usize::from(side);
        let ids: Vec<usize> = (0..self.messages.len()).rev().filter(to_it).collect();
        choose(&ids, which)
    }

    fn deliver(&mut self, to: usize, id: usize) {
        let (message, now) = (&self.messages[id], self.now);
        let author = self.sides[message.from].account.id();
        let side = &mut self.sides[to];
        let before = side.states();
        match side.receive(&message.bytes, now) {
            Ok(received) => {
                let broke = |told: &Told| matches!(told, Told::SessionFailed { .. });
                if self.forked && received.events.iter().any(broke) {
                    return;
                }
                assert!(!received.events.contains(&Told::Unreadable));
                let text = received
                    .opened
                    .as_ref()
                    .map(|opened| opened.plaintext().to_vec());
                assert_eq!(text, message.text);
                if let Some(opened) = received.opened {
                    assert_eq!(opened.peer().identity, author);
                }
                assert!(side.opened.insert(id), "opened twice");
                if planted() {
                    // The control: the state before the message is written back.
                    side.contact = Contact::from_state(&before.1).unwrap();
                }
            }
            Err(error) => {
                assert!(side.states() == before, "{error}, and the state changed");
                let excused = side.opened.contains(&id) || self.forked;
                assert!(excused, "not delivered yet: {error}");
            }
        }
    }

    fn tampered(&mut self, side: bool, which: u8, change: impl FnOnce(&mut Vec<u8>, &[Message])) {
        let Some(id) = self.message_to(side, which) else {
            return;
        };
        let mut bytes = self.messages[id].bytes.clone();
        change(&mut bytes, &self.messages);
        if self.messages.iter().all(|message| message.bytes != bytes) {
            self.refuse(side.into(), &bytes);
        }
    }

    /// What is not a message for this side is refused and changes nothing.
    fn refuse(&mut self, to: usize, bytes: &[u8]) {
        let now = self.now;
        let side = &mut self.sides[to];
        let before = side.states();
        let error = side.receive(bytes, now).expect_err("a forgery was opened");
        assert!(side.states() == before, "{error}, and the state changed");
    }

    /// Everything arrives, both sides send on one session, and the conversation goes on.
    fn end(&mut self) {
        for id in 0..self.messages.len() {
            let to = 1 - self.messages[id].from;
            if !self.sides[to].opened.contains(&id) {
                self.deliver(to, id);
            }
        }
        if self.forked || self.initiated == 0 {
            return;
        }
        let ids = self
            .sides
            .each_ref()
            .map(|side| *side.contact.sending().unwrap().id());
        assert_eq!(ids[0], ids[1], "they send on different sessions");
        for side in [0, 1, 0, 1] {
            let text = format!("end of {side}").into_bytes();
            let bytes = self.sides[side].contact.send(&text, &mut self.rng).unwrap();
            self.sent(side, bytes, Some(text));
            self.deliver(1 - side, self.messages.len() - 1);
        }
    }
}
