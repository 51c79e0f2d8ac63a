//! The five properties of a sparse continuous key agreement (ML-KEM Braid revision 1, section 1.1; reference/specs.md 1.4),
//! on every state that two sides and a bad channel can reach, through the code of `ChunkedKem` itself:
//!
//! 1. equal epochs have equal keys on both sides;
//! 2. each side gets at most one key per epoch, in order;
//! 3. a sender knows the keys of all epochs up to the sending epoch (here also: so does the receiver, and it has
//!    not gone on by more than one since, so that it still keeps them);
//! 4. a receiver knows the keys up to the receiving epoch;
//! 5. the receiving epoch is the sending epoch.
//!
//! And no state is stuck: whatever was lost, messages in turn complete the next epoch.
//!
//! The channel holds up to two messages each way; it delivers either, drops either, and more can be sent and lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod common;

use std::collections::{HashMap, HashSet};

use common::scka::{Fault, Machine};

/// No message.
const NONE: u32 = u32::MAX;

/// Two sides, and what is on its way: `[0]` from the initiator to the responder.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct World {
    sides: [u32; 2],
    /// Ascending: there is no order among messages in flight.
    flights: [[u32; 2]; 2],
}

/// An exploration up to a number of completed epochs.
struct Exploration {
    machine: Machine,
    epochs: u32,
    seen: HashSet<World>,
    open: Vec<World>,
    steps: usize,
}

impl World {
    /// Epochs whose key both sides have.
    fn completed(&self, machine: &Machine) -> u32 {
        let [one, other] = self.sides;
        machine.newest(0, one).min(machine.newest(1, other))
    }

    fn with_flight(mut self, from: usize, slot: usize, piece: u32) -> Self {
        self.flights[from][slot] = piece;
        self.flights[from].sort_unstable();
        self
    }
}

impl Exploration {
    fn new(slots: u8, period: u16, epochs: u32, fault: Fault) -> Self {
        let (machine, sides) = Machine::new(slots, period, fault);
        let start = World {
            sides,
            flights: [[NONE; 2]; 2],
        };
        Self {
            machine,
            epochs,
            seen: HashSet::from([start]),
            open: vec![start],
            steps: 0,
        }
    }

    fn run(mut self) -> Result<Self, String> {
        let mut completes = HashMap::new();
        while let Some(world) = self.open.pop() {
            if world.completed(&self.machine) < self.epochs {
                self.expand(world)?;
                self.is_not_stuck(world.sides, &mut completes)?;
            }
        }
        Ok(self)
    }

    /// Every step from here.
    fn expand(&mut self, world: World) -> Result<(), String> {
        for from in 0..2 {
            let sent = self.send(world, from)?;
            self.reach(sent.0);
            for slot in 0..2 {
                match world.flights[from][slot] {
                    NONE => self.reach(sent.0.with_flight(from, slot, sent.1)),
                    piece => {
                        let mut without = world.with_flight(from, slot, NONE);
                        self.reach(without);
                        let to = 1 - from;
                        without.sides[to] = self.machine.receive(to, world.sides[to], piece)?;
                        self.reach(without);
                    }
                }
            }
        }
        Ok(())
    }

    /// The sender has sent, the message is not in flight yet.
    fn send(&mut self, mut world: World, from: usize) -> Result<(World, u32), String> {
        let (side, piece) = self.machine.send(from, world.sides[from])?;
        world.sides[from] = side;
        let epoch = self.machine.epoch_of(piece);
        let receiver = self.machine.newest(1 - from, world.sides[1 - from]);
        if epoch > receiver {
            return Err("sent under an epoch whose key the receiver does not know".into());
        }
        if epoch + 1 < receiver {
            return Err("sent under an epoch whose key the receiver has deleted".into());
        }
        Ok((world, piece))
    }

    fn reach(&mut self, world: World) {
        self.steps += 1;
        if self.seen.insert(world) {
            self.open.push(world);
        }
    }

    /// Everything in flight is lost; from here on messages go in turn and arrive: the next epoch completes.
    fn is_not_stuck(
        &mut self,
        start: [u32; 2],
        known: &mut HashMap<[u32; 2], usize>,
    ) -> Result<(), String> {
        if known.contains_key(&start) {
            return Ok(());
        }
        let (mut sides, mut messages) = (start, 0);
        let completed = |machine: &Machine, [one, other]: [u32; 2]| {
            machine.newest(0, one).min(machine.newest(1, other))
        };
        let before = completed(&self.machine, start);
        while completed(&self.machine, sides) == before {
            let from = messages % 2;
            let (side, piece) = self.machine.send(from, sides[from])?;
            sides[from] = side;
            sides[1 - from] = self.machine.receive(1 - from, sides[1 - from], piece)?;
            messages += 1;
            if messages > 64 {
                return Err("no epoch completes from here any more".into());
            }
        }
        known.insert(start, messages);
        Ok(())
    }
}

fn holds_everywhere(slots: u8, period: u16, epochs: u32, worlds: usize, tags: &[u8]) {
    let done = Exploration::new(slots, period, epochs, Fault::None)
        .run()
        .unwrap();
    println!(
        "{slots} slots, {epochs} epochs: {} worlds, {} steps, side states and pieces {:?}",
        done.seen.len(),
        done.steps,
        done.machine.len()
    );
    // The model is not vacuous: both sides were in every state of the agreement, and there was much to see.
    for at in 0..2 {
        assert!(
            done.machine.tags(at).iter().eq(tags),
            "{:?}",
            done.machine.tags(at)
        );
    }
    assert!(done.seen.len() > worlds);
}

/// One message per object: ReceivingCt (2) does not occur, the ciphertext is complete at once.
#[test]
fn properties_hold_everywhere_with_one_message_per_object() {
    holds_everywhere(38, 2, 6, 30_000, &[0, 1, 3, 4, 5]);
}

#[test]
fn properties_hold_everywhere_with_two_messages_per_object() {
    holds_everywhere(19, 3, 4, 100_000, &[0, 1, 2, 3, 4, 5]);
}

#[test]
fn properties_hold_everywhere_with_three_messages_per_object() {
    holds_everywhere(13, 4, 3, 100_000, &[0, 1, 2, 3, 4, 5]);
}

/// Controls: each property's check finds what breaks it.
#[test]
fn the_checks_find_what_is_wrong() {
    for (fault, found) in [
        (Fault::NoCiphertexts, "no epoch completes"),
        (Fault::OtherAuthenticator, "post-quantum agreement failed"),
        (Fault::OtherKeys, "different keys for epoch 1"),
        (Fault::NewestEpoch, "does not know"),
        (Fault::RepeatedKey, "key of epoch 1 after that of 1"),
    ] {
        let error = Exploration::new(38, 2, 3, fault).run().err().unwrap();
        assert!(error.contains(found), "{error}");
    }
}
