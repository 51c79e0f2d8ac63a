//! Two devices in files against a reference model of lists: what was sent waits in the outbox until it is marked, what
//! arrived waits in the inbox until it is acknowledged, each once, in order, over restarts, repetitions and forgeries.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use marline_device::{Device, Durability, Options, RowKey, Unlock};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

const NOW: u64 = 1_800_000_000;
const NAMES: [&str; 2] = ["one", "two"];

/// What can happen. Messages are named by their number, from the first one sent.
#[derive(Clone, Debug)]
enum Event {
    Send(usize),
    /// The oldest in the outbox is with the transport.
    MarkSent(usize),
    Deliver(usize),
    Corrupt(usize, u8),
    /// The newest in the inbox is taken.
    Acknowledge(usize),
    Restart(usize),
    Maintain(usize),
}

/// One side: numbers of messages.
#[derive(Clone, Debug, Default)]
struct Lists {
    outbox: Vec<usize>,
    inbox: Vec<usize>,
    acknowledged: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
struct Model {
    sides: [Lists; 2],
    /// Who sent each message.
    senders: Vec<usize>,
}

/// What proptest gives: the first state, the events, and where it wants them counted.
type Sequence = (Model, Vec<Event>, Option<Arc<AtomicUsize>>);

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Event;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Event> {
        let side = || 0..2usize;
        let id = || 0..model.senders.len().max(1);
        prop_oneof![
            6 => side().prop_map(Event::Send),
            2 => side().prop_map(Event::MarkSent),
            7 => id().prop_map(Event::Deliver),
            1 => (id(), any::<u8>()).prop_map(|(id, at)| Event::Corrupt(id, at)),
            3 => side().prop_map(Event::Acknowledge),
            2 => side().prop_map(Event::Restart),
            1 => side().prop_map(Event::Maintain),
        ]
        .boxed()
    }

    fn apply(mut model: Model, event: &Event) -> Model {
        match *event {
            Event::Send(side) => {
                model.sides[side].outbox.push(model.senders.len());
                model.senders.push(side);
            }
            Event::MarkSent(side) => drop(model.sides[side].outbox.drain(..1)),
            Event::Deliver(id) => {
                let to = &mut model.sides[1 - model.senders[id]];
                if !to.inbox.contains(&id) && !to.acknowledged.contains(&id) {
                    to.inbox.push(id);
                }
            }
            Event::Acknowledge(side) => {
                let side = &mut model.sides[side];
                side.acknowledged.extend(side.inbox.pop());
            }
            _ => {}
        }
        model
    }

    fn preconditions(model: &Model, event: &Event) -> bool {
        match event {
            Event::Deliver(id) | Event::Corrupt(id, _) => *id < model.senders.len(),
            Event::MarkSent(side) => !model.sides[*side].outbox.is_empty(),
            Event::Acknowledge(side) => !model.sides[*side].inbox.is_empty(),
            _ => true,
        }
    }
}

/// The real devices.
struct Devices {
    dir: tempfile::TempDir,
    sides: [Option<Device>; 2],
    messages: Vec<Vec<u8>>,
    /// For the test of the test: the third message that arrives is acknowledged although nobody did.
    loses: bool,
    arrived: usize,
}

fn text(id: usize) -> Vec<u8> {
    format!("message {id}").into_bytes()
}

fn options() -> Options {
    Options {
        durability: Durability::Batched,
        ..Options::default()
    }
}

impl Devices {
    fn new(loses: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut sides = NAMES.map(|name| {
            Device::create(
                dir.path().join(name),
                Unlock::Key([7; 32]),
                name.as_bytes(),
                options(),
            )
            .unwrap()
        });
        let bundles = sides
            .each_mut()
            .map(|device| device.publish(1, NOW).unwrap().bundle(0).unwrap());
        for (side, device) in sides.iter_mut().enumerate() {
            device
                .add_contact(NAMES[1 - side], &bundles[1 - side], NOW)
                .unwrap();
        }
        Self {
            dir,
            sides: sides.map(Some),
            messages: vec![],
            loses,
            arrived: 0,
        }
    }

    fn side(&mut self, side: usize) -> &mut Device {
        self.sides[side].as_mut().unwrap()
    }

    /// What waits in the inbox: ids and plaintexts.
    fn inbox(&mut self, side: usize) -> Vec<(RowKey, Vec<u8>)> {
        let waiting = self.side(side).inbox().unwrap();
        let text = |content: Option<&[u8]>| content.unwrap_or_default().to_vec();
        waiting
            .iter()
            .map(|row| (row.id, text(row.plaintext())))
            .collect()
    }

    fn step(&mut self, model: &Model, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Send(side) => {
                let text = text(self.messages.len());
                let out = self.side(side).send(NAMES[1 - side], &text, NOW).unwrap();
                prop_assert_eq!(out.contact, NAMES[1 - side]);
                self.messages.push(out.message);
            }
            Event::MarkSent(side) => {
                let oldest = self.side(side).outbox().unwrap()[0].id;
                self.side(side).mark_sent(oldest).unwrap();
                self.side(side).flush().unwrap();
            }
            Event::Deliver(id) => self.deliver(model, id)?,
            Event::Corrupt(id, at) => {
                let to = 1 - model.senders[id];
                let mut message = self.messages[id].clone();
                let at = message.len() * usize::from(at) / 256;
                message[at] ^= 8;
                let before = self.side(to).generation();
                prop_assert!(self.side(to).receive(&message, None, NOW).is_err());
                prop_assert_eq!(self.side(to).generation(), before);
            }
            Event::Acknowledge(side) => {
                let newest = self.inbox(side).last().unwrap().0;
                self.side(side).acknowledge(newest).unwrap();
                self.side(side).flush().unwrap();
            }
            Event::Restart(side) => {
                drop(self.sides[side].take());
                let path = self.dir.path().join(NAMES[side]);
                let opened = Device::open(path, Unlock::Key([7; 32]), options());
                self.sides[side] = Some(opened.unwrap());
            }
            Event::Maintain(side) => drop(self.side(side).maintain(NOW).unwrap()),
        }
        Ok(())
    }

    fn deliver(&mut self, model: &Model, id: usize) -> Result<(), TestCaseError> {
        let (from, message) = (model.senders[id], self.messages[id].clone());
        let author = self.side(from).id();
        let before = self.side(1 - from).generation();
        let result = self.side(1 - from).receive(&message, None, NOW);
        if model.sides[1 - from].acknowledged.contains(&id) {
            prop_assert!(result.is_err());
            prop_assert_eq!(self.side(1 - from).generation(), before);
            return Ok(());
        }
        let incoming = result.map_err(|error| TestCaseError::fail(format!("{id}: {error}")))?;
        prop_assert_eq!(incoming.plaintext(), Some(&text(id)[..]));
        prop_assert_eq!(incoming.author.identity, author);
        self.arrived += 1;
        if self.loses && self.arrived == 3 {
            self.side(1 - from).acknowledge(incoming.id).unwrap();
        }
        Ok(())
    }

    /// The lists of both sides are those of the model, in order.
    fn compare(&mut self, model: &Model) -> Result<(), TestCaseError> {
        for (side, lists) in model.sides.iter().enumerate() {
            let outbox = self.side(side).outbox().unwrap().into_iter();
            let outbox: Vec<_> = outbox.map(|row| row.message).collect();
            let expected: Vec<_> = lists
                .outbox
                .iter()
                .map(|id| self.messages[*id].clone())
                .collect();
            prop_assert!(outbox == expected, "outbox");
            let inbox = self.inbox(side).into_iter().map(|(_, text)| text);
            let expected: Vec<_> = lists.inbox.iter().map(|id| text(*id)).collect();
            prop_assert_eq!(inbox.collect::<Vec<_>>(), expected);
        }
        Ok(())
    }
}

fn run(loses: bool, (mut model, events, seen): Sequence) -> Result<(), TestCaseError> {
    let mut devices = Devices::new(loses);
    for event in &events {
        let _ = seen.as_ref().map(|seen| seen.fetch_add(1, SeqCst));
        devices.step(&model, event)?;
        model = Machine::apply(model, event);
        devices.compare(&model)?;
    }
    Ok(())
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

#[test]
fn devices_do_what_the_model_says() {
    TestRunner::new(config(40))
        .run(&Machine::sequential_strategy(1..28), |sequence| {
            run(false, sequence)
        })
        .unwrap();
}

#[test]
fn a_device_that_loses_a_message_is_found_and_shrunk() {
    // The same events in every run, so that what they shrink to can be asserted.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config(200), rng)
        .run(&Machine::sequential_strategy(1..28), |sequence| {
            run(true, sequence)
        });
    let Err(TestError::Fail(_, (_, events, _))) = result else {
        panic!("the planted fault was not found: {result:?}");
    };
    // One message, delivered three times, is the least; three messages are the most that deleting events leaves.
    assert!((4..=6).contains(&events.len()), "{events:?}");
    let deliveries = events
        .iter()
        .filter(|event| matches!(event, Event::Deliver(_)));
    assert_eq!(deliveries.count(), 3);
}
