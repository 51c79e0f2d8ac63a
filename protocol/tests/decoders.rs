//! Every decoder (spec section 1.1): what is taken encodes to the same bytes again (M-EN-02), what is not gives `Malformed` or
//! `Version` (M-EN-01, M-EN-03), and nothing panics, whatever comes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod common;

use std::sync::OnceLock;

use common::{ALICE, NOW, Pair, SeededRng, accounts, answered_with, deliver, unanswered};
use marline::hazmat::codec::{Decode, Encode, Reader};
use marline::hazmat::initial::{FirstFlight, InitialMessage, PrekeyIds, Sealed};
use marline::hazmat::manifest::{Manifest, SignedManifest, SignedPrekey};
use marline::hazmat::message::{Header, Parts};
use marline::hazmat::prekey::{PrekeySecret, PublicationState, Record};
use marline::hazmat::scka::ChunkedKem;
use marline::hazmat::{dh, erasure, kem768, kem1024};
use marline::{
    Account, Error, HybridSignature, IdentityId, IdentityKey, IdentityKeyPair, InitiateOptions,
    PrekeyBundle, Role, Session, Slots, StateKey, Subject,
};
use proptest::prelude::*;

/// What a decoder did: the encoding of what it took, or its error.
type Decoder = fn(&[u8]) -> Result<Vec<u8>, Error>;

fn again<T: Decode + Encode>(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    T::from_bytes(bytes).map(|value| value.to_vec())
}

fn initial_message(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let message = InitialMessage::from_bytes(bytes)?;
    assert_eq!(message.flight.to_vec(), message.flight_bytes);
    Ok([message.flight_bytes, message.message].concat())
}

fn parts(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let parts = Parts::from_bytes(bytes, Slots::STANDARD)?;
    let head = [&[1, 2][..], parts.nonce, parts.header_ct].concat();
    assert_eq!(head, parts.before_body);
    Ok([&head, parts.body_ct].concat())
}

fn agreement(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut input = Reader::new(bytes);
    let kem = ChunkedKem::decode(&mut input, [3; 32], Slots::STANDARD)?;
    input.finish()?;
    Ok(kem.to_vec())
}

fn session(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut session = Session::from_state(bytes)?;
    let state = session.to_state().to_vec();
    // A state that is taken can be used without a panic, whatever is in it.
    let rng = &mut SeededRng::new(7);
    let _ = (session.facts(), session.maintain(NOW));
    for _ in 0..3 {
        let _ = session.encrypt(b"text", rng);
        let _ = session.decrypt(&samples().message);
        let _ = session.decrypt(&samples().answer);
    }
    let after = session.to_state();
    assert_eq!(again_session(&after), Ok(after.to_vec()));
    Ok(state)
}

fn again_session(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    Session::from_state(bytes).map(|session| session.to_state().to_vec())
}

fn account(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut account = Account::from_state(bytes)?;
    let state = account.to_state().to_vec();
    let _ = account.accept(&samples().initial, NOW);
    let _ = (
        account.due(NOW),
        account.publish(1, NOW, &mut SeededRng::new(7)),
    );
    let _ = account.delete_expired(u64::MAX);
    Ok(state)
}

/// Every decoder that bytes from outside or from a store reach, by name.
const DECODERS: [(&str, Decoder); 27] = [
    ("u64", again::<u64>),
    ("bool", again::<bool>),
    ("option", again::<Option<u32>>),
    ("array", again::<[u8; 32]>),
    ("role", again::<Role>),
    ("slots", again::<Slots>),
    ("identity id", again::<IdentityId>),
    ("subject", again::<Subject>),
    ("identity key", again::<IdentityKey>),
    ("identity key pair", again::<IdentityKeyPair>),
    ("signature", again::<HybridSignature>),
    ("x25519 key", again::<dh::PublicKey>),
    ("kem768 key", again::<kem768::EncapsulationKey>),
    ("kem1024 key", again::<kem1024::EncapsulationKey>),
    ("codewords", again::<erasure::Decoder<35>>),
    ("signed prekey", again::<SignedPrekey>),
    ("manifest", again::<Manifest>),
    ("signed manifest", again::<SignedManifest>),
    ("record", again::<Record>),
    ("bundle", |bytes| {
        PrekeyBundle::from_bytes(bytes).map(|bundle| bundle.to_bytes())
    }),
    ("prekey ids", again::<PrekeyIds>),
    ("first flight", again::<FirstFlight>),
    ("sealed identity", again::<Sealed>),
    ("initial message", initial_message),
    ("message", parts),
    ("header", again::<Header>),
    ("agreement", agreement),
];

/// The decoders of whole states, which also use what they take.
const STATES: [(&str, Decoder); 4] = [
    ("prekey", again::<PrekeySecret>),
    ("publication", again::<PublicationState>),
    ("session", session),
    ("account", account),
];

/// The rule for one decoder and any input; whether it was taken.
fn check(name: &str, decoder: Decoder, bytes: &[u8]) -> bool {
    match decoder(bytes) {
        Ok(encoded) => assert!(encoded == bytes, "{name}: not canonical"),
        Err(error) => {
            assert!(
                matches!(error, Error::Malformed | Error::Version),
                "{name}: {error}"
            );
            return false;
        }
    }
    true
}

/// Valid encodings, made once.
struct Samples {
    /// With the decoder that takes them.
    valid: Vec<(&'static str, Decoder, Vec<u8>)>,
    initial: Vec<u8>,
    message: Vec<u8>,
    answer: Vec<u8>,
}

fn samples() -> &'static Samples {
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    SAMPLES.get_or_init(make_samples)
}

fn decoder(name: &str) -> (&'static str, Decoder) {
    let all = DECODERS.iter().chain(&STATES);
    *all.clone().find(|(found, _)| *found == name).unwrap()
}

fn make_samples() -> Samples {
    let rng = &mut SeededRng::new(1);
    let Pair {
        mut a,
        mut b,
        bob,
        first,
        ..
    } = unanswered(rng);
    let mut valid = Vec::new();
    let mut add = |name, bytes: Vec<u8>| {
        let (name, decoder) = decoder(name);
        valid.push((name, decoder, bytes));
    };
    let (mut alice, mut carol) = accounts(rng);
    let publication = carol.publish(3, NOW, rng).unwrap();
    let bundle = publication.bundle();
    add("identity key", carol.identity().to_vec());
    add("subject", carol.subject().to_vec());
    add("signed manifest", publication.manifest_bytes());
    add(
        "manifest",
        SignedManifest::from_bytes(&publication.manifest_bytes())
            .unwrap()
            .manifest
            .to_vec(),
    );
    add("bundle", bundle.to_bytes());
    add("bundle", publication.last_resort_bundle().to_bytes());
    add("record", publication.last_resort_bytes());
    publication
        .one_time_bytes()
        .for_each(|record| add("record", record));
    add("initial message", first.clone());
    add("first flight", first[..first.len() - 289].to_vec());
    add("account", bob.to_state().to_vec());
    let (_, last_resort) = alice
        .initiate(&publication.last_resort_bundle(), b"", NOW, rng)
        .unwrap();
    carol
        .accept(&last_resort, NOW)
        .unwrap()
        .session
        .maintain(NOW);
    add("initial message", last_resort);
    add("account", carol.to_state().to_vec());
    add("account", alice.to_state().to_vec());

    add("session", a.to_state().to_vec());
    add("session", b.to_state().to_vec());
    let answer = b.encrypt(b"answer", rng).unwrap();
    add("message", answer.clone());
    let message = a.encrypt(b"late", rng).unwrap()[first.len() - 289..].to_vec();
    assert!(a.decrypt(&answer).is_ok());
    for slots in [Slots::IMMEDIATE, Slots::STANDARD] {
        let options = InitiateOptions {
            slots,
            ..Default::default()
        };
        let Pair { mut a, mut b, .. } = answered_with(options, rng);
        for _ in 0..14 {
            for _ in 0..3 {
                let _ = a.encrypt(b"lost", rng).unwrap();
            }
            deliver(&mut a, &mut b, b"text", rng);
            for state in [a.to_state(), b.to_state()] {
                let view = common::session_state::View::of(&state);
                add("agreement", state[view.scka_rest.start - 69..].to_vec());
                add("session", state.to_vec());
            }
            (a, b) = (b, a);
        }
    }
    Samples {
        valid,
        initial: first,
        message,
        answer,
    }
}

/// Valid encodings are taken; every truncation and an extension of each are not.
#[test]
fn valid_encodings_are_taken_whole() {
    let mut seen: Vec<_> = samples().valid.iter().map(|(name, ..)| *name).collect();
    seen.dedup();
    assert!(seen.len() > 12 && samples().valid.len() > 60);
    for (name, decoder, bytes) in &samples().valid {
        assert!(check(name, *decoder, bytes), "{name}");
        // A message takes the rest, whatever its length: section 5.4.
        if matches!(*name, "message" | "initial message") {
            continue;
        }
        let step = bytes.len() / 300 + 1;
        for length in (0..bytes.len()).step_by(step) {
            assert!(
                !check(name, *decoder, &bytes[..length]),
                "{name}, {length} bytes"
            );
        }
        assert!(
            !check(name, *decoder, &[&bytes[..], &[0]].concat()),
            "{name}"
        );
    }
}

/// Numbers at the edges of the limits.
const EDGES: [u32; 8] = [
    0,
    1,
    2_000,
    25_001,
    (1 << 31) - 2,
    (1 << 31) - 1,
    1 << 31,
    u32::MAX,
];

/// One change to valid bytes; `other` is another valid encoding.
fn mutated(bytes: &[u8], other: &[u8], how: u8, at: usize, value: u8) -> Vec<u8> {
    let at = at % bytes.len();
    let mut bytes = bytes.to_vec();
    match how {
        0 => bytes[at] ^= 1 << (value % 8),
        1 => bytes[at] = value,
        2 => bytes.truncate(at),
        3 => bytes.insert(at, value),
        4 => drop(bytes.remove(at)),
        5 => {
            let edge = EDGES[usize::from(value) % EDGES.len()].to_be_bytes();
            let end = bytes.len().min(at + 4);
            bytes[at..end].copy_from_slice(&edge[..end - at]);
        }
        // The head of one and the tail of the other.
        6 => {
            bytes.truncate(at);
            bytes.extend_from_slice(&other[other.len().min(at)..]);
        }
        // The tails joined at the same distance from the end.
        _ => {
            let left = bytes.len() - at;
            bytes.truncate(at);
            bytes.extend_from_slice(&other[other.len().saturating_sub(left)..]);
        }
    }
    bytes
}

#[test]
fn decoders_are_total_and_canonical_near_valid_encodings() {
    let rng = &mut SeededRng::announced(2);
    let valid = &samples().valid;
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..8_000 {
        let (name, decoder, bytes) = &valid[rng.below(valid.len())];
        let same: Vec<_> = valid.iter().filter(|(other, ..)| other == name).collect();
        let other = &same[rng.below(same.len())].2;
        let (how, at, value) = (rng.below(8), rng.below(1 << 16), rng.below(256));
        let mutated = mutated(bytes, other, how as u8, at, value as u8);
        let outcome = if check(name, *decoder, &mutated) {
            &mut taken
        } else {
            &mut refused
        };
        *outcome += 1;
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 2_000 && refused > 2_000);
}

/// Failures are printed, not written to a file.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn decoders_are_total_and_canonical_on_random_bytes(
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        version: bool,
    ) {
        // Half of the inputs get past the version byte.
        if let (true, Some(first)) = (version, bytes.first_mut()) {
            *first = 1;
        }
        for (name, decoder) in DECODERS.iter().chain(&STATES) {
            check(name, *decoder, &bytes);
        }
    }

    /// Everything that takes bytes from outside, on bytes from nowhere.
    #[test]
    fn the_interface_is_total(mut bytes in prop::collection::vec(any::<u8>(), 0..500), kind in 0u8..3) {
        if bytes.len() > 2 {
            (bytes[0], bytes[1]) = (1, kind);
        }
        let state = samples().valid.iter().find(|(name, ..)| *name == "session").unwrap();
        let mut session = Session::from_state(&state.2).unwrap();
        prop_assert!(session.decrypt(&bytes).is_err());
        prop_assert!(*session.to_state() == state.2);
        let state = samples().valid.iter().find(|(name, ..)| *name == "account").unwrap();
        let mut account = Account::from_state(&state.2).unwrap();
        prop_assert!(account.accept(&bytes, NOW).is_err());
        prop_assert!(*account.to_state() == state.2);
        let key = StateKey::new(&mut [7; 32]);
        prop_assert!(Session::import(&key, &bytes, 0).is_err());
        prop_assert!(Account::import(&key, &bytes, 0).is_err());
    }
}

/// One value, one encoding: what is not canonical is refused.
#[test]
fn other_encodings_of_the_same_value_are_refused() {
    let prime = [&[0xed][..], &[0xff; 30], &[0x7f]].concat();
    assert!(dh::PublicKey::from_bytes(prime[..].try_into().unwrap()).is_err());
    assert_eq!(again::<bool>(&[2]), Err(Error::Malformed));
    assert_eq!(
        again::<Option<u32>>(&[2, 0, 0, 0, 1]),
        Err(Error::Malformed)
    );
    // Codewords out of order, twice, or as many as the object has.
    let held = |indices: &[u16]| {
        let mut bytes = vec![indices.len() as u8];
        for index in indices {
            bytes.extend(index.to_be_bytes());
            bytes.extend([7; 32]);
        }
        again::<erasure::Decoder<3>>(&bytes)
    };
    assert!(held(&[]).is_ok() && held(&[4]).is_ok() && held(&[4, 9]).is_ok());
    for wrong in [&[9, 4][..], &[4, 4], &[1, 2, 3]] {
        assert_eq!(held(wrong), Err(Error::Malformed));
    }
    let subject = [&[ALICE.len() as u8][..], ALICE.as_bytes()].concat();
    assert_eq!(again::<Subject>(&subject), Ok(subject));
}
