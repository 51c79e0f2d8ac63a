//! Every variant of `Error` is reached through the public interface. The table below has one way for each; other
//! tests have the others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod common;

use common::session_state::View;
use common::{
    ALICE, DAY, FailingRng, NOW, Pair, SeededRng, accounts, answered, answered_with, deliver,
    unanswered_with,
};
use marline::{
    Account, Contact, Error, IdentityKeyPair, InitiateOptions, Padding, Session, Signer, Slots,
    StateKey, Subject,
};

/// A way to an error.
type Way = fn(&mut SeededRng) -> Error;

const TABLE: [(&str, Error, Way); 18] = [
    ("Authentication", Error::Authentication, authentication),
    ("Duplicate", Error::Duplicate, duplicate),
    ("TooOld", Error::TooOld, too_old),
    ("TooFarAhead", Error::TooFarAhead, too_far_ahead),
    ("UnknownPrekey", Error::UnknownPrekey, unknown_prekey),
    ("PrekeyUsed", Error::PrekeyUsed, prekey_used),
    ("Expired", Error::Expired, expired),
    ("Rollback", Error::Rollback, rollback),
    ("IdentityChanged", Error::IdentityChanged, identity_changed),
    ("OwnIdentity", Error::OwnIdentity, own_identity),
    ("NoSession", Error::NoSession, no_session),
    ("AgreementFailed", Error::AgreementFailed, agreement_failed),
    ("Version", Error::Version, version),
    ("Malformed", Error::Malformed, malformed),
    ("Limit", Error::Limit, limit),
    ("Randomness", Error::Randomness, randomness),
    ("Signer", Error::Signer, signer),
    ("Stale", Error::Stale, stale),
];

#[test]
fn every_variant_is_reached() {
    for (name, error, way) in TABLE {
        assert_eq!(way(&mut SeededRng::new(1)), error);
        assert_eq!(format!("{error:?}"), name);
    }
}

/// The table is complete: it names what `error.rs` defines, in that order.
#[test]
fn the_table_has_every_variant() {
    let source = include_str!("../src/error.rs");
    let body = source.split_once("pub enum Error {").unwrap().1;
    let variants = body
        .lines()
        .map(str::trim)
        .filter_map(|line| line.strip_suffix(','))
        .filter(|line| line.chars().all(char::is_alphanumeric));
    let named: Vec<_> = TABLE.iter().map(|(name, ..)| *name).collect();
    assert!(variants.eq(named));
}

/// Texts for people: no two alike, nothing of a peer or a key in them (they are constants).
#[test]
fn every_variant_says_something_else() {
    let mut texts: Vec<_> = TABLE
        .iter()
        .map(|(_, error, _)| error.to_string())
        .collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), TABLE.len());
    let error: Box<dyn std::error::Error> = Box::new(Error::Limit);
    assert!(error.source().is_none());
}

fn authentication(rng: &mut SeededRng) -> Error {
    let mut pair = answered(rng);
    let mut message = pair.a.encrypt(b"text", rng).unwrap();
    *message.last_mut().unwrap() ^= 1;
    pair.b.decrypt(&message).unwrap_err()
}

fn duplicate(rng: &mut SeededRng) -> Error {
    let mut pair = answered(rng);
    let message = pair.a.encrypt(b"text", rng).unwrap();
    assert!(pair.b.decrypt(&message).is_ok());
    pair.b.decrypt(&message).unwrap_err()
}

fn too_old(rng: &mut SeededRng) -> Error {
    let mut pair = answered(rng);
    let late = pair.a.encrypt(b"late", rng).unwrap();
    deliver(&mut pair.a, &mut pair.b, b"text", rng);
    pair.b.maintain(NOW);
    pair.b.maintain(NOW + 30 * DAY);
    pair.b.decrypt(&late).unwrap_err()
}

/// 25,000 may be jumped over in one message, 25,001 may not.
fn too_far_ahead(rng: &mut SeededRng) -> Error {
    let options = InitiateOptions {
        slots: Slots::CONSTRAINED,
        ..Default::default()
    };
    let mut pair = answered_with(options, rng);
    let mut message = Vec::new();
    for _ in 0..=25_000 {
        message = pair.a.encrypt(b"", rng).unwrap();
    }
    let beyond = pair.a.encrypt(b"", rng).unwrap();
    let state = pair.b.to_state();
    let error = pair.b.decrypt(&beyond).unwrap_err();
    assert_eq!(pair.b.to_state(), state);
    assert!(pair.b.decrypt(&message).is_ok());
    error
}

fn unknown_prekey(rng: &mut SeededRng) -> Error {
    let Pair {
        mut alice, first, ..
    } = answered(rng);
    alice.accept(&first, NOW).unwrap_err()
}

fn prekey_used(rng: &mut SeededRng) -> Error {
    let Pair { mut bob, first, .. } = answered(rng);
    bob.accept(&first, NOW).unwrap_err()
}

fn expired(rng: &mut SeededRng) -> Error {
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    alice
        .initiate(&bundle, b"", NOW + 28 * DAY, rng)
        .unwrap_err()
}

fn rollback(rng: &mut SeededRng) -> Error {
    let (mut alice, mut bob) = accounts(rng);
    let [old, new] = [0, 0].map(|_| bob.publish(1, NOW, rng).unwrap().bundle());
    assert!(alice.initiate(&new, b"", NOW, rng).is_ok());
    alice.initiate(&old, b"", NOW, rng).unwrap_err()
}

/// A signer whose secret the account does not have, and whether it is willing.
struct Elsewhere(IdentityKeyPair, bool);

impl Signer for Elsewhere {
    fn identity(&self) -> &marline::IdentityKey {
        self.0.identity()
    }

    fn sign(
        &self,
        input: &marline::SigningInput,
        rnd: &[u8; 32],
    ) -> marline::Result<marline::HybridSignature> {
        match self.1 {
            true => self.0.sign(input, rnd),
            false => Err(Error::Signer),
        }
    }
}

fn identity_changed(rng: &mut SeededRng) -> Error {
    let key = StateKey::new(&mut [7; 32]);
    let [one, other] = [0, 0].map(|_| Elsewhere(IdentityKeyPair::generate(rng).unwrap(), true));
    let account = Account::with_signer(one, Subject::new(ALICE.as_bytes()).unwrap());
    let blob = account.export(&key, rng).unwrap();
    Account::import_with_signer(&key, &blob, 0, other).unwrap_err()
}

fn own_identity(rng: &mut SeededRng) -> Error {
    let (mut alice, _) = accounts(rng);
    let bundle = alice.publish(1, NOW, rng).unwrap().bundle();
    alice.initiate(&bundle, b"", NOW, rng).unwrap_err()
}

fn no_session(rng: &mut SeededRng) -> Error {
    let peer = accounts(rng).1.id();
    Contact::new(peer).send(b"text", rng).unwrap_err()
}

/// A sender whose key object is damaged: with 38 slots, one message brings all of it.
fn agreement_failed(rng: &mut SeededRng) -> Error {
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let (mut a, _) = alice
        .initiate_with(&bundle, b"", options, NOW, rng)
        .unwrap();
    let mut state = a.to_state();
    let view = View::of(&state);
    assert_eq!(view.scka_state, 1);
    state[view.scka_rest.start + 64 + 1_000] ^= 1;
    a = Session::from_state(&state).unwrap();
    let first = a.encrypt(b"secret", rng).unwrap();
    bob.accept(&first, NOW).unwrap_err()
}

/// What the failure of the agreement leaves: a session that has ended, for good, also after a restart.
#[test]
fn after_a_failed_agreement_the_session_has_ended() {
    let rng = &mut SeededRng::new(2);
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let Pair { mut a, mut b, .. } = unanswered_with(options, rng);
    // The responder has the key; what it sends is a ciphertext, damaged here.
    let unsent = b.encrypt(b"", rng).unwrap();
    let mut state = b.to_state();
    let view = View::of(&state);
    assert_eq!(view.scka_state, 5);
    state[view.scka_rest.start] ^= 1;
    b = Session::from_state(&state).unwrap();
    let message = b.encrypt(b"secret", rng).unwrap();
    // Prepared, it is committed like any other change.
    let (before, generation) = (a.to_state(), a.generation());
    let mut prepared = a.restored();
    let pending = prepared.prepare_decrypt(&message, b"").unwrap();
    assert_eq!(prepared.to_state(), before);
    assert_eq!(prepared.commit(pending).err(), Some(Error::AgreementFailed));
    assert_eq!(a.decrypt(&message).err(), Some(Error::AgreementFailed));
    assert_eq!(a.generation(), generation + 1);
    assert_eq!(prepared.to_state(), a.to_state());
    for session in [&mut a.restored(), &mut a] {
        assert!(session.facts().failed && View::of(&session.to_state()).status == 1);
        let state = session.to_state();
        assert_eq!(session.decrypt(&unsent).err(), Some(Error::AgreementFailed));
        let result = session.encrypt(b"", rng);
        assert_eq!(result.err(), Some(Error::AgreementFailed));
        assert_eq!(session.to_state(), state);
    }
}

trait Restored {
    /// After a restart.
    fn restored(&self) -> Self;
}

impl Restored for Session {
    fn restored(&self) -> Self {
        Self::from_state(&self.to_state()).unwrap()
    }
}

fn version(rng: &mut SeededRng) -> Error {
    let mut pair = answered(rng);
    let mut message = pair.a.encrypt(b"text", rng).unwrap();
    message[0] = 2;
    pair.b.decrypt(&message).unwrap_err()
}

fn malformed(rng: &mut SeededRng) -> Error {
    answered(rng).b.decrypt(b"").unwrap_err()
}

/// All limits of the interface that do not take a gigabyte or a century to reach.
fn limit(rng: &mut SeededRng) -> Error {
    let Pair { mut a, mut bob, .. } = answered(rng);
    let (session, account) = (a.to_state(), bob.to_state());
    let too_long = vec![0; (1 << 24) + 1];
    let errors = [
        a.encrypt(&too_long, rng).err(),
        a.encrypt_with(&too_long, b"", Padding::None, rng).err(),
        a.export_secret(b"", b"", 0).err(),
        a.export_secret(b"", b"", 8_161).err(),
        bob.publish(0, NOW, rng).err(),
        bob.publish(1_025, NOW, rng).err(),
        bob.publish(1, u64::MAX, rng).err(),
        Slots::new(0).err(),
        Slots::new(39).err(),
        Subject::new(&[0; 256]).err(),
        Account::generate([0; 256], rng).err(),
    ];
    assert_eq!(errors, [Some(Error::Limit); 11]);
    assert_eq!((a.to_state(), bob.to_state()), (session, account));
    // And the last value within each.
    assert!(a.encrypt(&too_long[1..], rng).is_ok());
    assert!(a.export_secret(b"", b"", 1).is_ok() && a.export_secret(b"", b"", 8_160).is_ok());
    assert!(Slots::new(1).is_ok() && Slots::new(38).is_ok());
    assert!(Subject::new(&[0; 255]).is_ok() && bob.publish(1_024, NOW, rng).is_ok());
    errors[0].unwrap()
}

fn randomness(rng: &mut SeededRng) -> Error {
    let mut failing = FailingRng {
        draws: 0,
        rng: rng.clone(),
    };
    answered(rng).a.encrypt(b"", &mut failing).unwrap_err()
}

fn stale(rng: &mut SeededRng) -> Error {
    let mut pair = answered(rng);
    let pending = pair
        .a
        .prepare_encrypt(b"", b"", Padding::None, rng)
        .unwrap();
    pair.a.maintain(NOW);
    pair.a.commit(pending).unwrap_err()
}

fn signer(rng: &mut SeededRng) -> Error {
    let unwilling = Elsewhere(IdentityKeyPair::generate(rng).unwrap(), false);
    let mut account = Account::with_signer(unwilling, Subject::default());
    account.publish(1, NOW, rng).err().unwrap()
}
