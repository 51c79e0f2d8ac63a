//! Every byte of what comes from outside is flipped, every truncation and some extensions are tried: the error is the one the
//! specification names for the place, and the state is byte-equal afterwards.
//!
//! The expectations are tables over the layouts of sections 3.3, 4.1 and 5.4, worked out by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::ops::Range;

use common::{ALICE, BOB, NOW, SeededRng, accounts, answered};
use marline::hazmat::codec::Decode;
use marline::hazmat::manifest::SignedManifest;
use marline::{Account, Error, PrekeyBundle, Session};

/// What was changed and how: `place` in the structure's own terms.
struct Place<'a> {
    /// Offset within the field.
    at: usize,
    /// The field's bytes with the flip.
    field: &'a [u8],
}

/// A field's name, its length, and what a flip in it must give.
type Field = (&'static str, usize, fn(&Place<'_>) -> Error);

const AUTHENTICATION: fn(&Place<'_>) -> Error = |_| Error::Authentication;
const MALFORMED: fn(&Place<'_>) -> Error = |_| Error::Malformed;
const VERSION: fn(&Place<'_>) -> Error = |_| Error::Version;

/// M-PR-01: bit 255 is the highest of the last byte. No single flip makes one of our keys exceed the prime otherwise.
fn x25519(place: &Place<'_>) -> Error {
    malformed_if(place.field[31] >= 0x80)
}

/// M-PR-05, judged by the Ed25519 library alone.
fn ed25519(place: &Place<'_>) -> Error {
    let key = place.field.try_into().unwrap();
    malformed_if(ed25519_dalek::VerifyingKey::from_bytes(&key).is_err())
}

/// M-PR-03: the first 1536 bytes are 12-bit numbers, little endian, below 3329.
fn kem1024(place: &Place<'_>) -> Error {
    let numbers = place.field[..1_536].chunks(3).flat_map(|three| {
        let [a, b, c] = [0, 1, 2].map(|i| u16::from(three[i]));
        [a | (b & 0x0f) << 8, b >> 4 | c << 4]
    });
    malformed_if(numbers.into_iter().any(|number| number >= 3_329))
}

fn malformed_if(malformed: bool) -> Error {
    if malformed {
        Error::Malformed
    } else {
        Error::Authentication
    }
}

/// Flips bits of every byte of `bytes`, as `fields` describe them, and checks what `open` says to each.
/// Fields of up to 44 bytes are flipped in every bit, longer ones in one bit of each byte.
fn flip_all(bytes: &[u8], fields: &[Field], mut open: impl FnMut(&[u8]) -> Option<Error>) {
    let mut start = 0;
    let mut bytes = bytes.to_vec();
    for (name, length, expected) in fields {
        let range: Range<usize> = start..start + length;
        for at in range.clone() {
            let bits: Vec<u32> = match length {
                0..=44 => (0..8).collect(),
                _ => vec![at as u32 % 8],
            };
            for mask in bits.into_iter().map(|bit| 1 << bit) {
                bytes[at] ^= mask;
                let place = Place {
                    at: at - start,
                    field: &bytes[range.clone()],
                };
                let found = open(&bytes);
                assert_eq!(found, Some(expected(&place)), "{name}, byte {}", place.at);
                bytes[at] ^= mask;
            }
        }
        start = range.end;
    }
    assert_eq!(start, bytes.len(), "the table covers everything");
}

/// What a session says to a message, the state being the same afterwards.
fn refused_by_session(session: &mut Session, state: &[u8], message: &[u8]) -> Option<Error> {
    let error = session.decrypt(message).err();
    assert_eq!(*session.to_state(), state);
    error
}

/// The same for an account and an initial message.
fn refused_by_account(account: &mut Account, state: &[u8], message: &[u8]) -> Option<Error> {
    let error = account.accept(message, NOW).err();
    assert_eq!(*account.to_state(), state);
    error
}

/// A message of 64 padded bytes at Standard.
const MESSAGE: [Field; 5] = [
    ("version", 1, VERSION),
    ("type", 1, MALFORMED),
    ("nonce", 12, AUTHENTICATION),
    ("header", 67 + 128, AUTHENTICATION),
    ("body", 64 + 16, AUTHENTICATION),
];
const MESSAGE_LEN: usize = 14 + 195 + 80;
/// Shorter messages have no room for one byte of padded plaintext.
const SHORTEST: usize = 14 + 195 + 17;

#[test]
fn every_byte_of_a_message() {
    let rng = &mut SeededRng::new(1);
    let mut pair = answered(rng);
    for text in [
        &b""[..],
        b"sixty-three bytes at most are padded to sixty-four",
    ] {
        let message = pair.a.encrypt(text, rng).unwrap();
        assert_eq!(message.len(), MESSAGE_LEN);
        let state = pair.b.to_state();
        let refused = |bytes: &[u8]| refused_by_session(&mut pair.b, &state, bytes);
        flip_all(&message, &MESSAGE, refused);
        for mask in 1..=255 {
            let mut other = message.clone();
            other[1] ^= mask;
            let found = refused_by_session(&mut pair.b, &state, &other);
            // Type 1 says that a first flight follows, which here does not decode.
            assert_eq!(found, Some(Error::Malformed));
        }
        assert_eq!(pair.b.decrypt(&message).unwrap().plaintext(), text);
    }
}

#[test]
fn every_truncation_and_some_extensions_of_a_message() {
    let rng = &mut SeededRng::new(2);
    let mut pair = answered(rng);
    let message = pair.a.encrypt(b"text", rng).unwrap();
    let state = pair.b.to_state();
    for length in 0..message.len() {
        let expected = malformed_if(length < SHORTEST);
        let found = refused_by_session(&mut pair.b, &state, &message[..length]);
        assert_eq!(found, Some(expected), "{length} bytes");
    }
    for more in [1, 16, 64, 65_536, 1 << 25] {
        let mut longer = message.clone();
        longer.resize(message.len() + more, 0);
        // M-MS-02: the padded plaintext is at most 32 MiB.
        let expected = malformed_if(64 + more > 1 << 25);
        let found = refused_by_session(&mut pair.b, &state, &longer);
        assert_eq!(found, Some(expected), "{more} bytes more");
    }
    assert_eq!(pair.b.decrypt(&message).unwrap().plaintext(), b"text");
}

/// Identity key, subject and its length byte, signature, tag.
const SEALED_LEN: usize = 1_985 + 1 + ALICE.len() + 3_373 + 16;

/// The flight after the ids, then the message.
fn first_flight(ids: &[Field]) -> Vec<Field> {
    let before: [Field; 2] = [("version", 1, VERSION), ("type", 1, MALFORMED)];
    let after: [Field; 5] = [
        ("slots", 1, |place| {
            malformed_if(!(1..=38).contains(&place.field[0]))
        }),
        ("ephemeral", 32, x25519),
        ("ciphertext", 1_568, AUTHENTICATION),
        ("sealed length", 2, |place| {
            let length = u16::from_be_bytes(place.field.try_into().unwrap());
            let rest = SEALED_LEN + MESSAGE_LEN;
            malformed_if(usize::from(length) > rest)
        }),
        ("sealed", SEALED_LEN, AUTHENTICATION),
    ];
    [&before, ids, &after, &MESSAGE].concat()
}

#[test]
fn every_byte_of_an_initial_message_with_a_one_time_prekey() {
    let rng = &mut SeededRng::new(3);
    let (mut alice, mut bob) = accounts(rng);
    // Prekey ids: 1 signed, 2 and 3 one-time.
    let bundle = bob.publish(2, NOW, rng).unwrap().bundle();
    let (_, first) = alice.initiate(&bundle, b"text", NOW, rng).unwrap();
    let state = bob.to_state();
    let ids: [Field; 3] = [
        ("signed id", 4, |_| Error::UnknownPrekey),
        ("one-time id there", 1, MALFORMED),
        ("one-time id", 4, |place| match place.field {
            // The other one-time prekey: then the keys are others.
            [0, 0, 0, 3] => Error::Authentication,
            _ => Error::UnknownPrekey,
        }),
    ];
    let refused = |bytes: &[u8]| refused_by_account(&mut bob, &state, bytes);
    flip_all(&first, &first_flight(&ids), refused);
    assert_eq!(bob.accept(&first, NOW).unwrap().opened.plaintext(), b"text");
}

#[test]
fn every_byte_of_an_initial_message_with_the_last_resort() {
    let rng = &mut SeededRng::new(4);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(2, NOW, rng).unwrap().last_resort_bundle();
    let (_, first) = alice.initiate(&bundle, b"text", NOW, rng).unwrap();
    let state = bob.to_state();
    let ids: [Field; 2] = [
        ("signed id", 4, |_| Error::UnknownPrekey),
        // 1 would make an id of the next four bytes; this seed's fifth, read as slots, is none.
        ("one-time id there", 1, MALFORMED),
    ];
    let refused = |bytes: &[u8]| refused_by_account(&mut bob, &state, bytes);
    flip_all(&first, &first_flight(&ids), refused);
    assert_eq!(bob.accept(&first, NOW).unwrap().opened.plaintext(), b"text");
}

#[test]
fn every_truncation_and_some_extensions_of_an_initial_message() {
    let rng = &mut SeededRng::new(5);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let (_, first) = alice.initiate(&bundle, b"text", NOW, rng).unwrap();
    let state = bob.to_state();
    let flight = first.len() - MESSAGE_LEN;
    for length in 0..first.len() {
        let expected = malformed_if(length < flight + SHORTEST);
        let found = refused_by_account(&mut bob, &state, &first[..length]);
        assert_eq!(found, Some(expected), "{length} bytes");
    }
    for more in [1, 16, 64, 65_536] {
        let mut longer = first.clone();
        longer.resize(first.len() + more, 0);
        let found = refused_by_account(&mut bob, &state, &longer);
        assert_eq!(found, Some(Error::Authentication), "{more} bytes more");
    }
    assert!(bob.accept(&first, NOW).is_ok());
}

/// The first flight again, in front of a message to the session it opened: the session holds it to its hash.
#[test]
fn every_byte_of_a_repeated_first_flight() {
    let rng = &mut SeededRng::new(6);
    let mut pair = common::unanswered(rng);
    let second = pair.a.encrypt(b"text", rng).unwrap();
    let state = pair.b.to_state();
    let ids: [Field; 3] = [
        ("signed id", 4, AUTHENTICATION),
        ("one-time id there", 1, MALFORMED),
        ("one-time id", 4, AUTHENTICATION),
    ];
    let refused = |bytes: &[u8]| refused_by_session(&mut pair.b, &state, bytes);
    flip_all(&second, &first_flight(&ids), refused);
    assert_eq!(pair.b.decrypt(&second).unwrap().plaintext(), b"text");
}

/// `onetime_count` of the manifests here, and the index of the one-time record.
const COUNT: u16 = 5;
const INDEX: u16 = 4;

fn count(place: &Place<'_>) -> Error {
    let count = u16::from_be_bytes(place.field.try_into().unwrap());
    malformed_if(!(1..=1_024).contains(&count))
}

/// In a bundle with a one-time record the count also lies above its index.
fn count_above_index(place: &Place<'_>) -> Error {
    let count = u16::from_be_bytes(place.field.try_into().unwrap());
    malformed_if(!(INDEX + 1..=1_024).contains(&count))
}

fn manifest(count: fn(&Place<'_>) -> Error) -> Vec<Field> {
    let head: [Field; 6] = [
        ("version", 1, VERSION),
        ("identity version", 1, VERSION),
        ("ed25519", 32, ed25519),
        ("mldsa65", 1_952, AUTHENTICATION),
        ("subject length", 1, MALFORMED),
        ("subject", BOB.len(), AUTHENTICATION),
    ];
    let body: [Field; 9] = [
        ("generation", 8, AUTHENTICATION),
        // not_before ‖ not_after
        ("validity", 16, |place| {
            malformed_if(place.field[..8] >= place.field[8..])
        }),
        ("signed id", 4, AUTHENTICATION),
        ("signed x25519", 32, x25519),
        ("signed kem_hash", 32, AUTHENTICATION),
        ("onetime_count", 2, count),
        ("root", 32, AUTHENTICATION),
        ("signature, ed25519", 64, AUTHENTICATION),
        ("signature, mldsa65", 3_309, AUTHENTICATION),
    ];
    [&head[..], &body].concat()
}

#[test]
fn every_byte_of_a_manifest() {
    let rng = &mut SeededRng::new(7);
    let (_, mut bob) = accounts(rng);
    let bytes = bob.publish(COUNT, NOW, rng).unwrap().manifest_bytes();
    let open = |bytes: &[u8]| {
        let manifest = SignedManifest::from_bytes(bytes);
        manifest.and_then(|manifest| manifest.verify()).err()
    };
    assert_eq!(open(&bytes), None);
    flip_all(&bytes, &manifest(count), open);
    for length in 0..bytes.len() {
        assert_eq!(open(&bytes[..length]), Some(Error::Malformed));
    }
    for more in [1, 32, 3_373] {
        let longer = [&bytes[..], &vec![0; more]].concat();
        assert_eq!(open(&longer), Some(Error::Malformed));
    }
}

/// Decodes a bundle and starts a session from it; nothing may have changed.
fn initiate(alice: &mut Account, bytes: &[u8]) -> Option<Error> {
    let state = alice.to_state();
    let rng = &mut SeededRng::new(99);
    let bundle = PrekeyBundle::from_bytes(bytes);
    let result = bundle.and_then(|bundle| alice.initiate(&bundle, b"text", NOW, rng));
    let error = result.err();
    if error.is_some() {
        assert_eq!(alice.to_state(), state);
    }
    error
}

fn every_byte_of_a_bundle(rng: &mut SeededRng, bundle: &PrekeyBundle, fields: &[Field]) {
    let mut alice = Account::generate(ALICE, rng).unwrap();
    let bytes = bundle.to_bytes();
    flip_all(&bytes, fields, |bytes| initiate(&mut alice, bytes));
    for length in 0..bytes.len() {
        assert_eq!(
            initiate(&mut alice, &bytes[..length]),
            Some(Error::Malformed)
        );
    }
    for more in [1, 32, 1_568] {
        let longer = [&bytes[..], &vec![0; more]].concat();
        assert_eq!(initiate(&mut alice, &longer), Some(Error::Malformed));
    }
    assert_eq!(initiate(&mut alice, &bytes), None);
}

#[test]
fn every_byte_of_a_bundle_with_a_one_time_prekey() {
    let rng = &mut SeededRng::new(8);
    let (_, mut bob) = accounts(rng);
    let publication = bob.publish(COUNT, NOW, rng).unwrap();
    let bundle = publication.bundles().nth(INDEX.into()).unwrap();
    let record: [Field; 6] = [
        ("kind", 1, MALFORMED),
        ("id", 4, AUTHENTICATION),
        ("x25519", 32, x25519),
        ("kem", 1_568, kem1024),
        ("index", 2, |place| {
            let index = u16::from_be_bytes(place.field.try_into().unwrap());
            malformed_if(index >= COUNT)
        }),
        // The last of five leaves hangs right under the root: one sibling.
        ("path", 1 + 32, |place| match place.at {
            0 => Error::Malformed,
            _ => Error::Authentication,
        }),
    ];
    every_byte_of_a_bundle(
        rng,
        &bundle,
        &[&manifest(count_above_index), &record[..]].concat(),
    );
}

#[test]
fn every_byte_of_a_bundle_with_the_last_resort() {
    let rng = &mut SeededRng::new(9);
    let (_, mut bob) = accounts(rng);
    let bundle = bob.publish(COUNT, NOW, rng).unwrap().last_resort_bundle();
    let record: [Field; 2] = [("kind", 1, MALFORMED), ("kem", 1_568, kem1024)];
    every_byte_of_a_bundle(rng, &bundle, &[&manifest(count), &record[..]].concat());
}
