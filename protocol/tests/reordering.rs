//! Messages that arrive late (spec sections 5.2 and 5.3): what must still open, and what is gone. The expectation is
//! worked out from the rules alone: a message needs a classical chain that is current or among the eight retired (M-DR-07),
//! and a post-quantum epoch that is the newest or the one before (M-SP-03).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::session_state::View;
use common::{Channel, Pair, SeededRng, answered, answered_with, deliver};
use marline::{Error, InitiateOptions, Session, Slots};

/// A message on its way, with what the rules need to know.
#[derive(Clone)]
struct Sent {
    number: usize,
    message: Vec<u8>,
    /// Which of its sender's chains it was sent on.
    chain: u32,
    /// The epoch it was sent under.
    epoch: u32,
}

/// One direction of a conversation as the rules see it.
#[derive(Default)]
struct Direction {
    sent: usize,
    chain: u32,
    last_key: Option<[u8; 32]>,
    /// The newest of the sender's chains that the receiver knows.
    newest_chain: u32,
    delivered: BTreeSet<usize>,
    outcomes: BTreeMap<String, usize>,
}

impl Direction {
    fn send(&mut self, from: &mut Session, rng: &mut SeededRng) -> Sent {
        let message = from.encrypt(&self.sent.to_be_bytes(), rng).unwrap();
        let view = View::of(&from.to_state());
        assert!(view.own_public.is_some());
        if view.own_public != self.last_key {
            self.chain += 1;
            self.last_key = view.own_public;
        }
        self.sent += 1;
        Sent {
            number: self.sent - 1,
            message,
            chain: self.chain,
            epoch: view.scka_epoch - 1,
        }
    }

    /// What section 5 says about this message at this receiver.
    fn expected(&self, sent: &Sent, to: &Session) -> Result<(), Error> {
        let newest_epoch = to.facts().epoch;
        assert!(sent.epoch <= newest_epoch);
        if sent.chain + 8 < self.newest_chain {
            Err(Error::Authentication)
        } else if self.delivered.contains(&sent.number) {
            Err(Error::Duplicate)
        } else if sent.epoch + 1 < newest_epoch {
            Err(Error::TooOld)
        } else {
            Ok(())
        }
    }

    fn receive(&mut self, sent: &Sent, to: &mut Session) {
        let expected = self.expected(sent, to);
        let state = expected.is_err().then(|| to.to_state());
        match to.decrypt(&sent.message) {
            Ok(opened) => {
                assert_eq!(opened.plaintext(), sent.number.to_be_bytes());
                assert_eq!(Ok(()), expected, "message {}", sent.number);
                self.delivered.insert(sent.number);
                self.newest_chain = self.newest_chain.max(sent.chain);
            }
            Err(error) => {
                assert_eq!(Err(error), expected, "message {}", sent.number);
                assert_eq!(state, Some(to.to_state()));
            }
        }
        let outcome = self.outcomes.entry(format!("{expected:?}"));
        *outcome.or_default() += 1;
    }
}

#[test]
fn late_messages_over_three_epochs() {
    let rng = &mut SeededRng::new(1);
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let Pair { mut a, mut b, .. } = answered_with(options, rng);
    let mut direction = Direction::default();
    let mut late = Vec::new();
    let start = b.facts().epoch;
    while b.facts().epoch < start + 3 {
        for part in 0..3 {
            let sent = direction.send(&mut a, rng);
            if part == 1 {
                direction.receive(&sent, &mut b);
            } else {
                late.push(sent);
            }
        }
        deliver(&mut b, &mut a, b"turn", rng);
    }
    // The test is about epochs: no chain is too old for it, and every epoch has late messages.
    assert!(direction.newest_chain <= 8);
    let newest = b.facts().epoch;
    for epoch in start..newest {
        assert!(late.iter().any(|sent| sent.epoch == epoch));
    }
    // Newest first: as far out of order as can be.
    late.iter()
        .rev()
        .for_each(|sent| direction.receive(sent, &mut b));
    assert_eq!(direction.outcomes.len(), 2, "{:?}", direction.outcomes);
    assert!(direction.outcomes["Ok(())"] > direction.sent / 3);
    assert!(direction.outcomes["Err(TooOld)"] > 0);
    // And once more: what was read is a duplicate, what was too old stays so.
    late.iter().for_each(|sent| direction.receive(sent, &mut b));
    deliver(&mut b, &mut a, b"on", rng);
    deliver(&mut a, &mut b, b"and on", rng);
}

#[test]
fn a_chain_is_readable_through_eight_turns_and_no_longer() {
    let rng = &mut SeededRng::new(2);
    // One codeword a message: no epoch ends here.
    let options = InitiateOptions {
        slots: Slots::CONSTRAINED,
        ..Default::default()
    };
    let Pair { mut a, mut b, .. } = answered_with(options, rng);
    let late: Vec<_> = (0..3).map(|_| a.encrypt(b"late", rng).unwrap()).collect();
    for turn in 0..=9 {
        if turn == 8 {
            assert_eq!(b.decrypt(&late[0]).unwrap().plaintext(), b"late");
            assert_eq!(b.decrypt(&late[0]).err(), Some(Error::Duplicate));
        }
        deliver(&mut a, &mut b, b"turn", rng);
        if turn == 8 {
            assert_eq!(b.decrypt(&late[1]).unwrap().plaintext(), b"late");
        }
        deliver(&mut b, &mut a, b"turn", rng);
    }
    assert_eq!(b.facts().epoch, 0);
    let state = b.to_state();
    assert_eq!(b.decrypt(&late[2]).err(), Some(Error::Authentication));
    assert_eq!(b.to_state(), state);
}

/// Bursts of up to `burst` messages, sides at random, over a channel that loses, reorders and duplicates.
fn random_conversation(pair: Pair, messages: usize, rng: &mut SeededRng) -> [Direction; 2] {
    let mut sessions = [pair.a, pair.b];
    let mut channels = [Channel::new(10, 5, 6), Channel::new(10, 5, 6)];
    let mut directions = [Direction::default(), Direction::default()];
    // Both chains have begun: the responder's with its answer, the initiator's with its first message.
    for (direction, session) in directions.iter_mut().zip(&sessions) {
        direction.last_key = View::of(&session.to_state()).own_public;
    }
    while directions[0].sent + directions[1].sent < messages {
        let from = rng.below(2);
        for _ in 0..1 + rng.below(12) {
            let sent = directions[from].send(&mut sessions[from], rng);
            channels[from].send(sent, rng);
            while let Some(sent) = channels[from].receive(rng) {
                directions[from].receive(&sent, &mut sessions[1 - from]);
            }
        }
    }
    for from in 0..2 {
        while let Some(sent) = channels[from].drain(rng) {
            directions[from].receive(&sent, &mut sessions[1 - from]);
        }
    }
    for session in &sessions {
        println!("{:?}", session.facts());
        assert!(session.facts().epoch as usize > messages / 200);
        assert!(!session.facts().failed);
    }
    directions
}

#[test]
fn a_hundred_thousand_messages_with_loss_reordering_and_duplicates() {
    let rng = &mut SeededRng::announced(3);
    let directions = random_conversation(answered(rng), 100_000, rng);
    for direction in &directions {
        println!("{} sent: {:?}", direction.sent, direction.outcomes);
        let delivered = direction.delivered.len();
        assert!(direction.sent > 45_000 && delivered > direction.sent * 85 / 100);
        assert!(direction.outcomes["Err(Duplicate)"] > 1_000);
    }
}
