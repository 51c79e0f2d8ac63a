//! B4 to B7, B10, B12 to B14: what passes between initiator and responder.

use marline::{Account, Error, Session, StateKey};

use super::a_points::{refuse, refuse_bundle, refuse_first};
use super::attacker::Attacker;
use super::common::*;
use super::craft::*;
use super::notation::*;
use super::structures::*;

const MALLORY: Identity = Identity {
    ed25519: [1; 32],
    mldsa65: [2; 32],
};

/// A change of what is sealed, which may depend on th0.
type EditSealed<'a> = &'a dyn Fn(&mut Sealed, &Key);

fn mallory() -> Initiator<'static> {
    Initiator {
        identity: MALLORY,
        subject: b"mallory",
        ephemeral: [9; 32],
        slots: 4,
    }
}

/// A captured initial message and the accounts.
fn captured(rng: &mut SeededRng) -> (Account, Account, Vec<u8>) {
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(2, NOW, rng).unwrap().bundle();
    let (_, message) = alice.initiate(&bundle, b"secret", NOW, rng).unwrap();
    (alice, bob, message)
}

#[test]
fn b4_the_session_depends_on_every_public_input_in_the_flight() {
    let rng = &mut SeededRng::new(40);
    let (_, mut bob, message) = captured(rng);
    let mut rest = message.as_slice();
    let honest = FirstFlight::take(&mut rest);
    let edits: [fn(&mut FirstFlight); 6] = [
        |flight| flight.slots = 5,
        |flight| flight.onetime_id = Some(3),
        |flight| flight.onetime_id = None,
        |flight| flight.ephemeral = x25519_public(&[8; 32]),
        |flight| flight.ciphertext[9] ^= 1,
        |flight| flight.sealed.0[9] ^= 1,
    ];
    for edit in edits {
        let mut flight = honest.clone();
        edit(&mut flight);
        refuse_first(
            &mut bob,
            &[&flight.bytes(), rest].concat(),
            Error::Authentication,
        );
    }
    assert!(bob.accept(&message, NOW).is_ok());
}

#[test]
fn b4_the_session_depends_on_every_public_input_of_the_responder() {
    let rng = &mut SeededRng::new(41);
    let (_, bob, message) = captured(rng);
    let honest = AccountState::parse(&bob.to_state());
    let edits: [fn(&mut AccountState); 5] = [
        |state| state.publications.0[0].manifest_hash[0] ^= 1,
        |state| state.publications.0[0].signed.leaf[0] ^= 1,
        |state| state.publications.0[0].onetime.0[0].leaf[0] ^= 1,
        |state| {
            state.signer = Signer::Seeds {
                ed25519: [1; 32],
                mldsa65: [2; 32],
            }
        },
        |state| match &mut state.signer {
            // The ML-DSA half alone, too.
            Signer::Seeds { mldsa65, .. } => mldsa65[0] ^= 1,
            Signer::External { .. } => panic!("external"),
        },
    ];
    for edit in edits {
        let mut state = honest.clone();
        edit(&mut state);
        let mut account = Account::from_state(&state.bytes()).unwrap();
        refuse_first(&mut account, &message, Error::Authentication);
    }
    assert!(
        Account::from_state(&honest.bytes())
            .unwrap()
            .accept(&message, NOW)
            .is_ok()
    );
}

#[test]
fn b5_a_handshake_cannot_be_passed_on_as_ones_own_or_to_somebody_else() {
    let rng = &mut SeededRng::new(42);
    let (alice, mut bob, _) = captured(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    let alices = Identity::of(&alice);
    // What Alice signed for a handshake with somebody else, or for this one with other words.
    let edits: [EditSealed<'_>; 6] = [
        &|sealed, _| sealed.identity = alices.key(),
        &|sealed, _| sealed.subject = List(b"alice".to_vec()),
        &|sealed, _| sealed.signature[0] ^= 1,
        &|sealed, _| sealed.signature[3000] ^= 1,
        &|sealed, th0| {
            // Alice's real signature over this very th0, but for responder Mallory.
            let claim = h("claim", &[&alices.key(), b"alice@example.org"]);
            let mallory = h("identity", &[&MALLORY.key()]);
            sealed.identity = alices.key();
            sealed.subject = List(b"alice@example.org".to_vec());
            sealed.signature = alices.sign("sign initiator", &[*th0, mallory, claim].concat());
        },
        &|sealed, th0| {
            // Alice's signature for another purpose.
            let bob = h("identity", &[&bundle.manifest.identity]);
            let claim = h("claim", &[&alices.key(), b"mallory"]);
            sealed.identity = alices.key();
            sealed.signature = alices.sign("sign manifest", &[*th0, bob, claim].concat());
        },
    ];
    for edit in edits {
        let message = mallory().initiate(&bundle, edit).message();
        refuse_first(&mut bob, &message, Error::Authentication);
    }
    let message = mallory().initiate(&bundle, |_, _| {}).message();
    assert_eq!(
        bob.accept(&message, NOW)
            .unwrap()
            .opened
            .peer()
            .subject
            .as_bytes(),
        b"mallory"
    );
}

#[test]
fn b5_a_handshake_with_oneself_and_a_reflected_one_are_refused() {
    let rng = &mut SeededRng::new(43);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    refuse_bundle(&mut bob, &bundle, NOW, Error::OwnIdentity);
    // Whoever has stolen Bob's identity and talks to Bob.
    let initiator = Initiator {
        identity: Identity::of(&bob),
        ..mallory()
    };
    refuse_first(
        &mut bob,
        &initiator.initiate(&bundle, |_, _| {}).message(),
        Error::OwnIdentity,
    );
    // The initiator gets its own flight back, in its session and in its account.
    let (mut session, message) = alice
        .initiate(&bundle.decode().unwrap(), b"", NOW, rng)
        .unwrap();
    refuse(&mut session, &message, Error::Authentication);
    refuse_first(&mut alice, &message, Error::UnknownPrekey);
    let _publication = alice.publish(1, NOW, rng).unwrap();
    refuse_first(&mut alice, &message, Error::Authentication);
}

#[test]
fn b5_what_is_sealed_must_decode() {
    let rng = &mut SeededRng::new(44);
    let (_, mut bob) = accounts(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    let edits: [(EditSealed<'_>, Error); 3] = [
        (&|sealed, _| sealed.identity[0] = 2, Error::Version),
        (
            &|sealed, _| sealed.identity[1..33].copy_from_slice(&[0; 32]),
            Error::Malformed,
        ),
        // A length that runs into the signature.
        (
            &|sealed, _| sealed.subject = List(vec![]),
            Error::Authentication,
        ),
    ];
    for (edit, error) in edits {
        let message = mallory().initiate(&bundle, edit).message();
        refuse_first(&mut bob, &message, error);
    }
}

#[test]
fn b6_who_holds_the_responders_prekeys_cannot_pose_as_another_initiator() {
    // Key compromise impersonation: in X3DH and PQXDH the stolen signed prekey is enough for it. Here the attacker, who
    // makes the whole handshake, lacks Alice's signature.
    let rng = &mut SeededRng::new(45);
    let (alice, mut bob) = accounts(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().last_resort_bundle());
    let stolen = AccountState::parse(&bob.to_state()).publications.0[0].clone();
    assert_eq!(
        x25519_public(&stolen.signed.x25519),
        bundle.manifest.signed_x25519
    );
    let message = mallory()
        .initiate(&bundle, |sealed, _| {
            sealed.identity = Identity::of(&alice).key()
        })
        .message();
    refuse_first(&mut bob, &message, Error::Authentication);
}

#[test]
fn b7_a_first_flight_to_the_last_resort_is_taken_once() {
    let rng = &mut SeededRng::new(46);
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(1, NOW, rng).unwrap().last_resort_bundle();
    let (mut session, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
    let second = session.encrypt(b"", rng).unwrap();
    let _accepted = bob.accept(&message, NOW).unwrap();
    // The same, and the same flight before another message, now and after a restart.
    let key = StateKey::new(&mut [1; 32]);
    let blob = bob.export(&key, rng).unwrap();
    let mut restarted = Account::import(&key, &blob, bob.generation()).unwrap();
    for account in [&mut bob, &mut restarted] {
        refuse_first(account, &message, Error::Duplicate);
        refuse_first(account, &second, Error::Duplicate);
    }
    // One generation back, the memory would be empty: import refuses it where the caller keeps the generation.
    assert_eq!(
        Account::import(&key, &blob, bob.generation() + 1).err(),
        Some(Error::Rollback)
    );
}

#[test]
fn b7_a_full_replay_memory_fails_closed() {
    let rng = &mut SeededRng::new(47);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    let (_, replayed) = alice
        .initiate(&publication.last_resort_bundle(), b"", NOW, rng)
        .unwrap();
    let _accepted = bob.accept(&replayed, NOW).unwrap();
    let mut state = AccountState::parse(&bob.to_state());
    let memory = &mut state.publications.0[0].replay.0;
    assert_eq!(memory.len(), 1);
    while memory.len() < 4_096 {
        memory.push(rng.array());
    }
    memory.sort();
    let mut bob = Account::from_state(&state.bytes()).unwrap();
    let (_, fresh) = alice
        .initiate(&publication.last_resort_bundle(), b"", NOW, rng)
        .unwrap();
    refuse_first(&mut bob, &fresh, Error::Limit);
    refuse_first(&mut bob, &replayed, Error::Duplicate);
    // One-time prekeys go on, and so does the next publication.
    let next = bob.publish(1, NOW, rng).unwrap();
    for bundle in [publication.bundle(), next.last_resort_bundle()] {
        let (_, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
        assert!(bob.accept(&message, NOW).is_ok());
    }
    // A state with more entries than that is refused.
    state.publications.0[0].replay.0.push([0xff; 32]);
    assert_eq!(
        Account::from_state(&state.bytes()).err(),
        Some(Error::Malformed)
    );
}

#[test]
fn b10_shortened_and_lengthened_tags_are_refused() {
    let rng = &mut SeededRng::new(48);
    let (_, mut bob, first) = captured(rng);
    let mut rest = first.as_slice();
    let honest = FirstFlight::take(&mut rest);
    let mut pair = answered(rng);
    let message = pair.b.encrypt(b"", rng).unwrap();
    let key = StateKey::new(&mut [1; 32]);
    let blob = pair.a.export(&key, rng).unwrap();
    for cut in 1..=16 {
        refuse(
            &mut pair.a,
            &message[..message.len() - cut],
            Error::Authentication,
        );
        refuse_first(&mut bob, &first[..first.len() - cut], Error::Authentication);
        let mut flight = honest.clone();
        flight.sealed.0.truncate(flight.sealed.0.len() - cut);
        refuse_first(
            &mut bob,
            &[&flight.bytes(), rest].concat(),
            Error::Authentication,
        );
        let shorter = Session::import(&key, &blob[..blob.len() - cut], 0);
        assert_eq!(shorter.err(), Some(Error::Authentication));
        // The header's tag has a fixed place: cutting bytes out moves the body into it.
        let header_tag = 14 + 51 + 128;
        let moved = [&message[..header_tag], &message[header_tag + cut..]].concat();
        refuse(&mut pair.a, &moved, Error::Authentication);
        let longer = [&message, &[0; 16][..cut]].concat();
        refuse(&mut pair.a, &longer, Error::Authentication);
    }
    // A signature has one length, too: what is left over does not decode.
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    assert_eq!(Bundle::parse(&bundle.bytes()), bundle);
}

#[test]
fn b12_prekeys_go_with_success_only_and_then_for_good() {
    let rng = &mut SeededRng::new(49);
    let (_, mut bob) = accounts(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    let secrets = AccountState::parse(&bob.to_state()).publications.0[0]
        .onetime
        .0[0]
        .clone();
    // Handshake and signature are right, the inner message is not: each of its checks.
    let mut initiated = mallory().initiate(&bundle, |_, _| {});
    let honest = initiated.message();
    let flight = initiated.flight.bytes();
    let end = honest.len() - 1;
    let mut corrupt = honest.clone();
    corrupt[end] ^= 1;
    refuse_first(&mut bob, &corrupt, Error::Authentication);
    refuse_first(&mut bob, &flight, Error::Malformed);
    let mut header = initiated.session.header();
    header.kind = 3;
    let message = [&flight, initiated.session.send(&header).as_slice()].concat();
    refuse_first(&mut bob, &message, Error::Malformed);
    header.kind = 0;
    header.n = 30_000;
    let message = [&flight, initiated.session.send(&header).as_slice()].concat();
    refuse_first(&mut bob, &message, Error::TooFarAhead);

    let _accepted = bob.accept(&honest, NOW).unwrap();
    let state = bob.to_state();
    for secret in [secrets.x25519.as_slice(), &secrets.kem_seed] {
        assert!(!state.windows(secret.len()).any(|window| window == secret));
    }
    refuse_first(&mut bob, &honest, Error::PrekeyUsed);
}

#[test]
fn b13_the_responders_first_message_is_under_fresh_randomness() {
    let rng = &mut SeededRng::new(50);
    let pair = unanswered(rng);
    let state = pair.b.to_state();
    let accepted = SessionState::parse(&state);
    assert!(matches!(accepted.double.turn, Turn::Step { .. }));
    let mut roots = Vec::new();
    for seed in [1, 2] {
        let mut session = Session::from_state(&state).unwrap();
        // Draws: nonce, ratchet secret.
        let mut draws = SeededRng::new(seed);
        let (_nonce, secret): ([u8; 12], Key) = (draws.array(), draws.array());
        let message = session
            .encrypt(b"answer", &mut SeededRng::new(seed))
            .unwrap();
        let sent = SessionState::parse(&session.to_state());
        assert!(matches!(sent.double.turn, Turn::Sending { secret: own, .. } if own == secret));
        // The message key is the one of the specification's step with that secret.
        let mut expected = Attacker::new(accepted.clone());
        let (header_key, ec, pq) = expected.step(secret).keys(0);
        let reader = Attacker::of(&pair.a);
        assert_eq!(
            reader.open_header(&header_key, &message).unwrap().dh,
            x25519_public(&secret)
        );
        let padded = reader
            .open_body(&expected.message_key(&ec, &pq), &message)
            .unwrap();
        assert!(padded.starts_with(b"answer\x80"));
        roots.push((ec, sent.double.root));
    }
    assert_ne!(roots[0], roots[1]);
}

#[test]
fn b14_an_initiator_knows_whether_the_peer_has_answered() {
    let rng = &mut SeededRng::new(51);
    let mut pair = unanswered(rng);
    assert!(!pair.a.facts().peer_has_answered && pair.b.facts().peer_has_answered);
    let mut answer = pair.b.encrypt(b"", rng).unwrap();
    answer[100] ^= 1;
    refuse(&mut pair.a, &answer, Error::Authentication);
    assert!(!pair.a.facts().peer_has_answered);
    deliver(&mut pair.b, &mut pair.a, b"", rng);
    assert!(pair.a.facts().peer_has_answered);
}
