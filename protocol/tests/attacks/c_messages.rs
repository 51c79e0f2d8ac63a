//! C1 to C3, C8 to C10 and C14: messages that were changed, moved, repeated or sent back.

use marline::{Error, InitiateOptions, Session, Slots};

use super::a_points::{refuse, refuse_first};
use super::attacker::Attacker;
use super::common::*;
use super::craft::*;
use super::structures::*;

#[test]
fn c1_every_byte_of_a_message_is_authenticated() {
    let rng = &mut SeededRng::new(60);
    let mut pair = answered(rng);
    let on_the_chain = pair.b.encrypt(b"on the chain", rng).unwrap();
    let with_a_step = pair.a.encrypt(b"with a step", rng).unwrap();
    for (session, message) in [(&mut pair.a, on_the_chain), (&mut pair.b, with_a_step)] {
        for at in 0..message.len() {
            for mask in [1, 0x80] {
                let mut bad = message.clone();
                bad[at] ^= mask;
                let error = match (at, bad[1]) {
                    (0, _) => Error::Version,
                    (1, _) => Error::Malformed,
                    _ => Error::Authentication,
                };
                refuse(session, &bad, error);
            }
        }
        assert!(session.decrypt(&message).is_ok());
    }
}

#[test]
fn c2_without_a_receiving_chain_nothing_is_received() {
    // The responder's first message must be under HK_i2r: it is not under HK_r2i, nor under a default.
    let rng = &mut SeededRng::new(61);
    let (_, mut bob) = accounts(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    let identity = Identity {
        ed25519: [1; 32],
        mldsa65: [2; 32],
    };
    let initiator = Initiator {
        identity,
        subject: b"",
        ephemeral: [9; 32],
        slots: 4,
    };
    let mut initiated = initiator.initiate(&bundle, |_, _| {});
    let other = initiated.session.state.double.next_receive;
    let peer = initiated.session.step([3; 32]);
    let header = peer.header();
    let (_, ec, pq) = peer.clone().keys(0);
    let mk = peer.message_key(&ec, &pq);
    for header_key in [other, peer.state.double.next_send, [0; 32]] {
        let message = peer.seal(&header_key, &mk, &header, b"\x80");
        let message = [initiated.flight.bytes(), message].concat();
        refuse_first(&mut bob, &message, Error::Authentication);
    }
}

#[test]
fn c2_without_a_chain_nothing_is_sent_or_decrypted_under_a_default() {
    let rng = &mut SeededRng::new(62);
    let mut pair = unanswered(rng);
    // A session before its first message cannot send: no stored state is one.
    let mut state = SessionState::parse(&pair.b.to_state());
    state.double.receiving = None;
    state.double.turn = Turn::Fresh { secret: [5; 32] };
    assert_eq!(
        Session::from_state(&state.bytes()).err(),
        Some(Error::Malformed)
    );
    // An initiator without an answer has no receiving chain.
    assert!(
        SessionState::parse(&pair.a.to_state())
            .double
            .receiving
            .is_none()
    );
    let mut forger = Attacker::of(&pair.b);
    forger.state.double.next_send = [0; 32];
    let header = forger.step([3; 32]).header();
    let message = forger.send(&header);
    refuse(&mut pair.a, &message, Error::Authentication);
    let message = forger.seal(&[0; 32], &[0; 32], &header, b"\x80");
    refuse(&mut pair.a, &message, Error::Authentication);
    deliver(&mut pair.b, &mut pair.a, b"", rng);
}

#[test]
fn c3_nonce_header_and_body_of_two_messages_do_not_mix() {
    let rng = &mut SeededRng::new(63);
    let mut pair = answered(rng);
    let mut strangers = answered(rng);
    let messages = [0, 1].map(|_| pair.b.encrypt(b"same length", rng).unwrap());
    let foreign = strangers.b.encrypt(b"same length", rng).unwrap();
    let body = 14 + 67 + 128;
    let parts =
        |message: &[u8]| [&message[..14], &message[14..body], &message[body..]].map(<[u8]>::to_vec);
    let all = [parts(&messages[0]), parts(&messages[1]), parts(&foreign)];
    for mix in 0..27 {
        let choice = [mix % 3, mix / 3 % 3, mix / 9];
        if matches!(choice, [0, 0, 0] | [1, 1, 1]) {
            continue;
        }
        let message = [0, 1, 2]
            .map(|part| all[choice[part]][part].clone())
            .concat();
        refuse(&mut pair.a, &message, Error::Authentication);
    }
    for message in messages {
        assert!(pair.a.decrypt(&message).is_ok());
    }
    // The application's associated data is authenticated, too.
    let message = pair
        .b
        .encrypt_with(b"", b"one", Default::default(), rng)
        .unwrap();
    for ad in [b"".as_slice(), b"two", b"one\0"] {
        assert_eq!(
            pair.a.decrypt_with(&message, ad).err(),
            Some(Error::Authentication)
        );
    }
    assert!(pair.a.decrypt_with(&message, b"one").is_ok());
}

#[test]
fn c3_a_message_carries_its_chains_ratchet_key_and_numbers() {
    let rng = &mut SeededRng::new(64);
    let (mut attacker, mut victim) = hostile_initiator(4, rng);
    let honest = attacker.header();
    // A header that opened and says something else than its keys: nothing comes of it.
    let mut other_key = honest.clone();
    other_key.dh = super::notation::x25519_public(&[6; 32]);
    let mut number = honest.clone();
    number.n += 1;
    let mut pq_number = honest.clone();
    pq_number.pq_n += 1;
    for header in [other_key, number, pq_number] {
        let message = attacker.clone().send(&header);
        refuse(&mut victim, &message, Error::Authentication);
    }
    assert!(victim.decrypt(&attacker.send(&honest)).is_ok());
}

#[test]
fn c8_late_messages_open_in_the_last_two_epochs_and_are_too_old_after() {
    let rng = &mut SeededRng::new(65);
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let mut pair = answered_with(options, rng);
    let mut late: Vec<(u32, Vec<u8>)> = Vec::new();
    let (mut opened, mut too_old) = (0, 0);
    for _ in 0..12 {
        let message = pair.a.encrypt(b"late", rng).unwrap();
        let epoch = SessionState::parse(&pair.a.to_state()).scka.epoch - 1;
        late.push((epoch, message));
        deliver(&mut pair.a, &mut pair.b, b"a", rng);
        deliver(&mut pair.b, &mut pair.a, b"b", rng);
        let state = pair.b.to_state();
        let newest = pair.b.facts().epoch;
        // Deliveries over three epochs, newest first, each to its own copy.
        for (epoch, message) in late.iter().rev().filter(|(epoch, _)| epoch + 3 > newest) {
            let mut copy = Session::from_state(&state).unwrap();
            if epoch + 1 >= newest {
                assert_eq!(copy.decrypt(message).unwrap().plaintext(), b"late");
                refuse(&mut copy, message, Error::Duplicate);
                opened += 1;
            } else {
                refuse(&mut copy, message, Error::TooOld);
                too_old += 1;
            }
        }
    }
    assert!(
        pair.b.facts().epoch >= 6 && opened >= 12 && too_old >= 6,
        "{opened} {too_old}"
    );
}

#[test]
fn c9_every_accepted_message_is_accepted_once_also_after_a_restart() {
    let rng = &mut SeededRng::new(66);
    let mut pair = unanswered(rng);
    let mut delivered = vec![(false, pair.first.clone())];
    for turn in 0..14 {
        let to_a = turn % 4 < 2;
        let (from, to) = if to_a {
            (&mut pair.b, &mut pair.a)
        } else {
            (&mut pair.a, &mut pair.b)
        };
        let message = from.encrypt(&[turn], rng).unwrap();
        assert_eq!(to.decrypt(&message).unwrap().plaintext(), [turn]);
        delivered.push((to_a, message));
        for (to_a, message) in &delivered {
            let session = if *to_a { &mut pair.a } else { &mut pair.b };
            let mut restarted = Session::from_state(&session.to_state()).unwrap();
            refuse(session, message, Error::Duplicate);
            refuse(&mut restarted, message, Error::Duplicate);
        }
    }
}

#[test]
fn c9_what_is_older_than_eight_chains_is_refused_as_well() {
    let rng = &mut SeededRng::new(67);
    let mut pair = answered(rng);
    let old = pair.b.encrypt(b"old", rng).unwrap();
    let _opened = pair.a.decrypt(&old).unwrap();
    for _ in 0..9 {
        deliver(&mut pair.a, &mut pair.b, b"", rng);
        deliver(&mut pair.b, &mut pair.a, b"", rng);
    }
    refuse(&mut pair.a, &old, Error::Authentication);
}

#[test]
fn c10_own_messages_sent_back_are_refused() {
    let rng = &mut SeededRng::new(68);
    let mut pair = unanswered(rng);
    refuse(&mut pair.a, &pair.first.clone(), Error::Authentication);
    for turn in 0..10 {
        let (from, to) = if turn % 2 == 0 {
            (&mut pair.b, &mut pair.a)
        } else {
            (&mut pair.a, &mut pair.b)
        };
        let message = from.encrypt(b"echo", rng).unwrap();
        refuse(from, &message, Error::Authentication);
        let _opened = to.decrypt(&message).unwrap();
        refuse(from, &message, Error::Authentication);
    }
    // Even under the right chains the direction is in the message key and the associated data.
    let (mut attacker, mut victim) = hostile_initiator(4, rng);
    let header = attacker.header();
    let mut turned = attacker.clone();
    turned.state.role = 1;
    refuse(&mut victim, &turned.send(&header), Error::Authentication);
    assert!(victim.decrypt(&attacker.send(&header)).is_ok());
}

#[test]
fn c14_wrong_padding_under_a_valid_tag_looks_like_a_wrong_tag() {
    let rng = &mut SeededRng::new(69);
    let (attacker, mut victim) = hostile_initiator(4, rng);
    let cases = [
        &[0; 64][..],
        &[0; 1],
        &[1],
        b"text",
        b"text\x80\x01",
        b"text\x80\0\0\x01",
        b"text\x80\0\x81\0",
        &[0xff; 300],
    ];
    for padded in cases {
        let mut attacker = attacker.clone();
        let header = attacker.header();
        let message = attacker.send_padded(&header, padded);
        refuse(&mut victim, &message, Error::Authentication);
    }
    // No padded plaintext at all is no message.
    let mut empty = attacker.clone();
    let header = empty.header();
    refuse(
        &mut victim,
        &empty.send_padded(&header, b""),
        Error::Malformed,
    );
    for (padded, plaintext) in [
        (b"\x80".as_slice(), b"".as_slice()),
        (b"\x80\x80\0", b"\x80"),
    ] {
        let mut copy = Session::from_state(&victim.to_state()).unwrap();
        let message = attacker.clone().send_padded(&header, padded);
        assert_eq!(copy.decrypt(&message).unwrap().plaintext(), plaintext);
    }
}
