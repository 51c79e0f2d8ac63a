//! A6 to A8 and A12: ML-KEM inputs and randomness.

use marline::hazmat::{kem768, kem1024};
use marline::{Account, Error, InitiateOptions, Session, Slots, StateKey};
use rand_core::TryCryptoRng;
use shake::{ExtendableOutput, Shake256, Update, XofReader};

use super::a_points::{refuse_bundle, refuse_first};
use super::common::*;
use super::craft::*;
use super::structures::*;

/// Copies of an encapsulation key of which one coefficient, the first or the last, is q, q + 1 or 4095.
pub fn overflowing(ek: &[u8]) -> Vec<Vec<u8>> {
    let last = ek.len() - 32;
    let coefficients = [3329u16, 3330, 4095];
    let first = coefficients.map(|value| {
        let mut bad = ek.to_vec();
        bad[0] = value as u8;
        bad[1] = bad[1] & 0xf0 | (value >> 8) as u8;
        bad
    });
    let last = coefficients.map(|value| {
        let mut bad = ek.to_vec();
        bad[last - 1] = (value >> 4) as u8;
        bad[last - 2] = bad[last - 2] & 0x0f | (value << 4) as u8;
        bad
    });
    first.into_iter().chain(last).collect()
}

#[test]
fn a6_prekeys_with_a_coefficient_of_q_or_more_are_refused() {
    let rng = &mut SeededRng::new(20);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    let owner = Identity::of(&bob);
    for bundle in [publication.bundle(), publication.last_resort_bundle()] {
        let honest = Bundle::of(&bundle);
        let (Record::LastResort { kem } | Record::OneTime { kem, .. }) = &honest.record;
        for bad in overflowing(kem) {
            let mut bundle = honest.clone();
            let (Record::LastResort { kem } | Record::OneTime { kem, .. }) = &mut bundle.record;
            *kem = bad.try_into().unwrap();
            let bundle = bundle.fit().sign(&owner);
            refuse_bundle(&mut alice, &bundle, NOW, Error::Malformed);
        }
    }
}

#[test]
fn a6_a_reassembled_ratchet_key_with_a_coefficient_of_q_or_more_ends_the_session() {
    let rng = &mut SeededRng::new(21);
    let (attacker, session) = hostile_initiator(38, rng);
    let (_, ek) = kem768::DecapsulationKey::generate(secret(&[5; 64]));
    for (ek, good) in std::iter::once((ek.to_vec(), true))
        .chain(overflowing(&*ek).into_iter().map(|ek| (ek, false)))
    {
        // The object's MAC is right: the peer holds the authenticator.
        let mut attacker = attacker.clone();
        let mut victim = Session::from_state(&session.to_state()).unwrap();
        let mut header = attacker.header();
        header.carry(1, &attacker.key_object(&ek));
        let result = victim.decrypt(&attacker.send(&header));
        let state = SessionState::parse(&victim.to_state());
        if good {
            assert!(result.is_ok() && matches!(state.scka.state, SckaState::KeyHeld { .. }));
        } else {
            assert_eq!(result.err(), Some(Error::AgreementFailed));
            assert!(
                victim.facts().failed && matches!(state.scka.state, SckaState::AwaitingKey { .. })
            );
        }
    }
}

#[test]
fn a7_only_seeds_are_stored_so_that_no_stored_key_is_inconsistent() {
    let rng = &mut SeededRng::new(22);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let (_, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
    let honest = AccountState::parse(&bob.to_state());
    for at in 0..64 {
        let mut state = honest.clone();
        state.publications.0[0].onetime.0[0].kem_seed[at] ^= 1;
        // Any 64 bytes are a key. With another d it is another key, which shows as a failed authentication; z is used
        // for wrong ciphertexts only.
        let mut account = Account::from_state(&state.bytes()).unwrap();
        if at < 32 {
            refuse_first(&mut account, &message, Error::Authentication);
        } else {
            assert!(account.accept(&message, NOW).is_ok());
        }
    }
    assert!(bob.accept(&message, NOW).is_ok());
}

#[test]
fn a8_a_wrong_ciphertext_gives_an_unrelated_secret_and_never_an_error() {
    let seed: [u8; 64] = std::array::from_fn(|i| i as u8);
    let (key, ek) = kem1024::DecapsulationKey::generate(secret(&seed));
    let ek = kem1024::EncapsulationKey::from_bytes(&ek).unwrap();
    let (ct, ss) = ek.encapsulate(&secret(&[6; 32]));
    assert!(key.decapsulate(&ct).equals(ss.expose()));
    for at in [0, 1, 783, 1566, 1567] {
        let mut wrong = ct.clone();
        wrong[at] ^= 0x10;
        // FIPS 203 algorithm 18, step 7: J(z ‖ c).
        let mut expected = [0; 32];
        let mut state = Shake256::default();
        state.update(&seed[32..]);
        state.update(&*wrong);
        state.finalize_xof().read(&mut expected);
        assert!(key.decapsulate(&wrong).equals(&expected));
    }
}

#[test]
fn a8_a_wrong_ciphertext_in_a_first_flight_looks_like_any_forgery() {
    let rng = &mut SeededRng::new(23);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let (_, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
    let mut rest = message.as_slice();
    let honest = FirstFlight::take(&mut rest);
    for at in [0, 700, 1567] {
        let mut flight = honest.clone();
        flight.ciphertext[at] ^= 1;
        refuse_first(
            &mut bob,
            &[&flight.bytes(), rest].concat(),
            Error::Authentication,
        );
    }
}

/// Runs `operation` with generators that fail at the first draw, the second, and so on, until it succeeds; `state` must
/// not change before that. The number of draws.
fn fail_at_every_draw<T, U>(
    subject: &mut T,
    state: impl Fn(&T) -> Vec<u8>,
    mut operation: impl FnMut(&mut T, &mut FailingRng) -> marline::Result<U>,
) -> usize {
    let before = state(subject);
    for draws in 0.. {
        let rng = SeededRng::new(draws as u64);
        match operation(subject, &mut FailingRng { draws, rng }) {
            Ok(_) => return draws,
            Err(error) => assert_eq!((error, &state(subject)), (Error::Randomness, &before)),
        }
    }
    unreachable!()
}

#[test]
fn a12_a_failing_generator_changes_nothing_in_an_account() {
    let rng = &mut SeededRng::new(24);
    let (mut alice, mut bob) = accounts(rng);
    let state = |account: &Account| account.to_state().to_vec();
    let generate = |_: &mut (), rng: &mut FailingRng| Account::generate("x", rng);
    assert_eq!(fail_at_every_draw(&mut (), |_| vec![], generate), 2);
    assert_eq!(
        fail_at_every_draw(&mut bob, state, |bob, rng| bob.publish(1, NOW, rng)),
        5
    );
    let publication = bob.publish(1, NOW, rng).unwrap();
    // EK, m, rnd; then nonce, ratchet secret, KEM seed.
    for bundle in [publication.bundle(), publication.last_resort_bundle()] {
        let initiate =
            |alice: &mut Account, rng: &mut FailingRng| alice.initiate(&bundle, b"", NOW, rng);
        assert_eq!(fail_at_every_draw(&mut alice, state, initiate), 6);
    }
    let key = StateKey::new(&mut [1; 32]);
    assert_eq!(
        fail_at_every_draw(&mut bob, state, |bob, rng| bob.export(&key, rng)),
        1
    );
}

#[test]
fn a12_a_failing_generator_changes_nothing_in_a_session() {
    let rng = &mut SeededRng::new(25);
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let mut pair = unanswered_with(options, rng);
    let state = |session: &Session| session.to_state().to_vec();
    let encrypt = |session: &mut Session, rng: &mut FailingRng| session.encrypt(b"", rng);
    // B: turn Step and KeyHeld. nonce, ratchet secret, encapsulation input.
    assert_eq!(fail_at_every_draw(&mut pair.b, state, encrypt), 3);
    // Then turn Sending and SendingCt: the nonce.
    let prepare = |session: &mut Session, rng: &mut FailingRng| {
        session
            .prepare_encrypt(b"", b"", Default::default(), rng)
            .map(|_pending| ())
    };
    assert_eq!(fail_at_every_draw(&mut pair.b, state, prepare), 1);
    let answer = pair.b.encrypt(b"", rng).unwrap();
    let _opened = pair.a.decrypt(&answer).unwrap();
    let message = pair.a.encrypt(b"", rng).unwrap();
    let _opened = pair.b.decrypt(&message).unwrap();
    // B: turn Step and Idle. nonce, ratchet secret, KEM seed.
    assert_eq!(fail_at_every_draw(&mut pair.b, state, encrypt), 3);
    let key = StateKey::new(&mut [1; 32]);
    assert_eq!(
        fail_at_every_draw(&mut pair.b, state, |b, rng| b.export(&key, rng)),
        1
    );
}

#[test]
fn a12_equal_randomness_in_two_handshakes_gives_different_keys() {
    let rng = &mut SeededRng::new(26);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(2, NOW, rng).unwrap();
    let (carol, _) = accounts(&mut SeededRng::new(27));
    let mut carol: Account = carol;
    let bundles = publication
        .bundles()
        .chain([publication.last_resort_bundle()]);
    let bundles = bundles.chain([carol.publish(1, NOW, rng).unwrap().bundle()]);
    let mut keys = std::collections::BTreeSet::new();
    let mut count = 0;
    for bundle in bundles {
        let repeated: &mut (dyn TryCryptoRng<Error = _> + '_) = &mut SeededRng::new(28);
        let (session, _) = alice.initiate(&bundle, b"", NOW, repeated).unwrap();
        let state = SessionState::parse(&session.to_state());
        keys.extend([
            state.session_id,
            state.exporter_secret,
            state.double.root,
            state.sparse.root,
            state.scka.auth_mac,
        ]);
        count += 5;
    }
    assert_eq!((keys.len(), count), (20, 20));
}
