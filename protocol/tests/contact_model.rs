//! Two devices start sessions at the same time: every interleaving of the two initiations, three further messages
//! each way and all deliveries, also out of order (spec section 10.2, M-CT-03 and M-CT-04).
//!
//! The exploration runs the real protocol. Interleavings that lead to the same abstract state (what each
//! side knows and where every message is) are followed once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use std::collections::HashSet;
use std::rc::Rc;

use common::{NOW, SeededRng};
use marline::{Account, Contact, Error, InitiateOptions, PrekeyBundle};

/// The initiation and three messages.
const MESSAGES: usize = 4;

/// One side: encoded states, so that branches do not touch one another.
#[derive(Clone)]
struct Side {
    account: Rc<Vec<u8>>,
    contact: Rc<Vec<u8>>,
    /// What of the contact decides the future: of each session, best first, the role, whether it is answered, keys held
    /// and messages since the start.
    abstraction: Rc<Vec<u8>>,
    /// What it sent and whether the other side has it.
    sent: Vec<(Rc<Vec<u8>>, bool)>,
}

#[derive(Clone)]
struct World {
    sides: [Side; 2],
}

struct Model {
    bundles: [PrekeyBundle; 2],
    clocks: [u64; 2],
    rng: SeededRng,
    seen: HashSet<Vec<u8>>,
    finished: usize,
    winners: HashSet<usize>,
}

impl Side {
    fn account(&self) -> Account {
        Account::from_state(&self.account).unwrap()
    }

    fn contact(&self) -> Contact {
        Contact::from_state(&self.contact).unwrap()
    }

    fn store(&mut self, account: Option<&Account>, contact: &Contact) {
        if let Some(account) = account {
            self.account = Rc::new(account.to_state().to_vec());
        }
        self.contact = Rc::new(contact.to_state().to_vec());
        let facts = contact.sessions().flat_map(|facts| {
            [
                facts.role as u8,
                u8::from(facts.peer_has_answered),
                facts.skipped.0 as u8,
                facts.messages_since_epoch as u8,
            ]
        });
        self.abstraction = Rc::new(facts.collect());
    }
}

fn payload(side: usize, number: usize) -> Vec<u8> {
    format!("message {number} of side {side}").into_bytes()
}

impl Model {
    fn new(seed: u64, clocks: [u64; 2]) -> (Self, World) {
        let mut rng = SeededRng::new(seed);
        let mut accounts =
            [0, 1].map(|i| Account::generate(format!("side {i}"), &mut rng).unwrap());
        let bundles = accounts
            .each_mut()
            .map(|account| account.publish(3, NOW, &mut rng).unwrap().bundle());
        let ids = accounts.each_ref().map(Account::id);
        let side = |i: usize| Side {
            account: Rc::new(accounts[i].to_state().to_vec()),
            contact: Rc::new(Contact::new(ids[1 - i]).to_state().to_vec()),
            abstraction: Rc::default(),
            sent: vec![],
        };
        let sides = [side(0), side(1)];
        let model = Self {
            bundles,
            clocks,
            rng,
            seen: HashSet::new(),
            finished: 0,
            winners: HashSet::new(),
        };
        (model, World { sides })
    }

    /// What decides the future: what each side sent, what of it was delivered, and what each side knows.
    fn abstraction(&self, world: &World) -> Vec<u8> {
        let mut key = vec![];
        for side in &world.sides {
            key.push(side.sent.len() as u8);
            key.extend(side.sent.iter().map(|(_, delivered)| u8::from(*delivered)));
            key.extend(&*side.abstraction);
            key.push(0xff);
        }
        key
    }

    fn send(&mut self, world: &World, from: usize) -> World {
        let mut next = world.clone();
        let side = &mut next.sides[from];
        let (mut contact, number) = (side.contact(), side.sent.len());
        let text = payload(from, number);
        let message = if number == 0 {
            let mut account = side.account();
            let (bundle, now) = (&self.bundles[1 - from], self.clocks[from]);
            let options = InitiateOptions::default();
            let message = contact
                .initiate(&mut account, bundle, &text, options, now, &mut self.rng)
                .unwrap();
            side.store(Some(&account), &contact);
            message
        } else {
            let message = contact.send(&text, &mut self.rng).unwrap();
            side.store(None, &contact);
            message
        };
        side.sent.push((Rc::new(message), false));
        next
    }

    fn deliver(&mut self, world: &World, from: usize, number: usize) -> World {
        let mut next = world.clone();
        next.sides[from].sent[number].1 = true;
        let message = world.sides[from].sent[number].0.clone();
        let to = &mut next.sides[1 - from];
        let sender = self.bundles[from].unverified_identity();
        let mut contact = to.contact();
        let received = match contact.receive(&message) {
            Ok(received) => {
                to.store(None, &contact);
                received
            }
            Err(Error::NoSession) => {
                let mut account = to.account();
                let accepted = account.accept(&message, NOW).unwrap();
                let received = contact.adopt(accepted, NOW);
                to.store(Some(&account), &contact);
                received
            }
            Err(error) => panic!("message {number} of side {from}: {error}"),
        };
        let opened = received.opened.unwrap();
        assert_eq!(opened.plaintext(), payload(from, number));
        assert_eq!(opened.peer().identity, sender);
        next
    }

    fn explore(&mut self, world: &World) {
        if !self.seen.insert(self.abstraction(world)) {
            return;
        }
        let mut moved = false;
        for side in 0..2 {
            if world.sides[side].sent.len() < MESSAGES {
                moved = true;
                let next = self.send(world, side);
                self.explore(&next);
            }
            for number in 0..world.sides[side].sent.len() {
                if !world.sides[side].sent[number].1 {
                    moved = true;
                    let next = self.deliver(world, side, number);
                    self.explore(&next);
                }
            }
        }
        if !moved {
            self.check_end(world);
        }
    }

    /// Everything is delivered: both send on the same session, it works both ways, and nothing opens twice.
    fn check_end(&mut self, world: &World) {
        self.finished += 1;
        let mut contacts = world.sides.each_ref().map(Side::contact);
        let ids = contacts.each_ref().map(|c| *c.sending().unwrap().id());
        assert_eq!(ids[0], ids[1], "the two sides send on different sessions");
        self.winners
            .insert(contacts[0].sending().unwrap().facts().role as usize);
        for side in 0..2 {
            for (message, _) in &world.sides[side].sent {
                let before = contacts[1 - side].to_state();
                assert!(contacts[1 - side].receive(message).is_err());
                assert_eq!(contacts[1 - side].to_state(), before);
            }
        }
        for side in [0, 1, 0, 1] {
            let message = contacts[side].send(b"on", &mut self.rng).unwrap();
            let received = contacts[1 - side].receive(&message).unwrap();
            assert_eq!(received.opened.unwrap().plaintext(), b"on");
            assert_eq!(*contacts[side].sending().unwrap().id(), ids[0]);
        }
    }
}

#[test]
fn every_interleaving_of_two_initiations_converges_and_loses_nothing() {
    let mut winners = HashSet::new();
    // One clock ahead, the other, and the same second, where the session ids decide.
    for (seed, clocks) in [(1, [NOW, NOW + 5]), (2, [NOW + 5, NOW]), (3, [NOW, NOW])] {
        let (mut model, world) = Model::new(seed, clocks);
        model.explore(&world);
        println!("{} states, {} ends", model.seen.len(), model.finished);
        assert!(model.finished > 0 && model.seen.len() > 500);
        winners.extend(model.winners);
    }
    assert_eq!(winners.len(), 2, "either side's session can win");
}
