//! At most six allocations for a message of 100 bytes, on either side. A count, not a time: it is the same everywhere.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use getrandom::SysRng;
use marline::{Session, Slots};
use marline_benches::Pair;
use marline_benches::cost::allocations;
use marline_benches::measure::PROVIDER;

const LIMIT: u64 = 6;

/// Allocations of an encryption and of its decryption.
fn message(from: &mut Session, to: &mut Session) -> [u64; 2] {
    let before = allocations();
    let message = from.encrypt(&[7; 100], &mut SysRng).unwrap();
    let between = allocations();
    let opened = to.decrypt(&message).unwrap();
    let after = allocations();
    assert_eq!(opened.plaintext(), [7; 100]);
    [between - before, after - between]
}

/// The most that any of `counts` took, but for the `leave` dearest: those in which a key or ciphertext of the post-quantum
/// ratchet begins or ends.
fn most(counts: &[[u64; 2]], side: usize, leave: usize) -> u64 {
    let mut counts: Vec<u64> = counts.iter().map(|count| count[side]).collect();
    counts.sort();
    counts[counts.len() - 1 - leave]
}

#[test]
fn a_message_in_order_takes_at_most_six_allocations() {
    for slots in [Slots::CONSTRAINED, Slots::STANDARD, Slots::IMMEDIATE] {
        for initiator_sends in [true, false] {
            let pair = Pair::after_turns(slots, 1).unwrap();
            let (mut from, mut to) = (pair.initiator, pair.responder);
            if !initiator_sends {
                std::mem::swap(&mut from, &mut to);
            }
            message(&mut from, &mut to);
            let counts: Vec<_> = (0..200).map(|_| message(&mut from, &mut to)).collect();
            // At 38 slots the first message of the second direction brings the key.
            assert!(most(&counts, 0, 0) <= LIMIT, "{counts:?}");
            assert!(most(&counts, 1, 2) <= LIMIT, "{counts:?}");
        }
    }
}

#[test]
fn so_does_a_message_of_ping_pong_but_for_those_with_a_new_epoch() {
    let pair = Pair::after_turns(Slots::STANDARD, 20).unwrap();
    let (mut from, mut to) = (pair.initiator, pair.responder);
    // Two epochs in 74 messages.
    let counts: Vec<_> = (0..74)
        .map(|_| {
            let count = message(&mut from, &mut to);
            std::mem::swap(&mut from, &mut to);
            count
        })
        .collect();
    // What AWS-LC allocates for a key pair and an agreement, on its own.
    let limit = LIMIT + if PROVIDER == "aws-lc" { 6 } else { 0 };
    assert!(most(&counts, 0, 8) <= limit, "{counts:?}");
    assert!(most(&counts, 1, 8) <= limit, "{counts:?}");
}
