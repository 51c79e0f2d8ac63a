//! C4 to C7 and C11: what a malicious peer or a long loss can make a session do, and what a copied state gives.

use std::collections::BTreeSet;

use marline::{Error, InitiateOptions, Padding, Session, Slots, StateKey};

use super::a_points::refuse;
use super::attacker::{Attacker, Header};
use super::common::*;
use super::craft::hostile_initiator;
use super::structures::*;

/// 2^31.
const END: u32 = 1 << 31;

#[test]
fn c4_jumps_beyond_the_limit_are_refused_in_both_ratchets() {
    let rng = &mut SeededRng::new(70);
    let (mut attacker, mut victim) = hostile_initiator(4, rng);
    let honest = attacker.header();
    assert_eq!((honest.n, honest.pq_n), (1, 1));
    let with = |n, pq_n, pn| Header {
        n,
        pq_n,
        pn,
        ..honest.clone()
    };
    for (header, error) in [
        (with(25_002, 1, 0), Error::TooFarAhead),
        (with(1, 25_002, 0), Error::TooFarAhead),
        (with(END - 1, 1, 0), Error::TooFarAhead),
        (with(1, END - 1, 0), Error::TooFarAhead),
        (with(END, 1, 0), Error::Malformed),
        (with(u32::MAX, 1, 0), Error::Malformed),
        (with(1, END, 0), Error::Malformed),
        (with(1, u32::MAX, 0), Error::Malformed),
        (with(1, 1, END), Error::Malformed),
        (with(1, 1, u32::MAX), Error::Malformed),
    ] {
        let message = attacker.clone().send(&header);
        refuse(&mut victim, &message, error);
    }
    // 25,000 is within it, at once in both.
    let header = attacker.lose(25_000).header();
    assert_eq!((header.n, header.pq_n), (25_001, 25_001));
    assert!(victim.decrypt(&attacker.send(&header)).is_ok());
    assert_eq!(victim.facts().skipped, (2_000, 2_000));
}

#[test]
fn c4_a_step_may_jump_over_no_more_in_both_its_chains_together() {
    let rng = &mut SeededRng::new(71);
    let pair = answered(rng);
    let mut peer = Attacker::of(&pair.a);
    let honest = peer.step([3; 32]).header();
    assert_eq!((honest.n, honest.pn), (0, 1));
    for (pn, n) in [
        (25_002, 0),
        (0, 25_001),
        (1, 25_001),
        (15_001, 10_001),
        (END - 1, END - 1),
    ] {
        let mut victim = Session::from_state(&pair.b.to_state()).unwrap();
        let message = peer.clone().send(&Header {
            pn,
            n,
            ..honest.clone()
        });
        refuse(&mut victim, &message, Error::TooFarAhead);
    }
    // A pn below what has arrived is no jump; one within the limit leaves its keys.
    for (pn, skipped) in [(0, 0), (1, 0), (25_001, 2_000)] {
        let mut victim = Session::from_state(&pair.b.to_state()).unwrap();
        let message = peer.clone().send(&Header {
            pn,
            ..honest.clone()
        });
        assert!(victim.decrypt(&message).is_ok());
        assert_eq!(victim.facts().skipped, (skipped, 0));
    }
}

#[test]
fn c5_a_session_goes_on_after_a_hundred_thousand_lost_messages() {
    let rng = &mut SeededRng::new(72);
    let (mut attacker, mut victim) = hostile_initiator(1, rng);
    let header = attacker.header();
    let oldest = attacker.clone().send(&header);
    for _ in 0..5 {
        let header = attacker.lose(20_000 - 500).header();
        let late = attacker.clone().send(&header);
        let header = attacker.lose(500).header();
        assert!(victim.decrypt(&attacker.send(&header)).is_ok());
        assert_eq!(victim.facts().skipped, (2_000, 2_000));
        // The newest keys are kept, the oldest are gone.
        assert!(victim.decrypt(&late).is_ok());
        refuse(&mut victim, &late, Error::Duplicate);
        refuse(&mut victim, &oldest, Error::TooOld);
    }
    assert!(attacker.header().n > 100_000);
    // 38 bytes a key, 77 in both ratchets, as stated.
    assert!(victim.to_state().len() <= 4_000 * 38 + 3_000);
    // A restart keeps them, a month takes them.
    let mut restarted = Session::from_state(&victim.to_state()).unwrap();
    restarted.maintain(NOW);
    assert_eq!(restarted.facts().skipped, victim.facts().skipped);
    restarted.maintain(NOW + 30 * DAY);
    assert_eq!(restarted.facts().skipped, (0, 0));
    assert!(
        restarted
            .decrypt(&attacker.clone().send(&attacker.header()))
            .is_ok()
    );
}

/// A pair whose next message from B has this number in the ratchets chosen.
fn near_the_end(classical: bool, post_quantum: bool, n: u32) -> (Session, Session) {
    let pair = answered(&mut SeededRng::new(73));
    let mut sender = SessionState::parse(&pair.b.to_state());
    let mut receiver = SessionState::parse(&pair.a.to_state());
    if classical {
        let Turn::Sending { chain, .. } = &mut sender.double.turn else {
            panic!("not sending")
        };
        chain.n = n;
        receiver.double.receiving.as_mut().unwrap().n = n;
    }
    if post_quantum {
        sender.sparse.current.send.as_mut().unwrap().n = n;
        receiver.sparse.current.receive.n = n;
    }
    let session = |state: SessionState| Session::from_state(&state.bytes()).unwrap();
    (session(receiver), session(sender))
}

#[test]
fn c6_numbers_end_and_never_wrap() {
    let rng = &mut SeededRng::new(74);
    for (classical, post_quantum) in [(true, false), (false, true), (true, true)] {
        let (mut a, mut b) = near_the_end(classical, post_quantum, END - 3);
        deliver(&mut b, &mut a, b"the last but one", rng);
        deliver(&mut b, &mut a, b"the last", rng);
        let before = b.to_state();
        assert_eq!(b.encrypt(b"", rng).err(), Some(Error::Limit));
        assert_eq!(b.to_state(), before);
        // The other direction goes on. A step begins a new classical chain, the post-quantum one has ended.
        deliver(&mut a, &mut b, b"", rng);
        assert_eq!(b.encrypt(b"", rng).is_ok(), !post_quantum);
    }
    // A state beyond the end is refused.
    let (_, b) = near_the_end(true, false, END - 1);
    let mut state = SessionState::parse(&b.to_state());
    let Turn::Sending { chain, .. } = &mut state.double.turn else {
        panic!("not sending")
    };
    chain.n = END;
    assert_eq!(
        Session::from_state(&state.bytes()).err(),
        Some(Error::Malformed)
    );
}

#[test]
fn c6_epochs_end_and_never_wrap() {
    let rng = &mut SeededRng::new(75);
    let pair = answered_with(
        InitiateOptions {
            slots: Slots::IMMEDIATE,
            ..Default::default()
        },
        rng,
    );
    // B holds the key of epoch 1 and has answered; let it be the last epoch there is.
    let mut state = SessionState::parse(&pair.b.to_state());
    let next = END - 1;
    state.scka.epoch = next;
    state.sparse.current.epoch = next;
    state.sparse.previous.as_mut().unwrap().epoch = next - 1;
    let mut victim = Session::from_state(&state.bytes()).unwrap();
    let mut peer = Attacker::of(&pair.a);
    peer.step([3; 32]);
    for epoch in [END, u32::MAX] {
        let header = Header {
            epoch,
            ..peer.header()
        };
        refuse(&mut victim, &peer.clone().send(&header), Error::Malformed);
    }
    state.scka.epoch = END;
    assert_eq!(
        Session::from_state(&state.bytes()).err(),
        Some(Error::Malformed)
    );
}

#[test]
fn c7_two_encryptions_from_one_state_never_share_key_and_nonce() {
    let rng = &mut SeededRng::new(76);
    let pair = answered(rng);
    // B at turn Sending: every copy uses the same message key, so every nonce must be another. A at turn Step: another key.
    let (mut nonces, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for n in 0..200u8 {
        let mut copy = Session::from_state(&pair.b.to_state()).unwrap();
        let message = copy.encrypt(&[n], rng).unwrap();
        assert!(nonces.insert(message[2..14].to_vec()));
        let mut receiver = Session::from_state(&pair.a.to_state()).unwrap();
        assert_eq!(receiver.decrypt(&message).unwrap().plaintext(), [n]);
        let mut copy = Session::from_state(&pair.a.to_state()).unwrap();
        let message = copy.encrypt(&[n], rng).unwrap();
        assert!(nonces.insert(message[2..14].to_vec()));
        assert!(keys.insert(Attacker::of(&copy).state.double.root));
    }
}

#[test]
fn c7_a_crash_between_preparing_and_committing_loses_nothing() {
    let rng = &mut SeededRng::new(77);
    let mut pair = answered(rng);
    let key = StateKey::new(&mut [1; 32]);
    let before = pair.b.to_state();
    // A crash before the state is stored: as if nothing had been.
    let pending = pair
        .b
        .prepare_encrypt(b"text", b"", Padding::default(), rng)
        .unwrap();
    let stored = pending.state(&key, rng).unwrap();
    let generation = pending.generation();
    drop(pending);
    assert_eq!(pair.b.to_state(), before);
    // A crash after it was stored: a message number is lost, nothing is used twice.
    let mut restarted = Session::import(&key, &stored, generation).unwrap();
    deliver(&mut restarted, &mut pair.a, b"after the crash", rng);
    // A change prepared before another one is refused, and changes nothing.
    let pending = pair
        .b
        .prepare_encrypt(b"stale", b"", Padding::default(), rng)
        .unwrap();
    let _message = pair.b.encrypt(b"first", rng).unwrap();
    let before = pair.b.to_state();
    assert_eq!(pair.b.commit(pending).err(), Some(Error::Stale));
    assert_eq!(pair.b.to_state(), before);
    // An older stored state is refused where the caller keeps the generation.
    assert_eq!(
        Session::import(&key, &stored, generation + 1).err(),
        Some(Error::Rollback)
    );
}

#[test]
fn c11_nothing_private_for_later_is_drawn_while_receiving() {
    let rng = &mut SeededRng::new(78);
    for slots in [Slots::STANDARD, Slots::IMMEDIATE] {
        let options = InitiateOptions {
            slots,
            ..Default::default()
        };
        let mut pair = unanswered_with(options, rng);
        for turn in 0..150 {
            let (from, to) = if turn % 2 == 0 {
                (&mut pair.b, &mut pair.a)
            } else {
                (&mut pair.a, &mut pair.b)
            };
            let before = SessionState::parse(&to.to_state());
            deliver(from, to, b"", rng);
            let after = SessionState::parse(&to.to_state());
            // No ratchet secret: it is drawn by the next send.
            assert!(matches!(after.double.turn, Turn::Step { .. }));
            // No new KEM key and no encapsulation.
            let tag = |state: &SessionState| state.scka.state.bytes()[0];
            match &after.scka.state {
                SckaState::SendingKey { .. } | SckaState::SendingCt { .. } => {
                    assert_eq!(
                        (tag(&after), after.scka.epoch),
                        (tag(&before), before.scka.epoch)
                    );
                }
                SckaState::ReceivingCt { seed, .. } => {
                    assert!(before.scka.bytes().windows(64).any(|w| w == seed))
                }
                _ => {}
            }
        }
    }
}
