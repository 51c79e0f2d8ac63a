//! D5, D6, D8, D10 and D11: the agreement over many messages and copies, with errata 1, 4, 7, 9, 10 and 12.

use std::collections::{BTreeMap, BTreeSet};

use marline::hazmat::kem768;
use marline::hazmat::scka::{Authenticator, ChunkedKem, Scka};
use marline::{Error, InitiateOptions, Role, Session, Slots};

use super::attacker::Attacker;
use super::common::*;
use super::craft::secret;
use super::notation::*;
use super::structures::*;

fn state(session: &Session) -> SessionState {
    SessionState::parse(&session.to_state())
}

fn copy(session: &Session) -> Session {
    Session::from_state(&session.to_state()).unwrap()
}

fn immediate() -> InitiateOptions<'static> {
    InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    }
}

#[test]
fn d5_copies_of_a_session_never_agree_on_one_epoch_key_and_the_second_is_refused() {
    let rng = &mut SeededRng::new(90);
    let mut pair = unanswered_with(immediate(), rng);
    // The thief's copy and the owner both answer, and both encapsulate to the same key.
    let mut stolen = copy(&pair.b);
    assert!(matches!(
        state(&stolen).scka.state,
        SckaState::KeyHeld { .. }
    ));
    let owners = pair.b.encrypt(b"owner", rng).unwrap();
    let thiefs = stolen.encrypt(b"thief", rng).unwrap();
    assert_eq!((pair.b.facts().epoch, stolen.facts().epoch), (1, 1));
    assert_ne!(state(&pair.b).sparse.root, state(&stolen).sparse.root);
    assert_ne!(state(&pair.b).scka.auth_mac, state(&stolen).scka.auth_mac);
    // The peer goes with the one that comes first; the other copy is out, for good.
    assert!(pair.a.decrypt(&owners).is_ok());
    super::a_points::refuse(&mut pair.a, &thiefs, Error::Authentication);
    for _ in 0..3 {
        deliver(&mut pair.a, &mut pair.b, b"", rng);
        let message = stolen.encrypt(b"thief", rng).unwrap();
        super::a_points::refuse(&mut pair.a, &message, Error::Authentication);
        deliver(&mut pair.b, &mut pair.a, b"", rng);
    }
}

#[test]
fn d5_codewords_of_two_ciphertexts_end_the_session_and_never_mix() {
    // A rolled-back encapsulator that sends the first half of one ciphertext and the second half of another.
    let rng = &mut SeededRng::new(91);
    let [session_id, root, mac] = [1, 2, 3].map(|byte| [byte; 32]);
    let new = |role| {
        let authenticator = Authenticator::new(secret(&root), secret(&mac));
        ChunkedKem::new(session_id, Slots::new(18).unwrap(), role, authenticator)
    };
    let (mut owner, mut one) = (new(Role::Initiator), new(Role::Responder));
    let mut other = new(Role::Responder);
    for _ in 0..3 {
        let piece = owner.send(rng).unwrap().piece;
        for side in [&mut one, &mut other] {
            assert!(side.receive(&piece).unwrap().is_none());
        }
    }
    let (first, second) = (one.send(rng).unwrap(), other.send(rng).unwrap());
    let (first_key, second_key) = (first.output.unwrap(), second.output.unwrap());
    assert!(!first_key.key.equals(second_key.key.expose()));
    assert!(owner.receive(&first.piece).unwrap().is_none());
    let continued = other.send(rng).unwrap().piece;
    assert_eq!(
        owner.receive(&continued).err(),
        Some(Error::AgreementFailed)
    );
}

#[test]
fn d6_one_state_and_one_draw_encapsulate_to_two_keys_with_two_inputs() {
    // The owner rolls back and offers two keys; the encapsulator rolls back, too, and its generator repeats itself.
    let rng = &mut SeededRng::new(92);
    let pair = unanswered_with(immediate(), rng);
    let mut idle = state(&pair.a);
    idle.scka.state = SckaState::Idle {};
    let mut victim = state(&pair.b);
    victim.scka.state = SckaState::AwaitingKey { held: List(vec![]) };
    let mut inputs = BTreeSet::new();
    for _ in 0..2 {
        let mut owner = Session::from_state(&idle.bytes()).unwrap();
        let offer = owner.encrypt(b"", rng).unwrap();
        let mut victim = Session::from_state(&victim.bytes()).unwrap();
        assert!(victim.decrypt(&offer).is_ok());
        let before = state(&victim).scka;
        let SckaState::KeyHeld { ek } = before.state else {
            panic!("no key")
        };
        let _answer = victim.encrypt(b"", &mut SeededRng::new(7)).unwrap();
        let SckaState::SendingCt { object, .. } = state(&victim).scka.state else {
            panic!("no ciphertext")
        };
        // Draws: nonce, ratchet secret, fresh.
        let mut draws = SeededRng::new(7);
        let (_nonce, _secret, fresh): ([u8; 12], Key, Key) =
            (draws.array(), draws.array(), draws.array());
        let hash = h("kem key", &[&ek]);
        let m: Key = prf(
            "encapsulate",
            &[&before.auth_root, &fresh, &1u32.to_be_bytes(), &hash],
        );
        let (ct, _) = kem768::EncapsulationKey::from_bytes(&ek)
            .unwrap()
            .encapsulate(&secret(&m));
        assert_eq!(object[..1088], *ct);
        assert!(inputs.insert(m));
    }
}

#[test]
fn d8_an_agreement_that_starves_is_visible() {
    let rng = &mut SeededRng::new(93);
    let mut pair = answered(rng);
    for n in 3..1_003 {
        assert_eq!(
            (pair.b.facts().epoch, pair.b.facts().messages_since_epoch),
            (0, n - 1)
        );
        deliver(&mut pair.b, &mut pair.a, b"", rng);
        assert_eq!(
            (pair.a.facts().epoch, pair.a.facts().messages_since_epoch),
            (0, n)
        );
    }
}

/// What one side has told about its epochs.
#[derive(Default)]
struct Log {
    keys: BTreeMap<u32, Key>,
    sending: u32,
}

impl Log {
    fn record(&mut self, output: Option<marline::hazmat::scka::EpochKey>) {
        if let Some(output) = output {
            // Each one above the last, none left out.
            assert_eq!(output.epoch, self.keys.len() as u32 + 1);
            self.keys.insert(output.epoch, *output.key.expose());
        }
    }
}

#[test]
fn d10_the_agreement_keeps_its_five_properties_over_a_bad_channel() {
    let rng = &mut SeededRng::announced(94);
    let new = |role, slots| {
        let authenticator = Authenticator::new(secret(&[2; 32]), secret(&[3; 32]));
        ChunkedKem::new([1; 32], Slots::new(slots).unwrap(), role, authenticator)
    };
    for slots in [1, 4, 18, 38] {
        let mut sides = [new(Role::Initiator, slots), new(Role::Responder, slots)];
        let mut logs = [Log::default(), Log::default()];
        let mut channels = [Channel::new(30, 10, 8), Channel::new(30, 10, 8)];
        for _ in 0..3_000 {
            let from = rng.below(2);
            let sent = sides[from].send(rng).unwrap();
            logs[from].record(sent.output);
            // The epoch of a message never falls, and its sender has the key.
            assert!(sent.sending_epoch >= logs[from].sending);
            logs[from].sending = sent.sending_epoch;
            assert!(logs[from].keys.len() as u32 >= sent.sending_epoch);
            channels[from].send((sent.piece, sent.sending_epoch), rng);
            if let Some((piece, epoch)) = channels[from].receive(rng) {
                let to = 1 - from;
                logs[to].record(sides[to].receive(&piece).unwrap());
                // Whoever gets a message has the key of its epoch.
                assert!(logs[to].keys.len() as u32 >= epoch);
            }
            let [a, b] = [&logs[0], &logs[1]].map(|log| log.keys.len());
            assert!(a.abs_diff(b) <= 1, "the sides drift apart");
        }
        // Both have the same keys, each another, and there was progress.
        let [a, b] = &logs;
        for (epoch, key) in a
            .keys
            .iter()
            .filter(|(epoch, _)| b.keys.contains_key(epoch))
        {
            assert_eq!(key, &b.keys[epoch]);
        }
        let distinct: BTreeSet<_> = a.keys.values().collect();
        assert_eq!(distinct.len(), a.keys.len());
        assert!(
            a.keys.len() >= 3_000 / (400 / usize::from(slots) + 40),
            "{slots}: {}",
            a.keys.len()
        );
    }
}

#[test]
fn d11_messages_have_one_length_in_every_state() {
    let rng = &mut SeededRng::new(95);
    for slots in [Slots::CONSTRAINED, Slots::STANDARD, Slots::IMMEDIATE] {
        let options = InitiateOptions {
            slots,
            ..Default::default()
        };
        let mut pair = answered_with(options, rng);
        let mut seen = BTreeSet::new();
        for turn in 0..300 {
            let (from, to) = if turn % 2 == 0 {
                (&mut pair.a, &mut pair.b)
            } else {
                (&mut pair.b, &mut pair.a)
            };
            seen.insert(state(from).scka.state.bytes()[0]);
            let message = from.encrypt(b"text", rng).unwrap();
            assert_eq!(
                message.len(),
                14 + 67 + 32 * usize::from(slots.get()) + 64 + 16
            );
            let _opened = to.decrypt(&message).unwrap();
        }
        assert!(seen.len() >= 3, "{seen:?}");
    }
}

#[test]
fn errata_1_4_7_9_10_and_12_one_epoch_by_the_specification() {
    let rng = &mut SeededRng::new(96);
    let mut pair = unanswered_with(immediate(), rng);
    let (owner, encapsulator) = (state(&pair.a), state(&pair.b));
    let epoch = 1u32.to_be_bytes();
    // Erratum 1: one key of FIPS 203, not cut, hashed whole. Erratum 4: epochs are four bytes in every MAC.
    let SckaState::SendingKey { seed, object, .. } = &owner.scka.state else {
        panic!("no key")
    };
    let (key, ek) = kem768::DecapsulationKey::generate(secret(seed));
    let mac: Key = prf("mac key", &[&owner.scka.auth_mac, &epoch, &*ek]);
    assert_eq!(object.as_slice(), [ek.as_slice(), &mac].concat());
    let hash = h("kem key", &[&*ek]);
    // Erratum 7: 38 codewords in the first message are complete at once.
    assert!(matches!(encapsulator.scka.state, SckaState::KeyHeld { ek: held } if held == *ek));

    let message = pair.b.encrypt(b"answer", rng).unwrap();
    let sent = state(&pair.b);
    let SckaState::SendingCt { object, .. } = &sent.scka.state else {
        panic!("no ciphertext")
    };
    // Erratum 12: the epoch key binds session and key. Erratum 9: the authenticator follows our text.
    let ss = key.decapsulate(object[..1088].try_into().unwrap());
    let prk = extract(&owner.session_id, &[ss.expose()]);
    let [epoch_key] = expand(&prk, "epoch key", &[epoch.as_slice(), &hash].concat());
    let prk = extract(&owner.scka.auth_root, &[&epoch_key]);
    let [auth_root, auth_mac] = expand(&prk, "authenticator", &epoch);
    assert_eq!(
        (sent.scka.auth_root, sent.scka.auth_mac),
        (auth_root, auth_mac)
    );
    let mac: Key = prf("mac ciphertext", &[&auth_mac, &epoch, &object[..1088]]);
    assert_eq!(object[1088..], mac);
    let prk = extract(&owner.sparse.root, &[&epoch_key]);
    let [root, i2r, r2i] = expand(&prk, "pq root", &epoch);
    assert_eq!(
        (sent.sparse.root, sent.sparse.current.receive.key),
        (root, i2r)
    );
    assert_eq!(sent.sparse.current.send.as_ref().unwrap().key, r2i);

    // Erratum 10: that message says epoch 1 and is under the chain of epoch 0, which its receiver has.
    let mut expected = Attacker::new(encapsulator);
    let Turn::Sending { secret: own, .. } = sent.double.turn else {
        panic!("not sending")
    };
    let (header_key, ec, pq) = expected.step(own).keys(0);
    let reader = Attacker::new(owner);
    assert_eq!(reader.open_header(&header_key, &message).unwrap().epoch, 1);
    assert!(
        reader
            .open_body(&expected.message_key(&ec, &pq), &message)
            .is_some()
    );
    let _opened = pair.a.decrypt(&message).unwrap();
    let received = state(&pair.a);
    assert_eq!(
        (
            received.scka.auth_root,
            received.sparse.root,
            received.scka.epoch
        ),
        (auth_root, root, 2)
    );
    // The answer to it is the first under epoch 1, on both sides.
    deliver(&mut pair.a, &mut pair.b, b"", rng);
    assert_eq!(state(&pair.a).sparse.current.send.unwrap().n, 1);
    assert_eq!(state(&pair.b).sparse.current.receive.n, 1);
}
