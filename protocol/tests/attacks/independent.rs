//! The attacker's view is right: states, handshake and messages by the specification agree with the library's. Errata
//! of the published texts are pinned here, because the attacker reads ours.

use marline::{InitiateOptions, Session, Slots};

use super::attacker::{Attacker, BODY};
use super::common::*;
use super::craft::*;
use super::notation::*;
use super::structures::*;

fn options(slots: Slots) -> InitiateOptions<'static> {
    InitiateOptions {
        slots,
        ..Default::default()
    }
}

#[test]
fn c12_states_have_the_encoding_of_the_specification() {
    let rng = &mut SeededRng::new(1);
    for slots in [Slots::CONSTRAINED, Slots::IMMEDIATE] {
        let mut pair = unanswered_with(options(slots), rng);
        let mut states = std::collections::BTreeSet::new();
        for turn in 0..200 {
            let (from, to) = if turn % 2 == 0 {
                (&mut pair.b, &mut pair.a)
            } else {
                (&mut pair.a, &mut pair.b)
            };
            for lost in 0..turn % 3 {
                let _lost = from.encrypt(&[lost], rng).unwrap();
            }
            deliver(from, to, b"x", rng);
            for session in [&pair.a, &pair.b] {
                let state = session.to_state();
                let parsed = SessionState::parse(&state);
                assert_eq!(parsed.bytes(), **state);
                assert_eq!(Session::from_state(&state).unwrap().to_state(), state);
                states.insert(parsed.scka.state.bytes()[0]);
            }
        }
        // With 38 slots a ciphertext comes at once: no ReceivingCt.
        let expected = if slots == Slots::CONSTRAINED { 6 } else { 5 };
        assert_eq!(states.len(), expected, "{states:?}");
        let account = pair.bob.to_state();
        assert_eq!(AccountState::parse(&account).bytes(), **account);
    }
}

#[test]
fn erratum_11_an_independent_initiator_is_accepted() {
    let rng = &mut SeededRng::new(2);
    let (_, mut bob) = accounts(rng);
    let publication = bob.publish(2, NOW, rng).unwrap();
    let me = Identity {
        ed25519: [1; 32],
        mldsa65: [2; 32],
    };
    for bundle in [publication.bundle(), publication.last_resort_bundle()] {
        let initiator = Initiator {
            identity: me,
            subject: b"me",
            ephemeral: [9; 32],
            slots: 4,
        };
        let mut initiated = initiator.initiate(&Bundle::of(&bundle), |_, _| {});
        let accepted = bob.accept(&initiated.message(), NOW).unwrap();
        assert_eq!(accepted.opened.plaintext(), b"forged");
        assert_eq!(
            accepted.opened.peer().identity.as_bytes(),
            &h("identity", &[&me.key()])
        );
        assert_eq!(accepted.session.id(), &initiated.session.state.session_id);
        let exporter = SessionState::parse(&accepted.session.to_state()).exporter_secret;
        assert_eq!(exporter, initiated.session.state.exporter_secret);
    }
}

#[test]
fn erratum_2_and_3_chains_step_with_key_and_number_and_skip_by_no_one() {
    let rng = &mut SeededRng::new(3);
    let mut pair = answered(rng);
    let mut sender = Attacker::of(&pair.b);
    // Messages 1, and 5 after a gap, of a chain by the specification.
    for gap in [0, 3] {
        sender.lose(gap);
        let header = sender.header();
        let message = sender.send(&header);
        assert_eq!(pair.a.decrypt(&message).unwrap().plaintext(), b"forged");
    }
    assert_eq!(sender.sending().n, 6);
    // And the other way: the library's messages open under keys of the specification.
    let mut keys = Attacker::of(&pair.b);
    let reader = Attacker::of(&pair.a);
    for n in 1..4 {
        let message = pair.b.encrypt(b"text", rng).unwrap();
        let (header_key, ec, pq) = keys.keys(0);
        assert_eq!(reader.open_header(&header_key, &message).unwrap().n, n);
        let padded = reader
            .open_body(&keys.message_key(&ec, &pq), &message)
            .unwrap();
        assert_eq!((&padded[..5], padded.len()), (b"text\x80".as_slice(), 64));
    }
    assert!(BODY.starts_with(b"forged\x80"));
}
