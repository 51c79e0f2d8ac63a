//! E1 to E5 and the rows of F that a two-party session answers.

use std::collections::BTreeSet;

use marline::{Error, Padding, Session, StateKey};

use super::attacker::Attacker;
use super::common::*;
use super::craft::*;
use super::notation::*;
use super::structures::*;

fn keys_tried(session: &Session) -> Vec<Key> {
    let double = SessionState::parse(&session.to_state()).double;
    let retired = double.retired.0.iter().map(|chain| chain.header_key);
    let receiving = double.receiving.iter().map(|chain| chain.header_key);
    receiving
        .chain([double.next_receive])
        .chain(retired)
        .collect()
}

#[test]
fn e1_the_keys_tried_for_a_header_are_independent_and_exactly_one_opens_it() {
    // There is no key commitment: nobody chooses these keys, and no password makes them.
    let rng = &mut SeededRng::new(110);
    let mut pair = answered(rng);
    for turn in 0..30 {
        let (from, to) = if turn % 2 == 0 {
            (&mut pair.a, &mut pair.b)
        } else {
            (&mut pair.b, &mut pair.a)
        };
        let message = from.encrypt(b"", rng).unwrap();
        let keys = keys_tried(to);
        let distinct: BTreeSet<&Key> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        let reader = Attacker::of(to);
        let opening = keys
            .iter()
            .filter(|key| reader.open_header(key, &message).is_some());
        assert_eq!(opening.count(), 1);
        let _opened = to.decrypt(&message).unwrap();
    }
    assert_eq!(keys_tried(&pair.b).len(), 10);
}

#[test]
fn e2_ciphertexts_have_the_lengths_of_their_padding_only() {
    let rng = &mut SeededRng::new(111);
    let mut pair = answered(rng);
    let lengths = |pair: &mut Pair,
                   padding,
                   range: std::ops::Range<usize>,
                   rng: &mut SeededRng|
     -> BTreeSet<usize> {
        let encrypt = |length| {
            let message = pair
                .b
                .encrypt_with(&vec![7; length], b"", padding, rng)
                .unwrap();
            message.len() - 225
        };
        range.map(encrypt).collect()
    };
    // Padmé by hand (PURBs, section 4.2): from 64 to 127 steps of 8, to 255 of 16 (E = 7, S = 3), to 511 of 16 (E = 8, S = 4).
    let padme: BTreeSet<usize> = (64..128)
        .step_by(8)
        .chain((128..256).step_by(16))
        .chain((256..=512).step_by(16))
        .collect();
    assert_eq!(lengths(&mut pair, Padding::default(), 0..512, rng), padme);
    assert_eq!(
        lengths(&mut pair, Padding::Block(256), 0..1_024, rng),
        [256, 512, 768, 1_024].into()
    );
    assert_eq!(
        lengths(&mut pair, Padding::None, 0..5, rng),
        (1..6).collect()
    );
}

#[test]
fn e3_every_nonce_of_a_conversation_is_drawn_anew() {
    let rng = &mut SeededRng::new(112);
    let mut pair = answered(rng);
    let mut nonces = BTreeSet::new();
    for turn in 0..400 {
        let (from, to) = if turn % 4 < 2 {
            (&mut pair.a, &mut pair.b)
        } else {
            (&mut pair.b, &mut pair.a)
        };
        let mut next = rng.clone();
        let message = from.encrypt(b"", rng).unwrap();
        // The first draw of every message, whatever the state.
        assert_eq!(message[2..14], next.array::<12>());
        assert!(nonces.insert(message[2..14].to_vec()));
        let _opened = to.decrypt(&message).unwrap();
    }
}

#[test]
fn e5_the_length_does_not_depend_on_the_content() {
    let rng = &mut SeededRng::new(113);
    let mut pair = answered(rng);
    for length in [0, 100, 5_000] {
        let texts = [vec![0; length], vec![0x80; length], rng.bytes(length)];
        let lengths = texts.map(|text| pair.b.encrypt(&text, rng).unwrap().len());
        assert!(
            lengths.iter().all(|length| *length == lengths[0]),
            "{lengths:?}"
        );
    }
}

#[test]
fn f4_a_plaintext_comes_with_its_authenticated_sender() {
    let rng = &mut SeededRng::new(114);
    let mut pair = unanswered(rng);
    for turn in 0..6 {
        let (from, to, sender, name) = if turn % 2 == 0 {
            (&mut pair.b, &mut pair.a, pair.bob.id(), BOB)
        } else {
            (&mut pair.a, &mut pair.b, pair.alice.id(), ALICE)
        };
        let message = from.encrypt(b"text", rng).unwrap();
        // The only way to a plaintext is through a value that names the peer.
        let (peer, plaintext) = to.decrypt(&message).unwrap().into_parts();
        assert_eq!(
            (peer.identity, peer.subject.as_bytes(), plaintext.as_slice()),
            (sender, name.as_bytes(), &b"text"[..])
        );
    }
}

#[test]
fn f5_numbers_are_inside_what_is_authenticated_and_encrypted() {
    let rng = &mut SeededRng::new(115);
    let mut pair = answered(rng);
    let mut keys = Attacker::of(&pair.b);
    let header = keys.header();
    let message = pair.b.encrypt(b"", rng).unwrap();
    let (header_key, _, _) = keys.keys(0);
    let opened = Attacker::of(&pair.a)
        .open_header(&header_key, &message)
        .unwrap();
    assert_eq!(
        (opened.n, opened.pq_n, opened.pn),
        (header.n, header.pq_n, header.pn)
    );
    // Not in the clear: neither the header's numbers nor the ratchet key.
    let bytes = opened.bytes();
    assert!(
        !message
            .windows(16)
            .any(|window| window == &bytes[32..48] || window == &bytes[..16])
    );
}

#[test]
fn f7_a_state_is_sealed_for_its_kind() {
    let rng = &mut SeededRng::new(116);
    let pair = answered(rng);
    let key = StateKey::new(&mut [1; 32]);
    let (session, account) = (
        pair.a.export(&key, rng).unwrap(),
        pair.alice.export(&key, rng).unwrap(),
    );
    assert_eq!(
        Session::import(&key, &account, 0).err(),
        Some(Error::Malformed)
    );
    assert_eq!(
        marline::Account::import(&key, &session, 0).err(),
        Some(Error::Malformed)
    );
    for at in 0..session.len() {
        let mut bad = session.clone();
        bad[at] ^= 1;
        let error = match at {
            0 => Error::Version,
            1 => Error::Malformed,
            _ => Error::Authentication,
        };
        assert_eq!(Session::import(&key, &bad, 0).err(), Some(error), "{at}");
    }
    let other = StateKey::new(&mut [2; 32]);
    assert_eq!(
        Session::import(&other, &session, 0).err(),
        Some(Error::Authentication)
    );
}

#[test]
fn f11_the_safety_number_covers_both_halves_of_both_identities() {
    let seeds = Identity {
        ed25519: [1; 32],
        mldsa65: [2; 32],
    };
    let id =
        |identity: &Identity| marline::IdentityId::from_bytes(h("identity", &[&identity.key()]));
    let others = [
        seeds,
        Identity {
            ed25519: [3; 32],
            ..seeds
        },
        Identity {
            mldsa65: [3; 32],
            ..seeds
        },
    ];
    let (alice, bob) = accounts(&mut SeededRng::new(117));
    let mut numbers = BTreeSet::new();
    for account in [&alice, &bob] {
        for other in &others {
            let number = account.safety_number(&id(other));
            assert!(numbers.insert(number.digits().to_owned()));
            assert_eq!((number.digits().len(), number.qr()[0]), (60, 1));
            // By the specification.
            let mut ids = [*account.id().as_bytes(), *id(other).as_bytes()];
            ids.sort();
            let digits: [u8; 60] = prf("safety number", &[&[1], &ids[0], &ids[1]]);
            let groups = digits
                .chunks(5)
                .map(|group| group.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte)));
            let expected: String = groups
                .map(|group| format!("{:05}", group % 100_000))
                .collect();
            assert_eq!(number.digits(), expected);
        }
    }
}
