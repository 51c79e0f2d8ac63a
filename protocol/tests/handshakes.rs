//! Stories of first messages, prekeys and manifests (spec sections 3 and 4).
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{BOB, DAY, NOW, SeededRng, accounts, deliver, unanswered};
use marline::{Account, Error, PrekeyBundle, Publication, Session, StateKey, Task};

/// The account after it was stored and the program was started again.
fn restarted(account: &Account, rng: &mut SeededRng) -> Account {
    let key = || StateKey::new(&mut [7; 32]);
    let stored = account.export(&key(), rng).unwrap();
    Account::import(&key(), &stored, account.generation()).unwrap()
}

/// Refused with this error, now and after a restart, and nothing has changed.
fn refuses(account: &mut Account, message: &[u8], now: u64, error: Error, rng: &mut SeededRng) {
    let mut restarted = restarted(account, rng);
    for account in [account, &mut restarted] {
        let state = account.to_state();
        assert_eq!(account.accept(message, now).err(), Some(error));
        assert_eq!(account.to_state(), state);
    }
}

#[test]
fn the_first_flight_is_repeated_until_an_answer() {
    let rng = &mut SeededRng::new(1);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(2, NOW, rng).unwrap().bundle();
    let (mut a, lost) = alice.initiate(&bundle, b"0", NOW, rng).unwrap();
    let flight = lost.len() - 225 - 64;
    let second = a.encrypt(b"1", rng).unwrap();
    let third = a.encrypt(b"2", rng).unwrap();
    assert!(second[..flight] == lost[..flight] && third[..flight] == lost[..flight]);

    // The first never arrives: the second opens the session as well.
    let mut accepted = bob.accept(&second, NOW).unwrap();
    assert_eq!(accepted.opened.plaintext(), b"1");
    let b = &mut accepted.session;
    assert_eq!(b.decrypt(&third).unwrap().plaintext(), b"2");
    // Late, it is an ordinary late message of the session.
    assert_eq!(b.decrypt(&lost).unwrap().plaintext(), b"0");
    for again in [&lost, &second, &third] {
        let state = b.to_state();
        assert_eq!(b.decrypt(again).err(), Some(Error::Duplicate));
        assert_eq!(b.to_state(), state);
    }
    deliver(b, &mut a, b"answer", rng);
    let short = a.encrypt(b"3", rng).unwrap();
    assert_eq!(short.len(), 225 + 64);
    assert_eq!(b.decrypt(&short).unwrap().plaintext(), b"3");
    // Without the answer the flight would still be there, also after a restart.
    let unanswered = unanswered(rng);
    let mut again = Session::from_state(&unanswered.a.to_state()).unwrap();
    assert_eq!(again.encrypt(b"x", rng).unwrap().len(), flight + 225 + 64);
}

#[test]
fn a_replayed_first_flight_is_refused_before_and_after_a_restart() {
    let rng = &mut SeededRng::new(2);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    for (bundle, error) in [
        (publication.bundle(), Error::PrekeyUsed),
        (publication.last_resort_bundle(), Error::Duplicate),
    ] {
        let (mut a, first) = alice.initiate(&bundle, b"once", NOW, rng).unwrap();
        let repeated = a.encrypt(b"another message", rng).unwrap();
        let mut b = bob.accept(&first, NOW).unwrap().session;
        for replay in [&first, &repeated] {
            refuses(&mut bob, replay, NOW, error, rng);
            refuses(&mut bob, replay, NOW + 34 * DAY, error, rng);
        }
        assert_eq!(
            b.decrypt(&repeated).unwrap().plaintext(),
            b"another message"
        );
        assert_eq!(b.decrypt(&first).err(), Some(Error::Duplicate));
        let mut b = Session::from_state(&b.to_state()).unwrap();
        assert_eq!(b.decrypt(&first).err(), Some(Error::Duplicate));
    }
}

#[test]
fn when_one_time_prekeys_run_out_the_last_resort_works_and_both_sides_know() {
    let rng = &mut SeededRng::new(3);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(4, NOW, rng).unwrap();
    let mut directory: Vec<_> = publication.bundles().collect();
    assert_eq!(directory.len(), 4);
    for left in (0..4).rev() {
        let bundle = directory.remove(0);
        assert!(bundle.has_one_time_prekey());
        let (a, first) = alice.initiate(&bundle, b"hi", NOW, rng).unwrap();
        let b = bob.accept(&first, NOW).unwrap().session;
        assert!(a.facts().used_one_time_prekey && b.facts().used_one_time_prekey);
        assert_eq!(bob.one_time_prekeys_left(), left);
        // Fewer than a quarter of four is none.
        let expected: &[Task] = match left {
            0 => &[Task::Replenish { remaining: 0 }],
            _ => &[],
        };
        assert_eq!(bob.due(NOW), expected);
    }
    let last_resort = publication.last_resort_bundle();
    assert!(!last_resort.has_one_time_prekey());
    for _ in 0..3 {
        let (mut a, first) = alice.initiate(&last_resort, b"hi", NOW, rng).unwrap();
        let mut b = bob.accept(&first, NOW).unwrap().session;
        assert!(!a.facts().used_one_time_prekey && !b.facts().used_one_time_prekey);
        deliver(&mut b, &mut a, b"answer", rng);
        deliver(&mut a, &mut b, b"works", rng);
    }
    // The fact survives a restart.
    let (a, _) = alice.initiate(&last_resort, b"hi", NOW, rng).unwrap();
    let a = Session::from_state(&a.to_state()).unwrap();
    assert!(!a.facts().used_one_time_prekey);
}

/// A second device fetches the same one-time prekey from a careless directory.
#[test]
fn a_one_time_prekey_serves_one_session() {
    let rng = &mut SeededRng::new(4);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(3, NOW, rng).unwrap().bundle();
    let mut carol = Account::generate("carol", rng).unwrap();
    let (_, first) = alice.initiate(&bundle, b"hi", NOW, rng).unwrap();
    let (_, late) = carol.initiate(&bundle, b"hi", NOW, rng).unwrap();
    assert!(bob.accept(&first, NOW).is_ok());
    refuses(&mut bob, &late, NOW, Error::PrekeyUsed, rng);
}

/// Initiating fails with this error and changes nothing.
fn cannot_initiate(account: &mut Account, bundle: &PrekeyBundle, now: u64, error: Error) {
    let rng = &mut SeededRng::new(99);
    let state = account.to_state();
    let result = account.initiate(bundle, b"text", now, rng);
    assert_eq!(result.err(), Some(error), "at {now}");
    assert_eq!(account.to_state(), state);
}

#[test]
fn manifests_are_valid_from_an_hour_before_to_28_days_after() {
    let rng = &mut SeededRng::new(5);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().last_resort_bundle();
    for expired in [0, NOW - 3_601, NOW + 28 * DAY, u64::MAX] {
        cannot_initiate(&mut alice, &bundle, expired, Error::Expired);
    }
    for valid in [NOW - 3_600, NOW, NOW + 28 * DAY - 1] {
        assert!(alice.initiate(&bundle, b"hi", valid, rng).is_ok());
    }
}

#[test]
fn an_older_manifest_is_a_rollback_also_after_a_restart() {
    let rng = &mut SeededRng::new(6);
    let (mut alice, mut bob) = accounts(rng);
    let older = bob.publish(1, NOW, rng).unwrap();
    let newer = bob.publish(1, NOW, rng).unwrap();
    assert!(alice.initiate(&older.bundle(), b"hi", NOW, rng).is_ok());
    assert!(alice.initiate(&newer.bundle(), b"hi", NOW, rng).is_ok());
    for bundle in [older.bundle(), older.last_resort_bundle()] {
        cannot_initiate(&mut alice, &bundle, NOW, Error::Rollback);
        cannot_initiate(&mut restarted(&alice, rng), &bundle, NOW, Error::Rollback);
    }
    // The same generation again is not a rollback, and nobody else is affected.
    assert!(alice.initiate(&newer.bundle(), b"hi", NOW, rng).is_ok());
    let mut carol = Account::generate("carol", rng).unwrap();
    assert!(carol.initiate(&older.bundle(), b"hi", NOW, rng).is_ok());
}

#[test]
fn private_halves_live_seven_days_longer_than_their_manifest() {
    let rng = &mut SeededRng::new(7);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(2, NOW, rng).unwrap();
    let last_day = NOW + 28 * DAY - 1;
    let mut flights = Vec::new();
    for bundle in publication.bundles() {
        flights.push(alice.initiate(&bundle, b"late", last_day, rng).unwrap().1);
    }
    let deadline = NOW + 35 * DAY;
    assert!(bob.accept(&flights[0], deadline - 1).is_ok());
    refuses(&mut bob, &flights[1], deadline, Error::UnknownPrekey, rng);
    assert_eq!(bob.due(deadline - 1), [Task::Rotate]);
    assert_eq!(
        bob.due(deadline),
        [Task::Rotate, Task::Delete { publications: 1 }]
    );
    assert_eq!(bob.delete_expired(deadline - 1), 0);
    assert_eq!(bob.delete_expired(deadline), 1);
    refuses(&mut bob, &flights[1], NOW, Error::UnknownPrekey, rng);
}

#[test]
fn the_wrong_recipient_cannot_open_anything() {
    let rng = &mut SeededRng::new(8);
    let (mut alice, mut bob) = accounts(rng);
    let mut carol = Account::generate(BOB, rng).unwrap();
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let (_, first) = alice.initiate(&bundle, b"for bob", NOW, rng).unwrap();
    refuses(&mut carol, &first, NOW, Error::UnknownPrekey, rng);
    // With prekeys of the same ids it is a forgery to her.
    let _: Publication = carol.publish(1, NOW, rng).unwrap();
    refuses(&mut carol, &first, NOW, Error::Authentication, rng);
    assert!(bob.accept(&first, NOW).is_ok());
}

#[test]
fn nobody_talks_to_himself() {
    let rng = &mut SeededRng::new(9);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    cannot_initiate(&mut bob, &publication.bundle(), NOW, Error::OwnIdentity);
    let (mut a, first) = alice
        .initiate(&publication.bundle(), b"hi", NOW, rng)
        .unwrap();
    let mut b = bob.accept(&first, NOW).unwrap().session;
    let answer = b.encrypt(b"answer", rng).unwrap();
    // One's own messages, fed back.
    for (session, own) in [(&mut a, &first), (&mut b, &answer)] {
        let state = session.to_state();
        assert_eq!(session.decrypt(own).err(), Some(Error::Authentication));
        assert_eq!(session.to_state(), state);
    }
    deliver(&mut b, &mut a, b"answer", rng);
    let message = a.encrypt(b"without a flight", rng).unwrap();
    let state = a.to_state();
    assert_eq!(a.decrypt(&message).err(), Some(Error::Authentication));
    assert_eq!(a.to_state(), state);
    refuses(&mut alice, &first, NOW, Error::UnknownPrekey, rng);
}

#[test]
fn an_initial_message_given_to_the_wrong_session_is_refused() {
    let rng = &mut SeededRng::new(10);
    let mut pair = unanswered(rng);
    let bundle = pair.bob.publish(1, NOW, rng).unwrap().bundle();
    let (_, other) = pair.alice.initiate(&bundle, b"hi", NOW, rng).unwrap();
    for session in [&mut pair.a, &mut pair.b] {
        let state = session.to_state();
        assert_eq!(session.decrypt(&other).err(), Some(Error::Authentication));
        assert_eq!(session.to_state(), state);
    }
}

/// M-PK-10.
#[test]
fn the_sixty_fifth_publication_deletes_the_first() {
    let rng = &mut SeededRng::new(11);
    let (mut alice, mut bob) = accounts(rng);
    let mut bundles = Vec::new();
    for _ in 0..65 {
        bundles.push(bob.publish(1, NOW, rng).unwrap().bundle());
    }
    let (_, gone) = alice.initiate(&bundles[0], b"hi", NOW, rng).unwrap();
    let (_, kept) = alice.initiate(&bundles[1], b"hi", NOW, rng).unwrap();
    refuses(&mut bob, &gone, NOW, Error::UnknownPrekey, rng);
    assert!(bob.accept(&kept, NOW).is_ok());
}
