//! Contacts: routing, reset, the archive, a changed identity, state (spec section 10).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{DAY, NOW, SeededRng};
use marline::hazmat::frame::Frame;
use marline::limits::{MAX_ARCHIVE, MAX_PLAINTEXT, RESET_PERIOD};
use marline::{
    Account, Contact, Error, Event, InitiateOptions, Publication, Received, Session, StateKey,
    Trust,
};

struct Device {
    account: Account,
    contact: Contact,
    publication: Publication,
}

fn devices(rng: &mut SeededRng) -> (Device, Device) {
    let mut one = Account::generate("one", rng).unwrap();
    let mut other = Account::generate("other", rng).unwrap();
    let publications = [&mut one, &mut other].map(|account| account.publish(16, NOW, rng).unwrap());
    let ids = [one.id(), other.id()];
    let [first, second] = publications;
    let device = |account, peer, publication| Device {
        account,
        contact: Contact::new(peer),
        publication,
    };
    (device(one, ids[1], first), device(other, ids[0], second))
}

impl Device {
    fn start(
        &mut self,
        to: &Device,
        nth: usize,
        text: &[u8],
        now: u64,
        rng: &mut SeededRng,
    ) -> Vec<u8> {
        let bundle = to.publication.bundles().nth(nth).unwrap();
        self.contact
            .initiate(
                &mut self.account,
                &bundle,
                text,
                InitiateOptions::default(),
                now,
                rng,
            )
            .unwrap()
    }

    fn reset(
        &mut self,
        to: &Device,
        nth: usize,
        now: u64,
        rng: &mut SeededRng,
    ) -> Result<Vec<u8>, Error> {
        let bundle = to.publication.bundles().nth(nth).unwrap();
        self.contact.reset(
            &mut self.account,
            &bundle,
            InitiateOptions::default(),
            now,
            rng,
        )
    }

    /// As an application routes what arrives.
    fn receive(&mut self, message: &[u8]) -> Result<Received, Error> {
        match self.contact.receive(message) {
            Err(Error::NoSession) => {
                Ok(self.contact.adopt(self.account.accept(message, NOW)?, NOW))
            }
            other => other,
        }
    }
}

fn text(received: Received) -> Vec<u8> {
    received.opened.unwrap().plaintext().to_vec()
}

/// A conversation with an answered session.
fn talking(rng: &mut SeededRng) -> (Device, Device) {
    let (mut a, mut b) = devices(rng);
    let first = a.start(&b, 0, b"first", NOW, rng);
    assert_eq!(text(b.receive(&first).unwrap()), b"first");
    let reply = b.contact.send(b"reply", rng).unwrap();
    assert_eq!(text(a.receive(&reply).unwrap()), b"reply");
    (a, b)
}

#[test]
fn a_first_flight_that_is_repeated_finds_its_session() {
    let rng = &mut SeededRng::new(1);
    let (mut a, mut b) = devices(rng);
    let first = a.start(&b, 0, b"1", NOW, rng);
    let second = a.contact.send(b"2", rng).unwrap();
    assert!(!b.contact.owns(&second));
    assert_eq!(text(b.receive(&second).unwrap()), b"2");
    assert!(b.contact.owns(&first));
    assert_eq!(text(b.receive(&first).unwrap()), b"1");
    assert_eq!(b.receive(&first).unwrap_err(), Error::Duplicate);
    assert_eq!(b.contact.sessions().count(), 1);
}

#[test]
fn m_ct_01_an_opening_message_without_its_first_flight_keeps_its_frame() {
    // A network that strips the flight off must not change what the application reads.
    let rng = &mut SeededRng::new(2);
    let (mut a, mut b) = devices(rng);
    let first = a.start(&b, 0, b"1", NOW, rng);
    let second = a.contact.send(b"2", rng).unwrap();
    let _ = b.receive(&first).unwrap().opened.unwrap();
    let initial = marline::hazmat::initial::InitialMessage::from_bytes(&second).unwrap();
    assert_eq!(text(b.receive(initial.message).unwrap()), b"2");
}

#[test]
fn m_ct_02_frames_are_exact_to_the_byte() {
    let encode = |frame: Frame<'_>| frame.to_plaintext().to_vec();
    assert_eq!(encode(Frame::Data { payload: b"ab" }), b"\x00ab");
    let opening = Frame::Opening {
        rank: 0x0102,
        payload: b"ab",
    };
    assert_eq!(encode(opening), b"\x01\0\0\0\0\0\0\x01\x02ab");
    assert_eq!(encode(Frame::Reset { rank: 3 }), b"\x02\0\0\0\0\0\0\0\x03");
    for bad in [
        &b""[..],
        b"\x03",
        b"\x01\0\0\0\0\0\0\0",
        b"\x02\0\0\0\0\0\0\0\x03x",
    ] {
        assert!(Frame::from_bytes(bad).is_err());
    }
}

#[test]
fn a_peer_without_contacts_is_unreadable_and_said_so() {
    let rng = &mut SeededRng::new(3);
    let (mut a, mut b) = devices(rng);
    let bundle = b.publication.bundle();
    let (_, raw) = a.account.initiate(&bundle, b"hello", NOW, rng).unwrap();
    let received = b.receive(&raw).unwrap();
    assert!(received.opened.is_none());
    assert_eq!(received.events, [Event::Unreadable]);
    assert_eq!(b.contact.sessions().count(), 0);
}

#[test]
fn m_ct_02_a_rank_from_the_far_future_is_not_kept() {
    let rng = &mut SeededRng::new(15);
    for (beyond, kept) in [(0, 1), (1, 0)] {
        let (mut a, mut b) = devices(rng);
        let first = a.start(&b, 0, b"1", NOW, rng);
        let accepted = b.account.accept(&first, NOW).unwrap();
        // The receiver's clock: the rank is 28 days ahead of it, and one second more.
        let received = b.contact.adopt(accepted, NOW - 28 * DAY - beyond);
        assert_eq!(b.contact.sessions().count(), kept);
        assert_eq!(received.events.contains(&Event::Unreadable), kept == 0);
        assert_eq!(received.opened.is_some(), kept == 1);
    }
}

#[test]
fn m_ct_06_a_reset_is_seen_by_the_peer_takes_over_and_is_rate_limited() {
    let rng = &mut SeededRng::new(4);
    let (mut a, mut b) = talking(rng);
    let late = b.contact.send(b"late", rng).unwrap();
    let old = *a.contact.sending().unwrap().id();

    // The clock went back behind the first session's: the rank grows all the same.
    let reset = a.reset(&b, 1, NOW - 600, rng).unwrap();
    let new = *a.contact.sending().unwrap().id();
    assert_ne!(old, new);
    let received = b.receive(&reset).unwrap();
    assert!(received.opened.is_none());
    let expected = [
        Event::NewSession {
            session_id: new,
            sends: true,
        },
        Event::SessionReset { session_id: new },
    ];
    assert_eq!(received.events, expected);
    assert_eq!(*b.contact.sending().unwrap().id(), new);
    assert_eq!(text(a.receive(&late).unwrap()), b"late");

    let before = a.contact.to_state();
    assert_eq!(
        a.reset(&b, 2, NOW - 600 + RESET_PERIOD - 1, rng),
        Err(Error::Limit)
    );
    assert_eq!(a.contact.to_state(), before);
    a.reset(&b, 2, NOW - 600 + RESET_PERIOD, rng).unwrap();
}

/// Without a session to send on, it is its first message that makes a session a reset.
#[test]
fn m_ct_06_a_reset_without_a_session_to_send_on_counts() {
    let rng = &mut SeededRng::new(14);
    let (mut a, b) = devices(rng);
    a.reset(&b, 0, NOW, rng).unwrap();
    let before = a.contact.to_state();
    assert_eq!(a.reset(&b, 1, NOW + 1, rng), Err(Error::Limit));
    assert_eq!(a.contact.to_state(), before);
    a.reset(&b, 1, NOW + RESET_PERIOD, rng).unwrap();
}

#[test]
fn m_ct_06_a_reset_that_was_overtaken_is_told_when_it_comes() {
    let rng = &mut SeededRng::new(15);
    let (mut a, mut b) = talking(rng);
    let reset = a.reset(&b, 1, NOW, rng).unwrap();
    let session_id = *a.contact.sending().unwrap().id();
    let next = a.contact.send(b"next", rng).unwrap();
    assert_eq!(text(b.receive(&next).unwrap()), b"next");
    let received = b.receive(&reset).unwrap();
    assert!(received.opened.is_none());
    assert_eq!(received.events, [Event::SessionReset { session_id }]);
}

/// The contact was stored, its account was not; the first message comes again, after a later one.
#[test]
fn m_ct_02_a_session_that_is_held_already_stays_as_it_is() {
    let rng = &mut SeededRng::new(16);
    let (mut a, mut b) = devices(rng);
    let before = b.account.to_state();
    let first = a.start(&b, 0, b"1", NOW, rng);
    let second = a.contact.send(b"2", rng).unwrap();
    assert_eq!(text(b.receive(&first).unwrap()), b"1");
    assert_eq!(text(b.contact.receive(&second).unwrap()), b"2");

    let accepted = Account::from_state(&before).unwrap().accept(&first, NOW);
    let again = b.contact.adopt(accepted.unwrap(), NOW);
    assert_eq!(text(again), b"1");
    assert_eq!(b.contact.sessions().count(), 1);
    let state = b.contact.to_state();
    b.contact = Contact::from_state(&state).unwrap();
    assert_eq!(b.contact.receive(&second).unwrap_err(), Error::Duplicate);
}

#[test]
fn m_ct_04_resets_of_both_sides_at_once_converge() {
    for seed in 5..9 {
        let rng = &mut SeededRng::new(seed);
        let (mut a, mut b) = talking(rng);
        let from_a = a.reset(&b, 1, NOW + 9, rng).unwrap();
        let from_b = b.reset(&a, 1, NOW + 9, rng).unwrap();
        let _ = a.receive(&from_b).unwrap();
        let _ = b.receive(&from_a).unwrap();
        assert_eq!(
            a.contact.sending().unwrap().id(),
            b.contact.sending().unwrap().id()
        );
        let message = a.contact.send(b"on", rng).unwrap();
        assert_eq!(text(b.receive(&message).unwrap()), b"on");
    }
}

#[test]
fn m_ct_05_the_archive_is_bounded_and_evicts_the_last_in_the_order() {
    let rng = &mut SeededRng::new(9);
    let (mut a, mut b) = talking(rng);
    let oldest = *a.contact.sending().unwrap().id();
    let lost = b.contact.send(b"lost", rng).unwrap();
    for round in 1..=MAX_ARCHIVE as u64 {
        a.reset(&b, round as usize, NOW + round * RESET_PERIOD, rng)
            .unwrap();
        assert_eq!(a.contact.sessions().count(), 1 + round as usize);
    }
    let reset = b.reset(&a, 1, NOW + 99 * RESET_PERIOD, rng).unwrap();
    let events = a.receive(&reset).unwrap().events;
    assert!(events.contains(&Event::SessionEvicted { session_id: oldest }));
    assert_eq!(a.contact.sessions().count(), 1 + MAX_ARCHIVE);
    assert_eq!(a.receive(&lost).unwrap_err(), Error::Authentication);
    assert_eq!(
        a.contact.sending().unwrap().id(),
        b.contact.sending().unwrap().id()
    );
}

#[test]
fn m_ct_07_a_changed_identity_stops_sending_until_the_user_decides() {
    let rng = &mut SeededRng::new(10);
    let (mut a, mut b) = talking(rng);
    let known = b.account.id();
    a.contact.set_verified(known, true).unwrap();
    let in_flight = b.contact.send(b"in flight", rng).unwrap();
    let (mut fresh, _) = devices(rng);
    fresh.contact = Contact::new(a.account.id());
    let other = fresh.account.id();

    // Its bundle is refused, its message is read with its author, and nothing is sent.
    let (bundle, options) = (fresh.publication.bundle(), InitiateOptions::default());
    let refused = a
        .contact
        .initiate(&mut a.account, &bundle, b"x", options, NOW, rng);
    assert_eq!(refused, Err(Error::IdentityChanged));
    let hello = fresh.start(&a, 5, b"new phone", NOW, rng);
    let received = a.receive(&hello).unwrap();
    assert_eq!(received.trust, Trust::Other);
    assert_eq!(received.opened.as_ref().unwrap().peer().identity, other);
    assert!(received.events.contains(&Event::IdentityChanged {
        from: known,
        to: other
    }));
    let before = a.contact.to_state();
    assert_eq!(a.contact.send(b"x", rng), Err(Error::IdentityChanged));
    assert_eq!(a.contact.acknowledge(known), Err(Error::IdentityChanged));
    assert_eq!(a.contact.to_state(), before);

    // Refused: the former goes on, verified as it was.
    let mut refusing = Contact::from_state(&before).unwrap();
    refusing.reject();
    assert_eq!(refusing.sessions().count(), 1);
    assert_eq!(refusing.trust(&known), Trust::Verified);
    let message = refusing.send(b"still you", rng).unwrap();
    assert_eq!(text(b.receive(&message).unwrap()), b"still you");

    // Accepted: sending goes to the new one, not verified; the former is still read.
    a.contact.acknowledge(other).unwrap();
    let message = a.contact.send(b"hello", rng).unwrap();
    assert_eq!(text(fresh.receive(&message).unwrap()), b"hello");
    assert_eq!(a.contact.trust(&other), Trust::Unverified);
    let received = a.receive(&in_flight).unwrap();
    assert_eq!(
        (received.trust, text(received)),
        (Trust::Other, b"in flight".to_vec())
    );
}

#[test]
fn m_ct_07_verification_names_the_identity_whose_number_was_compared() {
    let rng = &mut SeededRng::new(12);
    let (mut a, b) = talking(rng);
    let (known, other) = (b.account.id(), devices(rng).1.account.id());
    // It awaits a decision: its number is not what the user compares, and the former one can still be verified.
    a.contact.observe(other);
    let before = a.contact.to_state();
    for verified in [true, false] {
        let refused = a.contact.set_verified(other, verified);
        assert_eq!(refused, Err(Error::IdentityChanged));
        assert_eq!(a.contact.to_state(), before);
    }
    a.contact.set_verified(known, true).unwrap();
    assert_eq!(a.contact.trust(&known), Trust::Verified);

    // The user compares the number of the former identity, accepts the new one elsewhere, and then answers.
    a.contact.acknowledge(other).unwrap();
    let before = a.contact.to_state();
    let late = a.contact.set_verified(known, true);
    assert_eq!(late, Err(Error::IdentityChanged));
    assert_eq!(a.contact.to_state(), before);
    assert_eq!(a.contact.trust(&other), Trust::Unverified);
    a.contact.set_verified(other, true).unwrap();
    assert_eq!(a.contact.trust(&other), Trust::Verified);
    a.contact.set_verified(other, false).unwrap();
    assert_eq!(a.contact.trust(&other), Trust::Unverified);
}

#[test]
fn a_failed_session_is_an_event_and_asks_for_a_reset() {
    let rng = &mut SeededRng::new(11);
    let (mut a, mut b) = talking(rng);
    // A peer whose copy of the session has the agreement of another conversation: its MAC cannot verify.
    let state = b.contact.to_state().to_vec();
    let session = b.contact.sending().unwrap().to_state().to_vec();
    let at = state
        .windows(session.len())
        .position(|w| w == &session[..])
        .unwrap();
    let scka = find_auth_mac(&session);
    let mut broken = state.clone();
    broken[at + scka] ^= 1;
    b.contact = Contact::from_state(&broken).unwrap();
    let mut failed = false;
    for _ in 0..200 {
        let to_b = a.contact.send(b"x", rng).unwrap();
        let events = b.receive(&to_b).unwrap().events;
        failed |= matches!(events[..], [Event::SessionFailed { .. }]);
        if failed {
            break;
        }
        let to_a = b.contact.send(b"y", rng).unwrap();
        let events = a.receive(&to_a).unwrap().events;
        if matches!(events[..], [Event::SessionFailed { .. }]) {
            std::mem::swap(&mut a, &mut b);
            failed = true;
            break;
        }
    }
    assert!(failed);
    // b is the side that noticed.
    assert_eq!(b.contact.send(b"y", rng), Err(Error::AgreementFailed));
    let lost = a.contact.send(b"x", rng).unwrap();
    assert_eq!(b.receive(&lost).unwrap_err(), Error::AgreementFailed);
    let reset = b.reset(&a, 3, NOW + 1, rng).unwrap();
    let _ = a.receive(&reset).unwrap();
    let message = a.contact.send(b"again", rng).unwrap();
    assert_eq!(text(b.receive(&message).unwrap()), b"again");
}

/// Where `auth_mac` starts in a session state: the SCKA is its tail, `epoch, auth_root, auth_mac, state…`, and after one
/// round trip the responder awaits the key with one group of four codewords.
fn find_auth_mac(session: &[u8]) -> usize {
    let held = 4 * (2 + 32);
    session.len() - held - 1 - 1 - 32
}

#[test]
fn forged_input_changes_nothing() {
    let rng = &mut SeededRng::new(12);
    let (mut a, mut b) = talking(rng);
    let good = a.contact.send(b"good", rng).unwrap();
    let before = b.contact.to_state();
    for at in [0, 1, 2, 20, 100, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        assert!(b.receive(&bad).is_err());
        assert_eq!(b.contact.to_state(), before);
    }
    for length in [0, 1, 2, 15, good.len() - 1] {
        assert!(b.receive(&good[..length]).is_err());
    }
    assert_eq!(b.contact.to_state(), before);
    assert_eq!(text(b.receive(&good).unwrap()), b"good");
}

#[test]
fn sending_needs_a_session_and_a_plaintext_within_the_limit() {
    let rng = &mut SeededRng::new(13);
    let (mut a, b) = devices(rng);
    assert_eq!(a.contact.send(b"x", rng), Err(Error::NoSession));
    a.start(&b, 0, b"1", NOW, rng);
    let large = vec![0; MAX_PLAINTEXT - Frame::OVERHEAD + 1];
    assert_eq!(a.contact.send(&large, rng), Err(Error::Limit));
}

#[test]
fn m_ct_08_the_state_is_canonical_versioned_and_refuses_every_damage() {
    let rng = &mut SeededRng::new(14);
    let (mut a, mut b) = talking(rng);
    let reset = a.reset(&b, 1, NOW + 5, rng).unwrap();
    let _ = b.receive(&reset).unwrap();
    b.contact.maintain(NOW);
    let state = b.contact.to_state().to_vec();
    let again = Contact::from_state(&state).unwrap();
    assert_eq!(*again.to_state(), state);
    assert_eq!(again.generation(), b.contact.generation());
    for length in 0..state.len() {
        assert!(Contact::from_state(&state[..length]).is_err());
    }
    assert_eq!(&state[..2], [1, 3]);
    assert_eq!(Contact::from_state(&[2, 3]).unwrap_err(), Error::Version);

    // The order of the sessions is part of the encoding.
    let [best, last] = [0, 1].map(|i| {
        let id = b.contact.sessions().nth(i).unwrap().session_id;
        state.windows(32).position(|w| w == id).unwrap()
    });
    assert!(best < last);

    let key = StateKey::new(&mut [7; 32]);
    let sealed = b.contact.export(&key, rng).unwrap();
    let generation = b.contact.generation();
    assert!(Contact::import(&key, &sealed, generation).is_ok());
    let newer = Contact::import(&key, &sealed, generation + 1);
    assert_eq!(newer.unwrap_err(), Error::Rollback);
    assert_eq!(
        Session::import(&key, &sealed, 0).unwrap_err(),
        Error::Malformed
    );
    let wrong = StateKey::new(&mut [8; 32]);
    assert_eq!(
        Contact::import(&wrong, &sealed, 0).unwrap_err(),
        Error::Authentication
    );
}
