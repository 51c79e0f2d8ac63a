//! The edges of rules, and what no other test would notice (`docs/mutants.md`).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[allow(dead_code)] // The attack checklist uses all of it.
#[path = "attacks/structures.rs"]
mod structures;

use common::*;
use marline::hazmat::frame::Frame;
use marline::limits::{MAX_PATH, MAX_PLAINTEXT};
use marline::{Account, Contact, Error, InitiateOptions, Padding, PrekeyBundle, Session, Slots};
use structures::{AccountState, Bundle, Record, SckaState, SessionState, Wire};

fn with_slots(slots: Slots) -> InitiateOptions<'static> {
    InitiateOptions {
        slots,
        ..Default::default()
    }
}

#[test]
fn a_prepared_change_of_another_session_of_the_same_device_is_stale() {
    let rng = &mut SeededRng::new(1);
    let (mut alice, mut bob) = accounts(rng);
    let mut carol = Account::generate("carol@example.org", rng).unwrap();
    let mut start = |peer: &mut Account| {
        let bundle = peer.publish(1, NOW, rng).unwrap().bundle();
        let (session, first) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
        (session, peer.accept(&first, NOW).unwrap().session)
    };
    let ((mut to_bob, mut at_bob), (to_carol, _)) = (start(&mut bob), start(&mut carol));
    let prepare = |session: &Session| {
        session.prepare_encrypt(b"text", b"", Padding::None, &mut SeededRng::new(2))
    };
    assert_eq!(to_bob.generation(), to_carol.generation());
    assert_eq!(
        to_bob.commit(prepare(&to_carol).unwrap()).err(),
        Some(Error::Stale)
    );
    // The same session, the other side of it.
    let answer = at_bob.encrypt(b"", &mut SeededRng::new(3)).unwrap();
    let _opened = to_bob.decrypt(&answer).unwrap();
    assert_eq!(
        (to_bob.generation(), to_bob.id()),
        (at_bob.generation(), at_bob.id())
    );
    assert_eq!(
        to_bob.commit(prepare(&at_bob).unwrap()).err(),
        Some(Error::Stale)
    );
    assert!(to_bob.commit(prepare(&to_bob).unwrap()).is_ok());
}

#[test]
fn labels_and_contexts_of_exported_secrets_end_at_16_mib() {
    let pair = answered(&mut SeededRng::new(4));
    let long = vec![0; (16 << 20) + 1];
    let longest = &long[1..];
    assert!(pair.a.export_secret(longest, b"", 32).is_ok());
    assert!(pair.a.export_secret(b"", longest, 32).is_ok());
    assert_eq!(
        pair.a.export_secret(&long, b"", 32).err(),
        Some(Error::Limit)
    );
    assert_eq!(
        pair.a.export_secret(b"", &long, 32).err(),
        Some(Error::Limit)
    );
}

#[test]
fn of_the_keys_skipped_in_two_chains_the_oldest_go() {
    let rng = &mut SeededRng::new(5);
    let Pair { mut a, mut b, .. } = answered_with(with_slots(Slots::CONSTRAINED), rng);
    let late = [(); 2].map(|()| {
        let late: Vec<_> = (0..1_500)
            .map(|_| b.encrypt(b"late", rng).unwrap())
            .collect();
        deliver(&mut b, &mut a, b"on time", rng);
        deliver(&mut a, &mut b, b"another chain", rng);
        late
    });
    assert_eq!(a.facts().skipped, (2_000, 2_000));
    assert_eq!(a.decrypt(&late[0][999]).err(), Some(Error::TooOld));
    for late in [&late[0][1_000], &late[1][0], &late[1][1_499]] {
        assert_eq!(a.decrypt(late).unwrap().plaintext(), b"late");
    }
    assert_eq!(a.facts().skipped, (1_997, 1_997));
}

#[test]
fn a_state_without_the_sending_chain_of_the_agreements_epoch_is_refused() {
    let rng = &mut SeededRng::new(6);
    let pair = answered_with(with_slots(Slots::IMMEDIATE), rng);
    let mut state = SessionState::parse(&pair.b.to_state());
    assert!(matches!(state.scka.state, SckaState::SendingCt { .. }));
    assert!(Session::from_state(&state.bytes()).is_ok());
    // Its ciphertext is not acknowledged: it still sends under the epoch before.
    state.sparse.previous.as_mut().unwrap().send = None;
    assert_eq!(
        Session::from_state(&state.bytes()).err(),
        Some(Error::Malformed)
    );
}

#[test]
fn the_simulated_thief_has_the_classical_part_of_the_other_copy_only() {
    let rng = &mut SeededRng::new(7);
    let Pair { mut a, mut b, .. } = answered(rng);
    let copy = Session::from_state(&a.to_state()).unwrap();
    let before = SessionState::parse(&copy.to_state());
    deliver(&mut a, &mut b, b"", rng);
    deliver(&mut b, &mut a, b"", rng);
    let after = SessionState::parse(&a.to_state());
    let thief = SessionState::parse(&copy.with_classical_part_of(a).to_state());
    assert_eq!(
        (&thief.double, &thief.sparse),
        (&after.double, &before.sparse)
    );
    assert!(thief.double != before.double && thief.sparse != after.sparse);
}

#[test]
fn a_merkle_path_is_at_most_as_long_as_the_largest_tree_is_deep() {
    let (_, mut bob) = accounts(&mut SeededRng::new(8));
    let bundle = bob
        .publish(1, NOW, &mut SeededRng::new(9))
        .unwrap()
        .bundle();
    let with_path = |length: usize| {
        let mut bundle = Bundle::parse(&bundle.to_bytes());
        let Record::OneTime { path, .. } = &mut bundle.record else {
            panic!("no one-time prekey")
        };
        path.0.resize(length, [0; 32]);
        PrekeyBundle::from_bytes(&bundle.bytes()).err()
    };
    assert_eq!(with_path(MAX_PATH), None);
    assert_eq!(with_path(MAX_PATH + 1), Some(Error::Malformed));
}

#[test]
fn a_state_with_the_same_one_time_prekey_twice_is_refused() {
    let (_, mut bob) = accounts(&mut SeededRng::new(10));
    let _publication = bob.publish(2, NOW, &mut SeededRng::new(11)).unwrap();
    let mut state = AccountState::parse(&bob.to_state());
    assert!(Account::from_state(&state.bytes()).is_ok());
    let onetime = &mut state.publications.0[0].onetime.0;
    onetime[1] = onetime[0].clone();
    assert_eq!(
        Account::from_state(&state.bytes()).err(),
        Some(Error::Malformed)
    );
}

#[test]
fn a_contact_sends_16_mib_with_its_frame_and_not_a_byte_more() {
    let rng = &mut SeededRng::new(12);
    let (mut alice, mut bob) = accounts(rng);
    let mut contact = Contact::new(bob.id());
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let options = InitiateOptions::default();
    let _first = contact
        .initiate(&mut alice, &bundle, b"", options, NOW, rng)
        .unwrap();
    let large = vec![0; MAX_PLAINTEXT - Frame::OVERHEAD + 1];
    assert_eq!(contact.send(&large, rng), Err(Error::Limit));
    assert!(contact.send(&large[1..], rng).is_ok());
}

#[test]
fn m_ct_06_a_first_session_with_an_accepted_identity_is_no_reset() {
    let rng = &mut SeededRng::new(13);
    let (mut alice, mut bob) = accounts(rng);
    let mut contact = Contact::new(bob.id());
    let mut fresh = Account::generate(BOB, rng).unwrap();
    let options = InitiateOptions::default();
    let former = bob.publish(1, NOW, rng).unwrap().bundle();
    let _reset = contact
        .reset(&mut alice, &former, options, NOW, rng)
        .unwrap();

    let bundle = fresh.publish(1, NOW, rng).unwrap().bundle();
    assert_eq!(contact.changed_identity(), None);
    let _event = contact.observe(fresh.id()).unwrap();
    assert_eq!(contact.changed_identity(), Some(fresh.id()));
    contact.acknowledge(fresh.id()).unwrap();
    assert_eq!(contact.changed_identity(), None);
    assert!(contact.sending().is_none());
    assert!(
        contact
            .initiate(&mut alice, &bundle, b"", options, NOW + 1, rng)
            .is_ok()
    );
}

#[test]
fn a_session_ranks_above_the_floor() {
    let rng = &mut SeededRng::new(14);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let options = InitiateOptions::default();
    for (floor, rank) in [
        (0, NOW),
        (NOW - 1, NOW),
        (NOW, NOW + 1),
        (NOW + 9, NOW + 10),
    ] {
        let mut contact = Contact::new(bob.id());
        contact.set_rank_floor(floor);
        assert_eq!(contact.highest_rank(), floor);
        let _first = contact
            .initiate(&mut alice, &bundle, b"", options, NOW, rng)
            .unwrap();
        assert_eq!(contact.highest_rank(), rank);
    }
}

#[test]
fn a_contact_owns_no_message_that_is_not_an_initial_one() {
    let Pair { bob, mut a, .. } = answered(&mut SeededRng::new(15));
    let contact = Contact::new(bob.id());
    let message = a.encrypt(b"", &mut SeededRng::new(16)).unwrap();
    assert!(!contact.owns(&message) && !contact.owns(b""));
}

#[test]
fn safety_numbers_are_shown_in_twelve_groups_of_five_digits() {
    let (alice, bob) = accounts(&mut SeededRng::new(17));
    let number = alice.safety_number(&bob.id());
    let shown = number.to_string();
    assert_eq!(format!("{number:?}"), shown);
    let groups: Vec<_> = shown.split(' ').collect();
    assert_eq!(groups.len(), 12);
    assert!(groups.iter().all(|group| group.len() == 5));
    assert_eq!(groups.concat(), number.digits());
}
