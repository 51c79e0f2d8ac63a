//! Bytes and counts that are promised exactly (issue 2, "Bounds"; spec sections 5.4, 6 and 7).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod common;

use common::{NOW, Pair, SeededRng, answered, answered_with, deliver, unanswered_with};
use marline::{Account, Error, InitiateOptions, Padding, Session, Slots};
use proptest::prelude::*;

fn slots(slots: Slots) -> InitiateOptions<'static> {
    InitiateOptions {
        slots,
        ..Default::default()
    }
}

/// The formula of section 5.4: version, type, nonce; a header of 51 bytes and its codewords with a tag; a tag.
#[test]
fn overhead_per_message() {
    for (preset, exact, promised) in [
        (Slots::CONSTRAINED, 129, 134),
        (Slots::STANDARD, 225, 230),
        (Slots::IMMEDIATE, 1_313, 1_313),
    ] {
        let codewords = usize::from(preset.get()) * 32;
        assert_eq!(exact, 1 + 1 + 12 + (51 + codewords + 16) + 16);
        assert!(exact <= promised && preset.overhead() == exact);
        let rng = &mut SeededRng::new(1);
        let mut pair = answered_with(slots(preset), rng);
        for length in [0, 1, 15, 16, 17, 1_000, 100_000] {
            let text = vec![7; length];
            let message = pair.a.encrypt_with(&text, b"ad", Padding::None, rng);
            // The one byte is the padding's marker.
            assert_eq!(message.unwrap().len(), length + 1 + exact);
        }
    }
}

/// Every message of a session has the same length for the same padded plaintext, whatever the ratchets do.
#[test]
fn the_length_shows_nothing_of_the_ratchets() {
    let rng = &mut SeededRng::new(2);
    for preset in [Slots::CONSTRAINED, Slots::STANDARD, Slots::IMMEDIATE] {
        let mut pair = answered_with(slots(preset), rng);
        for _ in 0..150 {
            if rng.percent(50) {
                std::mem::swap(&mut pair.a, &mut pair.b);
            }
            let length = rng.below(64);
            let message = pair.a.encrypt(&vec![1; length], rng).unwrap();
            assert_eq!(message.len(), 64 + preset.overhead());
            assert_eq!(pair.b.decrypt(&message).unwrap().plaintext().len(), length);
        }
    }
}

/// The length of a first flight: 2 + 9 + 1 + 32 + 1568 + 2, and sealed identity, subject and signature.
#[test]
fn initial_messages_have_the_length_of_the_specification() {
    let rng = &mut SeededRng::new(3);
    let (mut alice, mut bob) = common::accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    for (bundle, ids) in [
        (publication.bundle(), 9),
        (publication.last_resort_bundle(), 5),
    ] {
        let (_, first) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
        let sealed = 1_985 + 1 + common::ALICE.len() + 3_373 + 16;
        let flight = 2 + ids + 1 + 32 + 1_568 + 2 + sealed;
        assert_eq!(first.len(), flight + 225 + 64);
    }
}

fn any_padding() -> impl Strategy<Value = Padding> {
    prop_oneof![
        Just(Padding::None),
        any::<u16>().prop_map(|floor| Padding::Padme { floor }),
        any::<u16>().prop_map(Padding::Block),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Before the peer's answer, after it, and on the responder's side.
    #[test]
    fn the_length_of_a_message_is_known_before_it_is_encrypted(
        slots_each in 1u8..=38,
        answer_at in 0usize..4,
        messages in prop::collection::vec((0usize..5_000, any_padding()), 4),
    ) {
        let rng = &mut SeededRng::new(9);
        let preset = Slots::new(slots_each).unwrap();
        let mut pair = unanswered_with(slots(preset), rng);
        for (at, (length, padding)) in messages.into_iter().enumerate() {
            if at == answer_at {
                deliver(&mut pair.b, &mut pair.a, b"answer", rng);
            }
            for from in [&mut pair.a, &mut pair.b] {
                let known = from.message_len(length, padding);
                let message = from.encrypt_with(&vec![1; length], b"", padding, rng).unwrap();
                prop_assert_eq!(known, Ok(message.len()));
            }
        }
    }
}

#[test]
fn the_length_of_a_message_above_the_limit_is_refused() {
    let rng = &mut SeededRng::new(10);
    let pair = unanswered_with(slots(Slots::STANDARD), rng);
    let (last, first_refused) = (16 << 20, (16 << 20) + 1);
    assert!(pair.a.message_len(last, Padding::None).is_ok());
    let refused = pair.a.message_len(first_refused, Padding::None);
    assert_eq!(refused, Err(Error::Limit));
}

/// The largest state of both sides over 10,000 messages without a skipped key, sides at random.
fn largest_state(mut pair: Pair, rng: &mut SeededRng) -> usize {
    let mut largest = 0;
    for _ in 0..10_000 {
        if rng.percent(50) {
            std::mem::swap(&mut pair.a, &mut pair.b);
        }
        deliver(&mut pair.a, &mut pair.b, b"text", rng);
        assert_eq!(pair.a.facts().skipped, (0, 0));
        assert_eq!(pair.b.facts().skipped, (0, 0));
        let lengths = [pair.a.to_state().len(), pair.b.to_state().len()];
        largest = largest.max(lengths[0]).max(lengths[1]);
    }
    assert!(pair.a.facts().epoch > 50);
    largest
}

/// Subjects of 17 and 15 bytes here; the next test has the longest.
#[test]
fn a_session_without_skipped_keys_takes_at_most_3000_bytes() {
    let rng = &mut SeededRng::announced(4);
    let largest = largest_state(answered(rng), rng);
    println!("largest state with short subjects: {largest} bytes");
    assert!(largest <= 3_000);
}

#[test]
fn also_with_subjects_of_255_bytes_and_all_slots() {
    let rng = &mut SeededRng::announced(5);
    for preset in [Slots::STANDARD, Slots::IMMEDIATE] {
        let mut alice = Account::generate([b'a'; 255], rng).unwrap();
        let mut bob = Account::generate([b'b'; 255], rng).unwrap();
        let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
        let (mut a, first) = alice
            .initiate_with(&bundle, b"", slots(preset), NOW, rng)
            .unwrap();
        let mut b = bob.accept(&first, NOW).unwrap().session;
        deliver(&mut b, &mut a, b"answer", rng);
        let mut largest = 0;
        for _ in 0..500 {
            if rng.percent(50) {
                std::mem::swap(&mut a, &mut b);
            }
            deliver(&mut a, &mut b, b"text", rng);
            largest = largest.max(a.to_state().len()).max(b.to_state().len());
        }
        println!("largest state with subjects of 255 bytes: {largest} bytes");
        assert!(largest <= 3_000);
    }
}

/// 2,000 keys in each ratchet: what one message can leave behind at most.
#[test]
fn two_thousand_skipped_keys_take_at_most_160_kilobytes() {
    let rng = &mut SeededRng::new(6);
    let mut pair = answered_with(slots(Slots::CONSTRAINED), rng);
    // The first of the burst makes the receiving chain: there is something to compare with.
    deliver(&mut pair.a, &mut pair.b, b"first of a burst", rng);
    let before = pair.b.to_state().len();
    let mut last = Vec::new();
    for _ in 0..=2_500 {
        last = pair.a.encrypt(b"lost", rng).unwrap();
    }
    assert_eq!(pair.b.decrypt(&last).unwrap().plaintext(), b"lost");
    assert_eq!(pair.b.facts().skipped, (2_000, 2_000));
    let after = pair.b.to_state().len();
    println!(
        "2,000 skipped keys in each ratchet: {} bytes",
        after - before
    );
    assert!(after <= 160_000);
    // Number, day and key; and one codeword that the message brought.
    assert_eq!(after - before, 2 * 2_000 * (4 + 2 + 32) + (2 + 32));
}

/// Messages each way in turn; how many of them an epoch took, for the first `epochs`.
fn messages_per_epoch(preset: Slots, epochs: u32, loss: usize, rng: &mut SeededRng) -> Vec<usize> {
    let Pair { mut a, mut b, .. } = unanswered_with(slots(preset), rng);
    let (mut sent, mut completed_at) = (1, Vec::new());
    let known = |a: &Session, b: &Session| a.facts().epoch.min(b.facts().epoch);
    while known(&a, &b) < epochs {
        let before = known(&a, &b);
        let (from, to) = match sent % 2 {
            0 => (&mut a, &mut b),
            _ => (&mut b, &mut a),
        };
        let message = from.encrypt(b"ping", rng).unwrap();
        sent += 1;
        if !rng.percent(loss) {
            assert_eq!(to.decrypt(&message).unwrap().plaintext(), b"ping");
        }
        if known(&a, &b) > before {
            completed_at.push(sent);
        }
    }
    completed_at.windows(2).map(|at| at[1] - at[0]).collect()
}

#[test]
fn messages_per_epoch_in_ping_pong_are_37_and_3_and_145() {
    for (preset, exact) in [
        (Slots::STANDARD, 37),
        (Slots::IMMEDIATE, 3),
        (Slots::CONSTRAINED, 145),
    ] {
        let rng = &mut SeededRng::new(7);
        let counts = messages_per_epoch(preset, 12, 0, rng);
        assert_eq!(counts, [exact; 11], "{preset:?}");
    }
}

#[test]
fn with_thirty_percent_loss_an_epoch_takes_fewer_than_60_messages_on_average() {
    let rng = &mut SeededRng::announced(8);
    let counts = messages_per_epoch(Slots::STANDARD, 150, 30, rng);
    let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    println!("{mean:.1} messages per epoch at 30 % loss");
    assert!(counts.len() == 149 && mean < 60.0 && mean > 37.0);
}
