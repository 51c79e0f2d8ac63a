//! Contacts against a reference model: several sessions per peer, started by either side at any time, resets, losses and
//! repetitions. The model knows ranks and who has heard of which session; inside a session it is `common/model.rs`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

use common::model::{Outcome, SessionModel};
use common::{NOW, SeededRng};
use marline::{Account, Contact, Error, Event as Told, InitiateOptions, PrekeyBundle, Received};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

/// Sessions in one run; the archive holds more.
const MAX_SESSIONS: usize = 6;
/// Seconds between two resets (spec section 7).
const RESET_PERIOD: u64 = 3_600;

/// What can happen. Messages are named by their number, from the first one sent.
#[derive(Clone, Debug)]
enum Event {
    Initiate { side: usize, reset: bool },
    Send(usize),
    Deliver(usize),
    Corrupt(usize, u8),
    Restart(usize),
    Wait,
}

/// A session as both sides know it.
#[derive(Clone, Debug)]
struct Known {
    initiator: usize,
    rank: u64,
    session: SessionModel,
    /// Whether the responder knows it, and whether the initiator has been answered.
    adopted: bool,
}

/// A message: the session, and its number there.
#[derive(Clone, Debug)]
struct Message {
    from: usize,
    session: usize,
    id: usize,
    /// The first message of a reset has no content.
    content: bool,
}

#[derive(Clone, Debug)]
struct Model {
    now: u64,
    sessions: Vec<Known>,
    messages: Vec<Message>,
    last_reset: [u64; 2],
    generation: [u64; 2],
}

impl Model {
    /// The sessions a side knows.
    fn known(&self, side: usize) -> impl Iterator<Item = usize> {
        let knows =
            move |i: &usize| self.sessions[*i].initiator == side || self.sessions[*i].adopted;
        (0..self.sessions.len()).filter(knows)
    }

    /// The rank of the session a side sends on.
    fn best(&self, side: usize) -> Option<u64> {
        self.known(side).map(|i| self.sessions[i].rank).max()
    }

    /// The session a side sends on; none when two have the same rank, where their ids decide, which the model does not
    /// know.
    fn sends_on(&self, side: usize) -> Option<usize> {
        let best = self.best(side)?;
        let mut first = self.known(side).filter(|i| self.sessions[*i].rank == best);
        let found = first.next();
        if first.next().is_some() { None } else { found }
    }

    fn may_initiate(&self, side: usize, reset: bool) -> bool {
        let last = self.last_reset[side];
        let is_reset = reset || self.best(side).is_some();
        !is_reset || last == 0 || self.now.abs_diff(last) >= RESET_PERIOD
    }

    fn initiate(&mut self, side: usize, reset: bool) {
        if !self.may_initiate(side, reset) {
            return;
        }
        if reset || self.best(side).is_some() {
            self.last_reset[side] = self.now;
        }
        let above = self.best(side).map_or(0, |best| best + 1);
        self.sessions.push(Known {
            initiator: side,
            rank: self.now.max(above),
            session: SessionModel::new(),
            adopted: false,
        });
        self.generation[side] += 1;
        let session = self.sessions.len() - 1;
        self.messages.push(Message {
            from: side,
            session,
            id: 0,
            content: !reset,
        });
    }

    fn send(&mut self, side: usize) {
        if let Some(session) = self.sends_on(side) {
            let known = &mut self.sessions[session];
            // In the model of a session its initiator is side 0.
            let id = known.session.send(usize::from(known.initiator != side));
            self.generation[side] += 1;
            self.messages.push(Message {
                from: side,
                session,
                id,
                content: true,
            });
        }
    }

    fn outcome(&self, message: usize) -> Outcome {
        let message = &self.messages[message];
        self.sessions[message.session].session.outcome(message.id)
    }

    fn deliver(&mut self, message: usize) {
        if self.outcome(message) == Outcome::Opened {
            let Message {
                from, session, id, ..
            } = self.messages[message];
            let known = &mut self.sessions[session];
            known.session.deliver(id);
            known.adopted |= from == known.initiator;
            self.generation[1 - from] += 1;
        }
    }
}

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Event;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model {
            now: NOW,
            sessions: vec![],
            messages: vec![],
            last_reset: [0; 2],
            generation: [0; 2],
        })
        .boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Event> {
        let side = || 0..2usize;
        let id = 0..model.messages.len().max(1);
        prop_oneof![
            3 => (side(), prop::bool::weighted(0.3))
                .prop_map(|(side, reset)| Event::Initiate { side, reset }),
            5 => side().prop_map(Event::Send),
            9 => id.clone().prop_map(Event::Deliver),
            1 => (id, any::<u8>()).prop_map(|(id, at)| Event::Corrupt(id, at)),
            1 => side().prop_map(Event::Restart),
            2 => Just(Event::Wait),
        ]
        .boxed()
    }

    fn apply(mut model: Model, event: &Event) -> Model {
        match *event {
            Event::Initiate { side, reset } => model.initiate(side, reset),
            Event::Send(side) => model.send(side),
            Event::Deliver(id) => model.deliver(id),
            Event::Wait => model.now += RESET_PERIOD / 2,
            _ => {}
        }
        model
    }

    fn preconditions(model: &Model, event: &Event) -> bool {
        match event {
            Event::Initiate { .. } => model.sessions.len() < MAX_SESSIONS,
            Event::Deliver(id) | Event::Corrupt(id, _) => *id < model.messages.len(),
            // Not while the model cannot say which session it goes out on.
            Event::Send(side) => model.sends_on(*side).is_some() || model.best(*side).is_none(),
            _ => true,
        }
    }
}

/// The real devices.
struct Devices {
    accounts: [Account; 2],
    contacts: [Contact; 2],
    bundles: [Vec<PrekeyBundle>; 2],
    messages: Vec<Vec<u8>>,
    rng: SeededRng,
    /// For the test of the test: every fourth accepted message is swallowed.
    swallows: Option<usize>,
}

fn text(id: usize) -> Vec<u8> {
    format!("message {id}").into_bytes()
}

impl Devices {
    fn new(swallows: bool) -> Self {
        /// Accounts, encoded, and the bundles of each in the order a directory hands them out.
        type Start = ([Vec<u8>; 2], [Vec<PrekeyBundle>; 2]);
        static START: OnceLock<Start> = OnceLock::new();
        let (states, bundles) = START.get_or_init(|| {
            let rng = &mut SeededRng::new(3);
            let mut accounts = ["one", "two"].map(|name| Account::generate(name, rng).unwrap());
            let bundles = accounts.each_mut().map(|account| {
                let publication = account.publish(3, NOW, rng).unwrap();
                let last = (0..MAX_SESSIONS).map(|_| publication.last_resort_bundle());
                publication.bundles().chain(last).collect()
            });
            (accounts.map(|account| account.to_state().to_vec()), bundles)
        });
        let accounts = states
            .each_ref()
            .map(|state| Account::from_state(state).unwrap());
        let ids = accounts.each_ref().map(Account::id);
        Self {
            contacts: [Contact::new(ids[1]), Contact::new(ids[0])],
            accounts,
            bundles: bundles.clone(),
            messages: vec![],
            rng: SeededRng::new(4),
            swallows: swallows.then_some(0),
        }
    }

    fn states(&self, side: usize) -> (Vec<u8>, Vec<u8>) {
        let account = self.accounts[side].to_state().to_vec();
        (account, self.contacts[side].to_state().to_vec())
    }

    /// What an application does with a message.
    fn receive(&mut self, to: usize, message: &[u8], now: u64) -> Result<Received, Error> {
        match self.contacts[to].receive(message) {
            Err(Error::NoSession) => {
                let accepted = self.accounts[to].accept(message, now)?;
                Ok(self.contacts[to].adopt(accepted, now))
            }
            result => result,
        }
    }

    fn step(&mut self, model: &Model, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Initiate { side, reset } => self.initiate(model, side, reset)?,
            Event::Send(side) => {
                let text = text(self.messages.len());
                match self.contacts[side].send(&text, &mut self.rng) {
                    Ok(message) => self.messages.push(message),
                    Err(error) => {
                        prop_assert_eq!(error, Error::NoSession);
                        prop_assert!(model.best(side).is_none());
                    }
                }
            }
            Event::Deliver(id) => self.deliver(model, id)?,
            Event::Corrupt(id, at) => {
                let to = 1 - model.messages[id].from;
                let mut message = self.messages[id].clone();
                let at = message.len() * usize::from(at) / 256;
                message[at] ^= 4;
                let before = self.states(to);
                prop_assert!(self.receive(to, &message, model.now).is_err());
                prop_assert!(self.states(to) == before);
            }
            Event::Restart(side) => {
                let (account, contact) = self.states(side);
                self.accounts[side] = Account::from_state(&account).unwrap();
                self.contacts[side] = Contact::from_state(&contact).unwrap();
                prop_assert!(self.states(side) == (account, contact));
            }
            Event::Wait => {}
        }
        Ok(())
    }

    fn initiate(&mut self, model: &Model, side: usize, reset: bool) -> Result<(), TestCaseError> {
        let bundle = self.bundles[1 - side][0].clone();
        let text = text(self.messages.len());
        let before = self.states(side);
        let (contact, account) = (&mut self.contacts[side], &mut self.accounts[side]);
        let (options, now, rng) = (InitiateOptions::default(), model.now, &mut self.rng);
        let result = if reset {
            contact.reset(account, &bundle, options, now, rng)
        } else {
            contact.initiate(account, &bundle, &text, options, now, rng)
        };
        if model.may_initiate(side, reset) {
            self.messages.push(result.unwrap());
            self.bundles[1 - side].remove(0);
        } else {
            prop_assert_eq!(result, Err(Error::Limit));
            prop_assert!(self.states(side) == before);
        }
        Ok(())
    }

    fn deliver(&mut self, model: &Model, id: usize) -> Result<(), TestCaseError> {
        let Message {
            from,
            session,
            content,
            ..
        } = model.messages[id];
        let (to, message) = (1 - from, self.messages[id].clone());
        let before = self.states(to);
        let mut result = self.receive(to, &message, model.now);
        if let (Ok(received), Some(count)) = (&mut result, &mut self.swallows) {
            *count += 1;
            if *count == 4 {
                received.opened = None;
            }
        }
        let expected = model.outcome(id);
        let Ok(received) = result else {
            prop_assert!(
                expected != Outcome::Opened,
                "message {}: {:?}",
                id,
                result.err()
            );
            prop_assert!(self.states(to) == before);
            return Ok(());
        };
        prop_assert_eq!(expected, Outcome::Opened);
        let opened = received
            .opened
            .as_ref()
            .map(|opened| opened.plaintext().to_vec());
        prop_assert_eq!(opened, content.then(|| text(id)));
        if let Some(opened) = &received.opened {
            prop_assert_eq!(opened.peer().identity, self.accounts[from].id());
        }
        // A session of the peer that was not known before is told, and whether it was a reset.
        let known = &model.sessions[session];
        let is_new = known.initiator == from && !known.adopted;
        let told = |found: fn(&Told) -> bool| received.events.iter().any(found);
        prop_assert_eq!(
            told(|event| matches!(event, Told::NewSession { .. })),
            is_new
        );
        // The message of a reset says so whenever it comes, also after a later one.
        let reset = told(|event| matches!(event, Told::SessionReset { .. }));
        prop_assert_eq!(reset, !content);
        Ok(())
    }

    fn compare(&self, model: &Model) -> Result<(), TestCaseError> {
        for (side, contact) in self.contacts.iter().enumerate() {
            prop_assert_eq!(contact.sessions().count(), model.known(side).count());
            prop_assert_eq!(contact.generation(), model.generation[side]);
        }
        // Whoever knows the same sessions sends on the same one.
        let known = [0, 1].map(|side| model.known(side).collect::<Vec<_>>());
        if known[0] == known[1] {
            let [one, two] = self
                .contacts
                .each_ref()
                .map(|c| c.sending().map(|s| *s.id()));
            prop_assert_eq!(one, two);
        }
        Ok(())
    }
}

fn run(swallows: bool, sequence: Sequence) -> Result<(), TestCaseError> {
    let (mut model, events, seen) = sequence;
    let mut devices = Devices::new(swallows);
    for event in &events {
        let _ = seen.as_ref().map(|seen| seen.fetch_add(1, SeqCst));
        devices.step(&model, event)?;
        model = Machine::apply(model, event);
        devices.compare(&model)?;
    }
    Ok(())
}

/// What proptest gives: the first state, the events, and where it wants them counted.
type Sequence = (
    Model,
    Vec<Event>,
    Option<std::sync::Arc<std::sync::atomic::AtomicUsize>>,
);

fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_096,
        ..Config::default()
    }
}

/// The same events in every run, so that what they shrink to can be asserted.
fn fixed_runner(cases: u32) -> TestRunner {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config(cases), rng)
}

#[test]
fn contacts_do_what_the_model_says() {
    TestRunner::new(config(100))
        .run(&Machine::sequential_strategy(1..34), |sequence| {
            run(false, sequence)
        })
        .unwrap();
}

#[test]
fn a_contact_that_swallows_a_message_is_found_and_shrunk() {
    let result = fixed_runner(1_000).run(&Machine::sequential_strategy(1..34), |sequence| {
        run(true, sequence)
    });
    let Err(TestError::Fail(_, (_, events, _))) = result else {
        panic!("the planted fault was not found: {result:?}");
    };
    // Four messages and four deliveries are the least; deleting events one by one may stop a little above that.
    assert!((8..=10).contains(&events.len()), "{events:?}");
    let deliveries = events
        .iter()
        .filter(|event| matches!(event, Event::Deliver(_)));
    assert_eq!(deliveries.count(), 4);
}
