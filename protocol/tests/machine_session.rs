//! Sessions against a reference model that knows no cryptography (`common/model.rs`): random events, every outcome
//! predicted, failures shrunk to the fewest events.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use common::model::{Outcome, SessionModel};
use common::{Pair, SeededRng, unanswered};
use marline::{Error, Padding, Session, StateKey};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

/// What can happen. Messages are named by their number, from the first one sent.
#[derive(Clone, Debug)]
enum Event {
    Send(usize),
    Deliver(usize),
    /// The side that sent it gets it back.
    Reflect(usize),
    /// One bit is flipped; where, in parts of 256.
    Corrupt(usize, u8),
    /// Encoded, sealed, opened, decoded.
    Restart(usize),
    PrepareSend {
        side: usize,
        commit: bool,
    },
    PrepareDeliver {
        id: usize,
        commit: bool,
    },
}

struct Machine;

/// What proptest gives: the first state, the events, and where it wants them counted.
type Sequence = (SessionModel, Vec<Event>, Option<Arc<AtomicUsize>>);

impl ReferenceStateMachine for Machine {
    type State = SessionModel;
    type Transition = Event;

    /// A session whose first message was accepted.
    fn init_state() -> BoxedStrategy<SessionModel> {
        let mut model = SessionModel::new();
        model.deliver(0);
        Just(model).boxed()
    }

    fn transitions(model: &SessionModel) -> BoxedStrategy<Event> {
        let (side, id) = (0..2usize, 0..model.messages.len());
        prop_oneof![
            6 => side.clone().prop_map(Event::Send),
            8 => id.clone().prop_map(Event::Deliver),
            1 => id.clone().prop_map(Event::Reflect),
            1 => (id.clone(), any::<u8>()).prop_map(|(id, at)| Event::Corrupt(id, at)),
            1 => side.clone().prop_map(Event::Restart),
            1 => (side, any::<bool>()).prop_map(|(side, commit)| Event::PrepareSend { side, commit }),
            1 => (id, any::<bool>()).prop_map(|(id, commit)| Event::PrepareDeliver { id, commit }),
        ]
        .boxed()
    }

    fn apply(mut model: SessionModel, event: &Event) -> SessionModel {
        match *event {
            Event::Send(side) | Event::PrepareSend { side, commit: true } => drop(model.send(side)),
            Event::Deliver(id) | Event::PrepareDeliver { id, commit: true } => model.deliver(id),
            _ => {}
        }
        model
    }

    fn preconditions(model: &SessionModel, event: &Event) -> bool {
        match event {
            Event::Deliver(id)
            | Event::Reflect(id)
            | Event::Corrupt(id, _)
            | Event::PrepareDeliver { id, .. } => *id < model.messages.len(),
            _ => true,
        }
    }
}

/// What is wrong with the sessions under test, for the tests of the test.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// The state from before a message that came late is written back.
    ForgetsLate,
    /// The third message in a row is encrypted, and the state lost.
    RepeatsThird,
}

/// The real sessions.
struct Sessions {
    sides: [Session; 2],
    messages: Vec<Vec<u8>>,
    rng: SeededRng,
    fault: Fault,
    in_a_row: usize,
    highest: [usize; 2],
}

fn text(id: usize) -> Vec<u8> {
    format!("message {id}").into_bytes()
}

impl Sessions {
    fn new(fault: Fault) -> Self {
        static START: OnceLock<([Vec<u8>; 2], Vec<u8>)> = OnceLock::new();
        let (states, first) = START.get_or_init(|| {
            let Pair { a, b, first, .. } = unanswered(&mut SeededRng::new(1));
            ([a, b].map(|session| session.to_state().to_vec()), first)
        });
        Self {
            sides: states
                .each_ref()
                .map(|state| Session::from_state(state).unwrap()),
            messages: vec![first.clone()],
            rng: SeededRng::new(2),
            fault,
            in_a_row: 0,
            highest: [0; 2],
        }
    }

    fn send(&mut self, side: usize) -> Vec<u8> {
        let session = &mut self.sides[side];
        let before = session.to_state();
        let message = session
            .encrypt(&text(self.messages.len()), &mut self.rng)
            .unwrap();
        self.in_a_row += 1;
        if self.fault == Fault::RepeatsThird && self.in_a_row == 3 {
            *session = Session::from_state(&before).unwrap();
        }
        message
    }

    fn deliver(&mut self, to: usize, id: usize) -> Result<Vec<u8>, Error> {
        let session = &mut self.sides[to];
        let before = session.to_state();
        let opened = session.decrypt(&self.messages[id])?;
        if self.fault == Fault::ForgetsLate && id < self.highest[to] {
            *session = Session::from_state(&before).unwrap();
        }
        self.highest[to] = self.highest[to].max(id);
        self.in_a_row = 0;
        Ok(opened.plaintext().to_vec())
    }

    fn restart(&mut self, side: usize) {
        let key = StateKey::new(&mut [5; 32]);
        let session = &mut self.sides[side];
        let sealed = session.export(&key, &mut self.rng).unwrap();
        *session = Session::import(&key, &sealed, session.generation()).unwrap();
    }

    /// One event, held against what the model says of it.
    fn step(&mut self, model: &SessionModel, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Send(side) => {
                let message = self.send(side);
                self.messages.push(message);
            }
            Event::Deliver(id) => {
                let to = 1 - model.messages[id].from;
                let before = self.sides[to].to_state();
                let result = self.deliver(to, id);
                self.check(model, id, result, &before)?;
            }
            Event::Reflect(id) => {
                let session = &mut self.sides[model.messages[id].from];
                let before = session.to_state();
                prop_assert!(session.decrypt(&self.messages[id]).is_err());
                prop_assert!(session.to_state() == before);
            }
            Event::Corrupt(id, at) => {
                let mut message = self.messages[id].clone();
                let at = message.len() * usize::from(at) / 256;
                message[at] ^= 0x10;
                let session = &mut self.sides[1 - model.messages[id].from];
                let before = session.to_state();
                prop_assert!(session.decrypt(&message).is_err());
                prop_assert!(session.to_state() == before);
            }
            Event::Restart(side) => {
                let before = self.sides[side].to_state();
                self.restart(side);
                prop_assert!(self.sides[side].to_state() == before);
            }
            Event::PrepareSend { side, commit } => {
                let (text, session) = (text(self.messages.len()), &mut self.sides[side]);
                let before = session.to_state();
                let pending = session
                    .prepare_encrypt(&text, &[], Padding::default(), &mut self.rng)
                    .unwrap();
                prop_assert!(session.to_state() == before);
                if commit {
                    let message = session.commit(pending).unwrap();
                    self.messages.push(message);
                }
            }
            Event::PrepareDeliver { id, commit } => {
                let session = &mut self.sides[1 - model.messages[id].from];
                let before = session.to_state();
                let pending = session.prepare_decrypt(&self.messages[id], &[]);
                prop_assert!(session.to_state() == before);
                let result = match pending {
                    Ok(pending) if commit => session.commit(pending),
                    Ok(pending) => {
                        prop_assert_eq!(pending.output().unwrap().plaintext(), text_of(id));
                        prop_assert_eq!(model.outcome(id), Outcome::Opened);
                        return Ok(());
                    }
                    Err(error) => Err(error),
                };
                let result = result.map(|opened| opened.plaintext().to_vec());
                self.check(model, id, result, &before)?;
            }
        }
        Ok(())
    }

    /// What came of a genuine message.
    fn check(
        &self,
        model: &SessionModel,
        id: usize,
        result: Result<Vec<u8>, Error>,
        before: &[u8],
    ) -> Result<(), TestCaseError> {
        let expected = match model.outcome(id) {
            Outcome::Opened => Ok(text_of(id)),
            Outcome::Duplicate => Err(Error::Duplicate),
            Outcome::Gone => Err(Error::Authentication),
        };
        if result.is_err() {
            let session = &self.sides[1 - model.messages[id].from];
            prop_assert!(*session.to_state() == *before);
        }
        prop_assert_eq!(result, expected);
        Ok(())
    }

    /// What must be the same on both sides of the comparison after every event.
    fn compare(&self, model: &SessionModel) -> Result<(), TestCaseError> {
        for (side, session) in self.sides.iter().enumerate() {
            let facts = session.facts();
            prop_assert_eq!(facts.generation, model.generation(side));
            prop_assert_eq!(facts.skipped, model.skipped(side));
            prop_assert_eq!(facts.epoch, 0, "the model knows no epochs");
        }
        Ok(())
    }
}

/// The first message was made by the fixture.
fn text_of(id: usize) -> Vec<u8> {
    if id == 0 { b"first".to_vec() } else { text(id) }
}

/// One sequence of events. `seen` counts them, so that shrinking starts by cutting off what was not reached.
fn run(fault: Fault, (mut model, events, seen): Sequence) -> Result<(), TestCaseError> {
    let mut sessions = Sessions::new(fault);
    for event in &events {
        let _ = seen.as_ref().map(|seen| seen.fetch_add(1, SeqCst));
        sessions.step(&model, event)?;
        model = Machine::apply(model, event);
        sessions.compare(&model)?;
    }
    Ok(())
}

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

/// The shrunk events that show a fault.
fn shrunk(fault: Fault) -> Vec<Event> {
    let result = fixed_runner(2_000).run(&Machine::sequential_strategy(1..30), |sequence| {
        run(fault, sequence)
    });
    match result {
        Err(TestError::Fail(_, (_, events, _))) => events,
        other => panic!("the planted fault was not found: {other:?}"),
    }
}

#[test]
fn sessions_do_what_the_model_says() {
    TestRunner::new(config(120))
        .run(&Machine::sequential_strategy(1..36), |sequence| {
            run(Fault::None, sequence)
        })
        .unwrap();
}

#[test]
fn a_session_that_forgets_a_late_message_is_found_and_shrunk() {
    let events = shrunk(Fault::ForgetsLate);
    // Two messages, the later one first, are the least: the generation is wrong as soon as the other comes.
    assert!((4..=6).contains(&events.len()), "{events:?}");
    let [.., Event::Deliver(first), Event::Deliver(late)] = events[..] else {
        panic!("not what shows it: {events:?}");
    };
    assert!(late < first);
}

#[test]
fn a_session_that_loses_a_state_is_found_and_shrunk() {
    let events = shrunk(Fault::RepeatsThird);
    assert!(
        matches!(events[..], [Event::Send(_), Event::Send(_), Event::Send(_)]),
        "{events:?}"
    );
}
