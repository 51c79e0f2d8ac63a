//! Keys of messages that never came are kept for thirty days (spec section 7, "Age").
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{DAY, NOW, Pair, SeededRng, answered, deliver};
use marline::{Error, Session};

/// `a` sends `late` messages that do not arrive, and one that does.
fn skip(a: &mut Session, b: &mut Session, late: usize, rng: &mut SeededRng) -> Vec<Vec<u8>> {
    let messages = (0..late)
        .map(|_| a.encrypt(b"late", rng).unwrap())
        .collect();
    deliver(a, b, b"in time", rng);
    messages
}

fn arrives(session: &mut Session, message: &[u8]) {
    assert_eq!(session.decrypt(message).unwrap().plaintext(), b"late");
}

/// The key is gone and nothing changes.
fn is_gone(session: &mut Session, message: &[u8]) {
    let state = session.to_state();
    assert_eq!(session.decrypt(message).err(), Some(Error::TooOld));
    assert_eq!(session.to_state(), state);
}

#[test]
fn a_skipped_key_is_deleted_thirty_days_after_it_was_first_seen() {
    let rng = &mut SeededRng::new(1);
    let Pair { mut a, mut b, .. } = answered(rng);
    let late = skip(&mut a, &mut b, 4, rng);
    assert_eq!(b.facts().skipped, (4, 4));
    b.maintain(NOW);
    arrives(&mut b, &late[0]);
    // The days are those of the calendar: NOW is at 08:00.
    let midnight = NOW / DAY * DAY;
    b.maintain(midnight + 30 * DAY - 1);
    assert_eq!(b.facts().skipped, (3, 3));
    arrives(&mut b, &late[1]);
    b.maintain(midnight + 30 * DAY);
    assert_eq!(b.facts().skipped, (0, 0));
    for message in &late[2..] {
        is_gone(&mut b, message);
    }
    assert_eq!(b.decrypt(&late[0]).err(), Some(Error::TooOld));
    deliver(&mut b, &mut a, b"on", rng);
    deliver(&mut a, &mut b, b"and on", rng);
}

#[test]
fn without_maintenance_nothing_ages() {
    let rng = &mut SeededRng::new(2);
    let Pair { mut a, mut b, .. } = answered(rng);
    let late = skip(&mut a, &mut b, 2, rng);
    // First seen on day 100: that is when its thirty days begin.
    b.maintain(NOW + 100 * DAY);
    arrives(&mut b, &late[0]);
    b.maintain(NOW + 130 * DAY);
    is_gone(&mut b, &late[1]);
}

#[test]
fn each_key_has_its_own_age_also_in_retired_chains_and_after_a_restart() {
    let rng = &mut SeededRng::new(3);
    let Pair { mut a, mut b, .. } = answered(rng);
    let mut late = Vec::new();
    // Two messages lost every tenth day, in a new chain each time.
    for day in 0..4 {
        late.push(skip(&mut a, &mut b, 2, rng));
        b.maintain(NOW + day * 10 * DAY);
        b = Session::from_state(&b.to_state()).unwrap();
        deliver(&mut b, &mut a, b"turn", rng);
    }
    // On day 30 the first two went.
    assert_eq!(b.facts().skipped, (6, 6));
    is_gone(&mut b, &late[0][1]);
    b.maintain(NOW + 49 * DAY);
    is_gone(&mut b, &late[1][1]);
    for message in &late[2..] {
        arrives(&mut b, &message[0]);
    }
    b.maintain(NOW + 50 * DAY);
    is_gone(&mut b, &late[2][1]);
    arrives(&mut b, &late[3][1]);
    assert_eq!(b.facts().skipped, (0, 0));
}

/// A clock that was ahead dates keys into the future: they count as new, and die thirty days after that date.
#[test]
fn a_clock_that_goes_back_deletes_nothing() {
    let rng = &mut SeededRng::new(4);
    let Pair { mut a, mut b, .. } = answered(rng);
    let late = skip(&mut a, &mut b, 3, rng);
    b.maintain(NOW + 1_000 * DAY);
    for now in [NOW, NOW + 40 * DAY, NOW + 1_029 * DAY, 0] {
        b.maintain(now);
        assert_eq!(b.facts().skipped, (3, 3), "at {now}");
    }
    arrives(&mut b, &late[0]);
    b.maintain(NOW + 1_030 * DAY);
    is_gone(&mut b, &late[1]);
}

/// Days have 16 bits: 65,536 of them are 179 years. The count goes round, and 0, "no day", is left out.
#[test]
fn ages_are_right_where_the_day_count_wraps() {
    let rng = &mut SeededRng::new(5);
    for first in [65_505, 65_520, 65_534, 65_535, 65_536] {
        let Pair { mut a, mut b, .. } = answered(rng);
        let late = skip(&mut a, &mut b, 2, rng);
        b.maintain(first * DAY);
        // Day 0 is written as 1: a key of that day dies a day late.
        let day = |number: u64| ((1 + number) % 65_536).max(1);
        let dies = (first..)
            .find(|today| (day(*today) + 65_536 - day(first)) % 65_536 >= 30)
            .unwrap();
        assert!(dies - first == 30 || first == 65_535 && dies - first == 31);
        b.maintain((dies - 1) * DAY);
        arrives(&mut b, &late[0]);
        b.maintain(dies * DAY);
        is_gone(&mut b, &late[1]);
    }
    let Pair { mut a, mut b, .. } = answered(rng);
    let late = skip(&mut a, &mut b, 1, rng);
    b.maintain(u64::MAX);
    arrives(&mut b, &late[0]);
}
