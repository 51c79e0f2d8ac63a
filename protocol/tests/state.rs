//! States (spec section 8): export and import, generations, prepare and commit, copies of one state.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::collections::HashSet;

use common::session_state::View;
use common::{DAY, FailingRng, NOW, Pair, SeededRng, answered, deliver, unanswered_with};
use marline::{Error, InitiateOptions, Padding, Session, Slots, StateKey};

fn key() -> StateKey {
    StateKey::new(&mut [7; 32])
}

/// A conversation of up to `messages` messages, with one of the presets.
fn conversation(messages: usize, rng: &mut SeededRng) -> Pair {
    let presets = [Slots::CONSTRAINED, Slots::STANDARD, Slots::IMMEDIATE];
    let options = InitiateOptions {
        slots: presets[rng.below(3)],
        ..Default::default()
    };
    let mut pair = unanswered_with(options, rng);
    for _ in 0..rng.below(messages) {
        let Pair { a, b, .. } = &mut pair;
        let (from, to) = if rng.percent(50) { (a, b) } else { (b, a) };
        deliver(from, to, b"before", rng);
    }
    pair
}

#[test]
fn a_restored_session_goes_on_exactly_like_the_one_it_was() {
    let rng = &mut SeededRng::announced(1);
    for _ in 0..25 {
        let Pair { mut a, mut b, .. } = conversation(60, rng);
        let restored = [&a, &b].map(|session| {
            let blob = session.export(&key(), rng).unwrap();
            let restored = Session::import(&key(), &blob, session.generation()).unwrap();
            assert_eq!(restored.to_state(), session.to_state());
            assert_eq!(restored.facts(), session.facts());
            restored
        });
        let [mut ra, mut rb] = restored;
        for i in 0..40u8 {
            let same = rng.clone();
            let message = a.encrypt(&[i], rng).unwrap();
            assert_eq!(ra.encrypt(&[i], &mut same.clone()).unwrap(), message);
            for session in [&mut b, &mut rb] {
                assert_eq!(session.decrypt(&message).unwrap().plaintext(), [i]);
            }
            assert_eq!(a.to_state(), ra.to_state());
            assert_eq!(b.to_state(), rb.to_state());
            if rng.percent(50) {
                (a, b, ra, rb) = (b, a, rb, ra);
            }
        }
    }
}

/// A copy, as a backup or a crash between sending and storing makes one.
#[test]
fn no_two_encryptions_from_one_state_share_key_and_nonce() {
    let rng = &mut SeededRng::announced(2);
    let (mut steps, mut others) = (0, 0);
    for _ in 0..40 {
        let Pair { mut a, mut b, .. } = conversation(80, rng);
        if rng.percent(50) {
            (a, b) = (b, a);
        }
        let state = a.to_state();
        let steps_now = View::of(&state).turn == 0;
        let start = a.encrypt(b"same text", rng).unwrap().len() - (a.facts().slots.overhead() + 64);
        let (mut nonces, mut bodies, mut ratchet_keys) =
            (HashSet::new(), HashSet::new(), HashSet::new());
        for _ in 0..20 {
            let mut copy = Session::from_state(&state).unwrap();
            let message = copy.encrypt(b"same text", rng).unwrap();
            let message = &message[start..];
            assert!(nonces.insert(message[2..14].to_vec()));
            assert!(bodies.insert(message[14..].to_vec()));
            ratchet_keys.insert(View::of(&copy.to_state()).own_public.unwrap());
            // Each of them is a message that the peer can read.
            let mut peer = Session::from_state(&b.to_state()).unwrap();
            assert_eq!(peer.decrypt(message).unwrap().plaintext(), b"same text");
        }
        // Where a step is due, it is drawn anew; else the copies share the message key, and the nonces keep them apart.
        assert_eq!(ratchet_keys.len(), if steps_now { 20 } else { 1 });
        steps += usize::from(steps_now);
        others += usize::from(!steps_now);
    }
    assert!(steps > 5 && others > 5);
}

/// Everything that changes a session, prepared, dropped, and then made.
#[test]
fn a_prepared_change_is_made_at_commit_and_not_before() {
    let rng = &mut SeededRng::new(3);
    let Pair { mut a, mut b, .. } = conversation(30, rng);
    for i in 0..60u8 {
        let (before_a, before_b) = (a.to_state(), b.to_state());
        let same = rng.clone();
        let dropped = a.prepare_encrypt(&[i], b"ad", Padding::None, rng).unwrap();
        drop(dropped);
        assert_eq!(a.to_state(), before_a);

        let pending = a
            .prepare_encrypt(&[i], b"ad", Padding::None, &mut same.clone())
            .unwrap();
        assert_eq!(a.to_state(), before_a);
        let generation = pending.generation();
        let stored = pending.state(&key(), rng).unwrap();
        assert_eq!(generation, a.generation() + 1);
        let message = a.commit(pending).unwrap();
        let after_crash = Session::import(&key(), &stored, generation).unwrap();
        assert_eq!(after_crash.to_state(), a.to_state());

        // The direct call gives the same.
        let mut direct = Session::from_state(&before_a).unwrap();
        let expected = direct.encrypt_with(&[i], b"ad", Padding::None, &mut same.clone());
        assert_eq!(
            (expected.unwrap(), direct.to_state()),
            (message.clone(), a.to_state())
        );

        drop(b.prepare_decrypt(&message, b"ad").unwrap());
        let failed = b.prepare_decrypt(&message, b"other ad").err();
        assert_eq!(failed, Some(Error::Authentication));
        assert_eq!(b.to_state(), before_b);
        let pending = b.prepare_decrypt(&message, b"ad").unwrap();
        let stored = pending.state(&key(), rng).unwrap();
        assert_eq!(b.commit(pending).unwrap().plaintext(), [i]);
        let after_crash = Session::import(&key(), &stored, b.generation()).unwrap();
        assert_eq!(after_crash.to_state(), b.to_state());
        if rng.percent(50) {
            (a, b) = (b, a);
        }
    }
}

#[test]
fn a_prepared_change_is_stale_once_the_session_has_changed() {
    let rng = &mut SeededRng::new(4);
    let Pair { mut a, mut b, .. } = answered(rng);
    let none = Padding::None;
    let incoming = b.encrypt(b"incoming", rng).unwrap();
    let late = b.encrypt(b"late", rng).unwrap();
    type Change<'a> = &'a dyn Fn(&mut Session);
    let changes: [Change<'_>; 3] = [
        &|session| {
            let pending = session.prepare_encrypt(b"1", b"", none, &mut SeededRng::new(5));
            drop(session.commit(pending.unwrap()).unwrap());
        },
        &|session| assert_eq!(session.decrypt(&incoming).unwrap().plaintext(), b"incoming"),
        &|session| session.maintain(NOW),
    ];
    for change in changes {
        let outgoing = a.prepare_encrypt(b"text", b"", none, rng).unwrap();
        let arriving = a.prepare_decrypt(&late, b"").unwrap();
        change(&mut a);
        let state = a.to_state();
        assert_eq!(a.commit(outgoing).err(), Some(Error::Stale));
        assert_eq!(a.commit(arriving).err(), Some(Error::Stale));
        assert_eq!(a.to_state(), state);
    }
    // A session of somebody else, with the same generation.
    let mut other = answered(rng);
    while other.a.generation() < a.generation() {
        other.a.maintain(NOW);
    }
    let pending = a.prepare_encrypt(b"text", b"", none, rng).unwrap();
    assert_eq!(other.a.generation(), a.generation());
    let state = other.a.to_state();
    assert_eq!(other.a.commit(pending).err(), Some(Error::Stale));
    assert_eq!(other.a.to_state(), state);
}

/// Generations grow by one with every change, and not with what changes nothing.
#[test]
fn generations_count_changes() {
    let rng = &mut SeededRng::new(5);
    let Pair {
        mut a,
        mut b,
        mut alice,
        mut bob,
        first,
    } = answered(rng);
    let generation = a.generation();
    let message = a.encrypt(b"text", rng).unwrap();
    assert_eq!(a.generation(), generation + 1);
    let _ = (
        a.facts(),
        a.export(&key(), rng).unwrap(),
        a.export_secret(b"l", b"c", 9).unwrap(),
    );
    assert_eq!(a.decrypt(&message).err(), Some(Error::Authentication));
    assert!(a.prepare_encrypt(b"text", b"", Padding::None, rng).is_ok());
    assert_eq!(a.generation(), generation + 1);
    a.maintain(NOW);
    assert_eq!(a.generation(), generation + 2);
    let generation = b.generation();
    assert!(b.decrypt(&message).is_ok());
    assert_eq!(b.generation(), generation + 1);

    let generation = bob.generation();
    assert!(bob.accept(&first, NOW).is_err());
    assert_eq!(bob.delete_expired(NOW), 0);
    let _ = (bob.due(NOW), bob.export(&key(), rng).unwrap());
    assert_eq!(bob.generation(), generation);
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    assert_eq!(bob.generation(), generation + 1);
    let before = alice.generation();
    let (_, first) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
    assert_eq!(alice.generation(), before + 1);
    assert!(bob.accept(&first, NOW).is_ok());
    assert_eq!(bob.generation(), generation + 2);
    bob.delete_expired(NOW + 100 * DAY);
    assert_eq!(bob.generation(), generation + 3);
}

/// A generator that fails at any of its draws.
#[test]
fn a_failing_generator_changes_nothing() {
    let rng = &mut SeededRng::new(9);
    let mut refused = [0; 4];
    for _ in 0..60 {
        let Pair {
            mut a,
            mut alice,
            mut bob,
            ..
        } = conversation(90, rng);
        let (session, account) = (a.to_state(), bob.to_state());
        let failing = |draws| FailingRng {
            draws,
            rng: SeededRng::new(1),
        };
        // Nonce, ratchet key, and what the agreement draws.
        for (draws, refused) in refused.iter_mut().enumerate() {
            match a.encrypt(b"text", &mut failing(draws)) {
                Ok(_) => break,
                Err(error) => assert_eq!(error, Error::Randomness),
            }
            *refused += 1;
            assert_eq!(a.to_state(), session);
        }
        // Signed prekey and two others with two draws each, signature.
        for draws in 0..7 {
            let result = bob.publish(2, NOW, &mut failing(draws));
            assert_eq!(result.err(), Some(Error::Randomness));
            assert_eq!(bob.to_state(), account);
        }
        let bundle = bob.publish(2, NOW, &mut failing(7)).unwrap().bundle();
        let account = alice.to_state();
        // Ephemeral, encapsulation, signature; nonce, ratchet key, KEM seed.
        for draws in 0..6 {
            let result = alice.initiate(&bundle, b"", NOW, &mut failing(draws));
            assert_eq!(result.err(), Some(Error::Randomness));
            assert_eq!(alice.to_state(), account);
        }
        assert!(alice.initiate(&bundle, b"", NOW, &mut failing(6)).is_ok());
        assert_eq!(
            a.export(&key(), &mut failing(0)).err(),
            Some(Error::Randomness)
        );
    }
    // Every kind of draw was there to fail.
    assert!(
        refused[0] == 60 && refused[1] > 10 && refused[2] > 3,
        "{refused:?}"
    );
    assert_eq!(refused[3], 0);
}
