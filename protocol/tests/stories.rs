//! Stories of two devices in conversation (spec section 5).
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Channel, SeededRng, answered, answered_with, deliver, unanswered};
use marline::{Error, InitiateOptions, Session, Slots};

#[test]
fn messages_in_order_arrive_with_their_sender() {
    let rng = &mut SeededRng::new(1);
    let mut pair = unanswered(rng);
    assert!(!pair.a.facts().peer_has_answered && pair.b.facts().peer_has_answered);
    for i in 0..300 {
        let text = rng.bytes(i);
        let (from, to, sender) = if rng.percent(50) {
            (&mut pair.a, &mut pair.b, &pair.alice)
        } else {
            (&mut pair.b, &mut pair.a, &pair.bob)
        };
        let message = from.encrypt(&text, rng).unwrap();
        let opened = to.decrypt(&message).unwrap();
        assert_eq!(opened.plaintext(), text);
        assert_eq!(opened.peer().identity, sender.id());
        assert_eq!(&opened.peer().subject, sender.subject());
    }
    assert!(pair.a.facts().peer_has_answered);
    let facts = [pair.a.facts(), pair.b.facts()];
    assert_eq!(facts[0].session_id, facts[1].session_id);
    assert!(facts.iter().all(|facts| facts.epoch > 5));
    assert!(
        facts
            .iter()
            .all(|facts| facts.skipped == (0, 0) && !facts.failed)
    );
}

#[test]
fn thirty_percent_loss_costs_exactly_the_lost_messages() {
    let rng = &mut SeededRng::announced(2);
    let mut pair = answered(rng);
    let mut channel = Channel::new(30, 0, 1);
    let (mut lost, mut sent) = (0, 0);
    while sent < 3_000 {
        std::mem::swap(&mut pair.a, &mut pair.b);
        for _ in 0..rng.below(4) {
            let text = rng.bytes(20);
            let message = pair.a.encrypt(&text, rng).unwrap();
            sent += 1;
            lost += usize::from(!channel.send((message, text), rng));
            if let Some((message, text)) = channel.receive(rng) {
                assert_eq!(pair.b.decrypt(&message).unwrap().plaintext(), text);
            }
        }
    }
    assert!((700..1_100).contains(&lost), "{lost} of {sent}");
    assert!(pair.a.facts().epoch > 30);
}

#[test]
fn a_duplicate_is_told_apart_and_changes_nothing() {
    let rng = &mut SeededRng::new(3);
    let mut pair = answered(rng);
    let mut seen = Vec::new();
    for turn in 0..6 {
        for _ in 0..3 {
            let message = pair.a.encrypt(b"once", rng).unwrap();
            assert_eq!(pair.b.decrypt(&message).unwrap().plaintext(), b"once");
            seen.push((turn, message));
        }
        let state = pair.b.to_state();
        let mut restarted = Session::from_state(&state).unwrap();
        // Messages of the other turns went the other way.
        for (_, message) in seen.iter().filter(|(sent_in, _)| sent_in % 2 == turn % 2) {
            for session in [&mut pair.b, &mut restarted] {
                assert_eq!(session.decrypt(message).err(), Some(Error::Duplicate));
                assert_eq!(session.to_state(), state);
            }
        }
        std::mem::swap(&mut pair.a, &mut pair.b);
    }
}

#[test]
fn one_side_silent_for_ten_thousand_messages() {
    let rng = &mut SeededRng::new(4);
    let mut pair = answered(rng);
    let epoch = pair.a.facts().epoch;
    for i in 0..10_000u32 {
        deliver(&mut pair.a, &mut pair.b, &i.to_be_bytes(), rng);
    }
    // Nothing heals without an answer, and the facts say so.
    let facts = pair.a.facts();
    assert_eq!(facts.epoch, epoch);
    assert_eq!(facts.messages_since_epoch, 10_002);
    assert_eq!(pair.b.facts().skipped, (0, 0));
    for i in 0..200u8 {
        deliver(&mut pair.b, &mut pair.a, &[i], rng);
        deliver(&mut pair.a, &mut pair.b, &[i], rng);
    }
    assert!(pair.a.facts().epoch >= epoch + 9);
    assert!(pair.a.facts().messages_since_epoch < 80);
}

#[test]
fn of_ten_thousand_unheard_messages_the_last_two_thousand_are_kept() {
    let rng = &mut SeededRng::new(5);
    let options = InitiateOptions {
        slots: Slots::CONSTRAINED,
        ..Default::default()
    };
    let mut pair = answered_with(options, rng);
    let sent: Vec<_> = (0..10_000u32)
        .map(|i| pair.a.encrypt(&i.to_be_bytes(), rng).unwrap())
        .collect();
    let last = pair.b.decrypt(&sent[9_999]).unwrap();
    assert_eq!(last.plaintext(), 9_999u32.to_be_bytes());
    assert_eq!(pair.b.facts().skipped, (2_000, 2_000));
    for (i, message) in sent.iter().enumerate().step_by(13) {
        let arrived = pair.b.decrypt(message).map(|opened| opened.into_parts().1);
        let expected = if i < 7_999 {
            Err(Error::TooOld)
        } else {
            Ok((i as u32).to_be_bytes().to_vec())
        };
        assert_eq!(arrived, expected, "{i}");
    }
    deliver(&mut pair.b, &mut pair.a, b"still here", rng);
}

#[test]
fn both_sides_restart_after_every_message() {
    let rng = &mut SeededRng::new(6);
    let mut pair = unanswered(rng);
    for i in 0..200u8 {
        pair.a = Session::from_state(&pair.a.to_state()).unwrap();
        pair.b = Session::from_state(&pair.b.to_state()).unwrap();
        deliver(&mut pair.a, &mut pair.b, &[i], rng);
        if rng.percent(60) {
            std::mem::swap(&mut pair.a, &mut pair.b);
        }
    }
    assert!(pair.a.facts().epoch >= 3);
}

#[test]
fn associated_data_is_agreed_and_not_sent() {
    let rng = &mut SeededRng::new(7);
    let options = InitiateOptions {
        ad: b"first ad",
        ..Default::default()
    };
    let mut pair = answered_with(options, rng);
    let padding = Default::default();
    let message = pair
        .a
        .encrypt_with(b"text", b"room 1", padding, rng)
        .unwrap();
    let state = pair.b.to_state();
    for wrong in [&b"room 2"[..], b"room ", b"room 11", b""] {
        let result = pair.b.decrypt_with(&message, wrong);
        assert_eq!(result.err(), Some(Error::Authentication));
        assert_eq!(pair.b.to_state(), state);
    }
    let opened = pair.b.decrypt_with(&message, b"room 1").unwrap();
    assert_eq!(opened.plaintext(), b"text");
}

#[test]
fn two_sessions_of_the_same_devices_do_not_mix() {
    let rng = &mut SeededRng::new(8);
    let mut one = answered(rng);
    let bundle = one.bob.publish(1, common::NOW, rng).unwrap().bundle();
    let (mut a, first) = one
        .alice
        .initiate(&bundle, b"again", common::NOW, rng)
        .unwrap();
    let mut b = one.bob.accept(&first, common::NOW).unwrap().session;
    assert_ne!(a.id(), one.a.id());
    for (from, to) in [(&mut a, &mut one.b), (&mut one.a, &mut b)] {
        let state = to.to_state();
        let message = from.encrypt(b"to the other session", rng).unwrap();
        assert_eq!(to.decrypt(&message).err(), Some(Error::Authentication));
        assert_eq!(to.to_state(), state);
    }
}
