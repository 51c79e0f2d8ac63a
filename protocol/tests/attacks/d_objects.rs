//! D1 to D4, D7 and D9: what a malicious peer puts into authenticated headers, with errata 1 and 4 to 9.

use marline::hazmat::kem768;
use marline::{Error, InitiateOptions, Session, Slots};

use super::a_kem::overflowing;
use super::a_points::refuse;
use super::attacker::{Attacker, Header};
use super::common::*;
use super::craft::{hostile_initiator, secret};
use super::notation::*;
use super::structures::*;

fn state(session: &Session) -> SessionState {
    SessionState::parse(&session.to_state())
}

fn copy(session: &Session) -> Session {
    Session::from_state(&session.to_state()).unwrap()
}

/// B is the attacker; A owns a key that B has got.
fn hostile_responder(slots: Slots, seed: u64) -> (Attacker, Session) {
    let options = InitiateOptions {
        slots,
        ..Default::default()
    };
    let pair = answered_with(options, &mut SeededRng::new(seed));
    (Attacker::of(&pair.b), pair.a)
}

/// The session has ended as M-RX-08 says: visible, for both directions, over a restart, and the agreement untouched.
fn assert_ended(session: &mut Session, before: &SessionState, honest: &[u8]) {
    let after = state(session);
    assert_eq!((after.status, after.generation), (1, before.generation + 1));
    assert_eq!(
        (&after.scka, after.since_epoch),
        (&before.scka, before.since_epoch)
    );
    for session in [&mut copy(session), session] {
        assert!(session.facts().failed);
        let state = session.to_state();
        let rng = &mut SeededRng::new(1);
        assert_eq!(
            session.encrypt(b"", rng).err(),
            Some(Error::AgreementFailed)
        );
        let prepared = session.prepare_encrypt(b"", b"", Default::default(), rng);
        assert_eq!(prepared.err(), Some(Error::AgreementFailed));
        refuse(session, honest, Error::AgreementFailed);
        assert_eq!(session.to_state(), state);
    }
}

#[test]
fn d1_a_poisoned_codeword_from_outside_never_reaches_the_agreement() {
    let rng = &mut SeededRng::new(80);
    let mut pair = unanswered(rng);
    let message = pair.a.encrypt(b"", rng).unwrap();
    let flight = message.len() - (14 + 67 + 128 + 80);
    let before = state(&pair.b).scka;
    // Every codeword byte of the header, flipped on the way.
    for at in (14 + 51..14 + 51 + 128).map(|at| flight + at) {
        let mut bad = message.clone();
        bad[at] ^= 1;
        refuse(&mut pair.b, &bad, Error::Authentication);
    }
    assert_eq!(state(&pair.b).scka, before);
    assert!(pair.b.decrypt(&message).is_ok());
}

#[test]
fn d1_a_poisoned_key_object_from_the_peer_ends_the_session_visibly() {
    let rng = &mut SeededRng::new(81);
    let (_, ek) = kem768::DecapsulationKey::generate(secret(&[5; 64]));
    for poisoned in [0, 37] {
        let (mut attacker, mut victim) = hostile_initiator(38, rng);
        let mut header = attacker.header();
        let mut object = attacker.key_object(&*ek);
        object[32 * poisoned] ^= 1;
        header.carry(1, &object);
        let before = state(&victim);
        let message = attacker.send(&header);
        assert_eq!(victim.decrypt(&message).err(), Some(Error::AgreementFailed));
        let honest = attacker.header();
        assert_ended(&mut victim, &before, &attacker.send(&honest));
    }
}

#[test]
fn d2_a_conflicting_codeword_is_ignored_and_none_counts_twice() {
    let rng = &mut SeededRng::new(82);
    let (mut attacker, mut victim) = hostile_initiator(4, rng);
    let (_, ek) = kem768::DecapsulationKey::generate(secret(&[5; 64]));
    let object = attacker.key_object(&*ek);
    let mut send = |attacker: &mut Attacker, index: u16, codewords: &[u8]| {
        let header = Header {
            kind: 1,
            index,
            codewords: codewords.to_vec(),
            ..attacker.header()
        };
        assert!(victim.decrypt(&attacker.send(&header)).is_ok());
        match state(&victim).scka.state {
            SckaState::AwaitingKey { held } => held.0.len(),
            SckaState::KeyHeld { ek: held } => {
                assert_eq!(held, *ek);
                38
            }
            other => panic!("{other:?}"),
        }
    };
    // Indices 0 to 3, then each of them again with other content, many times.
    assert_eq!(send(&mut attacker, 0, &object[..128]), 4);
    for _ in 0..40 {
        assert_eq!(send(&mut attacker, 0, &[0xee; 128]), 4);
    }
    // Overlapping: 2 and 3 are held, 4 and 5 are new and right.
    let overlapping = [&[0xee; 64], &object[128..192]].concat();
    assert_eq!(send(&mut attacker, 2, &overlapping), 6);
    // 37 codewords yield nothing; the last piece overlaps, and what is beyond the 38th is ignored.
    for first in (6..34).step_by(4) {
        assert_eq!(
            send(
                &mut attacker,
                first,
                &object[32 * usize::from(first)..][..128]
            ),
            usize::from(first) + 4
        );
    }
    assert_eq!(send(&mut attacker, 33, &object[32 * 33..][..128]), 37);
    assert_eq!(
        send(
            &mut attacker,
            34,
            &[&[0xee; 96], &object[32 * 37..]].concat()
        ),
        38
    );
}

#[test]
fn d2_kinds_and_lengths_are_checked_when_the_header_is_decoded() {
    let rng = &mut SeededRng::new(83);
    let (attacker, mut victim) = hostile_initiator(4, rng);
    let honest = attacker.clone().header();
    let mut cases = Vec::new();
    // Erratum 5: there is no acknowledgement or any other kind.
    cases.extend((3..=255).map(|kind| Header {
        kind,
        ..honest.clone()
    }));
    // Erratum 6: kind 0 carries nothing.
    cases.push(Header {
        index: 1,
        ..honest.clone()
    });
    for at in [0, 64, 127] {
        let mut header = honest.clone();
        header.codewords[at] = 1;
        cases.push(header);
    }
    for header in cases {
        refuse(
            &mut victim,
            &attacker.clone().send(&header),
            Error::Malformed,
        );
    }
    // Another number of codewords is another length: the header does not open where it should end.
    for codewords in [0, 96, 127, 129, 160] {
        let header = Header {
            codewords: vec![0; codewords],
            ..honest.clone()
        };
        let message = attacker.clone().send_padded(&header, &[0x80; 200]);
        refuse(&mut victim, &message, Error::Authentication);
    }
}

#[test]
fn d3_a_key_is_checked_before_anything_is_encapsulated_to_it() {
    let rng = &mut SeededRng::new(84);
    let (_, ek) = kem768::DecapsulationKey::generate(secret(&[5; 64]));
    for bad in overflowing(&*ek) {
        let (mut attacker, mut victim) = hostile_initiator(38, rng);
        let before = state(&victim);
        let mut header = attacker.header();
        header.carry(1, &attacker.key_object(&bad));
        assert_eq!(
            victim.decrypt(&attacker.send(&header)).err(),
            Some(Error::AgreementFailed)
        );
        let honest = attacker.header();
        assert_ended(&mut victim, &before, &attacker.send(&honest));
    }
}

#[test]
fn d4_a_wrong_ciphertext_mac_ends_the_session_and_keeps_no_authenticator() {
    let (attacker, victim) = hostile_responder(Slots::IMMEDIATE, 85);
    let SckaState::SendingCt { object, .. } = attacker.state.scka.state.clone() else {
        panic!("no ciphertext")
    };
    // The victim has the ciphertext already: it answered. Take one that has not.
    assert!(matches!(
        state(&victim).scka.state,
        SckaState::AwaitingKey { .. }
    ));
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let pair = unanswered_with(options, &mut SeededRng::new(86));
    assert!(matches!(
        state(&pair.a).scka.state,
        SckaState::SendingKey { .. }
    ));
    for poisoned in [0, 1087, 1088, 1119] {
        let mut victim = copy(&pair.a);
        let mut attacker = Attacker::of(&pair.b);
        let mut bad = object;
        bad[poisoned] ^= 1;
        let mut header = attacker.step([3; 32]).header();
        header.carry(2, &bad);
        let before = state(&victim);
        let message = attacker.send(&header);
        assert_eq!(victim.decrypt(&message).err(), Some(Error::AgreementFailed));
        // The message itself was authentic: its chain is committed, its plaintext is not released.
        assert_ne!(state(&victim).double, before.double);
        assert_eq!(state(&victim).sparse.root, before.sparse.root);
        let honest = attacker.header();
        assert_ended(&mut victim, &before, &attacker.send(&honest));
    }
}

#[test]
fn d7_epochs_from_the_future_or_the_past_change_nothing_in_any_state() {
    let mut seen = std::collections::BTreeSet::new();
    for slots in [Slots::STANDARD, Slots::IMMEDIATE] {
        let rng = &mut SeededRng::new(87);
        let options = InitiateOptions {
            slots,
            ..Default::default()
        };
        let mut pair = answered_with(options, rng);
        // Two messages a turn, so that states that end with the next send are met, too.
        for turn in 0..200 {
            let (from, to) = if turn % 4 < 2 {
                (&mut pair.a, &mut pair.b)
            } else {
                (&mut pair.b, &mut pair.a)
            };
            let mut peer = Attacker::of(from);
            peer.step([3; 32]);
            let own = state(to).scka.epoch;
            seen.insert(state(to).scka.state.bytes()[0]);
            let newest = state(to).sparse.current.epoch;
            for epoch in [own + 1, own + 2, 0x7fff_ffff]
                .into_iter()
                .filter(|epoch| epoch - 1 > newest)
            {
                let header = Header {
                    epoch,
                    ..peer.header()
                };
                refuse(to, &peer.clone().send(&header), Error::Authentication);
            }
            for epoch in [0, 0x8000_0000, u32::MAX] {
                let header = Header {
                    epoch,
                    ..peer.header()
                };
                refuse(to, &peer.clone().send(&header), Error::Malformed);
            }
            if newest >= 2 {
                let header = Header {
                    epoch: 1,
                    ..peer.header()
                };
                refuse(to, &peer.clone().send(&header), Error::TooOld);
            }
            deliver(from, to, b"", rng);
        }
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
}

#[test]
fn d7_a_late_piece_of_the_epoch_before_is_received_and_not_used() {
    let rng = &mut SeededRng::new(88);
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let mut pair = answered_with(options, rng);
    // A is at epoch 2, waiting for B's key. A piece of kind 2 and one of kind 1 for epoch 1 come late.
    let before = state(&pair.a).scka;
    assert_eq!(before.epoch, 2);
    let mut peer = Attacker::of(&pair.b);
    for kind in [1, 2] {
        let mut header = peer.header();
        assert_eq!(header.epoch, 1);
        header.carry(kind, &[0xee; 1216]);
        assert!(pair.a.decrypt(&peer.send(&header)).is_ok());
        assert_eq!(state(&pair.a).scka, before);
    }
    // And the wrong kind for the own epoch: the encapsulator gets a ciphertext.
    deliver(&mut pair.a, &mut pair.b, b"", rng);
    deliver(&mut pair.b, &mut pair.a, b"", rng);
    let before = state(&pair.b).scka;
    let mut peer = Attacker::of(&pair.a);
    let mut header = peer.step([3; 32]).header();
    header.carry(1, &[0xee; 1216]);
    assert_eq!(header.epoch, before.epoch);
    assert!(matches!(before.state, SckaState::SendingKey { .. }));
    assert!(pair.b.decrypt(&peer.send(&header)).is_ok());
    assert_eq!(state(&pair.b).scka, before);
}

#[test]
fn d9_there_is_no_message_without_the_post_quantum_key_or_the_codewords() {
    let rng = &mut SeededRng::new(89);
    let (attacker, mut victim) = hostile_initiator(4, rng);
    let header = attacker.clone().header();
    let (header_key, ec, pq) = attacker.clone().keys(0);
    let mut peer = attacker.clone();
    // A stripped strand is no strand: neither alone, nor zeros, nor exchanged.
    for (ec, pq) in [(ec, [0; 32]), ([0; 32], pq), (ec, ec), (pq, ec)] {
        let mk = peer.message_key(&ec, &pq);
        let message = peer.seal(&header_key, &mk, &header, b"\x80");
        refuse(&mut victim, &message, Error::Authentication);
    }
    let short = prf("message", &[&ec, &attacker.state.session_id, &[0]]);
    let message = peer.seal(&header_key, &short, &header, b"\x80");
    refuse(&mut victim, &message, Error::Authentication);
    // A peer that never sends codewords gets no epoch, and the application sees it.
    for n in 1..=50 {
        let mut attacker = attacker.clone();
        let header = attacker.lose(n).header();
        assert!(copy(&victim).decrypt(&attacker.send(&header)).is_ok());
    }
    let mut attacker = attacker.clone();
    for n in 2..=51 {
        let header = attacker.header();
        assert!(victim.decrypt(&attacker.send(&header)).is_ok());
        assert_eq!(
            (victim.facts().epoch, victim.facts().messages_since_epoch),
            (0, n)
        );
    }
}
