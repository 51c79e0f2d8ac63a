//! The five properties of `scka_model.rs` on long random runs of the key agreement, with the erasure code working hard.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;

use common::{Channel, SeededRng};
use marline::hazmat::message::Piece;
use marline::hazmat::scka::{Authenticator, ChunkedKem, EpochKey, Scka};
use marline::{Role, Secret, Slots};

/// One side, and the newest epoch whose key it has.
struct Side {
    kem: ChunkedKem,
    newest: u32,
}

fn sides(slots: Slots) -> [Side; 2] {
    [Role::Initiator, Role::Responder].map(|role| {
        let key = |byte| Secret::fill(|key: &mut [u8; 32]| key.fill(byte));
        let authenticator = Authenticator::new(key(1), key(2));
        Side {
            kem: ChunkedKem::new([3; 32], slots, role, authenticator),
            newest: 0,
        }
    })
}

impl Side {
    /// Properties 1 and 2.
    fn take(&mut self, output: Option<EpochKey>, keys: &mut BTreeMap<u32, [u8; 32]>) {
        if let Some(EpochKey { epoch, key }) = output {
            assert_eq!(epoch, self.newest + 1);
            self.newest = epoch;
            assert_eq!(keys.entry(epoch).or_insert(*key.expose()), key.expose());
        }
    }
}

/// Bursts both ways until `epochs` are complete; messages sent.
fn run(slots: Slots, channel: impl Fn() -> Channel<Piece>, epochs: u32, seed: u64) -> usize {
    let rng = &mut SeededRng::announced(seed);
    let mut sides = sides(slots);
    let mut channels = [channel(), channel()];
    let (mut keys, mut messages) = (BTreeMap::new(), 0);
    while sides[0].newest.min(sides[1].newest) < epochs {
        let from = rng.below(2);
        for _ in 0..rng.below(5) {
            let sent = sides[from].kem.send(rng).unwrap();
            messages += 1;
            sides[from].take(sent.output, &mut keys);
            // Properties 3 and 5.
            let receiver = sides[1 - from].newest;
            assert!(sent.sending_epoch <= sides[from].newest.min(receiver));
            assert!(sent.sending_epoch + 1 >= receiver);
            assert_eq!(sent.sending_epoch + 1, sent.piece.epoch);
            channels[from].send(sent.piece, rng);
            while let Some(piece) = channels[from].receive(rng) {
                let to = &mut sides[1 - from];
                // Property 4.
                assert!(piece.epoch - 1 <= to.newest);
                let output = to.kem.receive(&piece).unwrap();
                to.take(output, &mut keys);
            }
        }
    }
    // Every epoch has its own key.
    let mut distinct: Vec<_> = keys.values().collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), keys.len());
    messages
}

#[test]
fn properties_hold_on_long_runs() {
    for (slots, epochs) in [
        (Slots::CONSTRAINED, 15),
        (Slots::STANDARD, 40),
        (Slots::IMMEDIATE, 100),
    ] {
        let messages = run(slots, || Channel::new(0, 0, 1), epochs, 1);
        let lossy = run(slots, || Channel::new(30, 10, 8), epochs, 2);
        println!("{slots:?}: {epochs} epochs in {messages} messages, {lossy} on the bad channel");
        assert!(lossy > messages);
    }
}

/// A sender whose messages are all lost goes through all 65,536 codewords and begins again; any one message
/// of 38 codewords is enough, also the one that wraps around.
#[test]
fn codewords_wrap_around() {
    let rng = &mut SeededRng::new(3);
    let [mut one, mut other] = sides(Slots::IMMEDIATE);
    let wrapping = loop {
        let piece = one.kem.send(rng).unwrap().piece;
        if piece.index > u16::MAX - 37 {
            break piece;
        }
    };
    assert_eq!(wrapping.index, 65_512);
    let next = one.kem.send(rng).unwrap().piece;
    assert_eq!(next.index, 14);
    assert!(other.kem.receive(&wrapping).unwrap().is_none());
    let answer = other.kem.send(rng).unwrap();
    let key = answer.output.unwrap();
    let same = one.kem.receive(&answer.piece).unwrap().unwrap();
    assert!(same.epoch == 1 && same.key.equals(key.key.expose()));
}
