//! A1 to A5: group elements and signatures.

use marline::hazmat::sign::Ed25519Key;
use marline::{Account, Error, IdentityKey, Session};

use super::attacker::Attacker;
use super::common::*;
use super::craft::*;
use super::notation::*;
use super::structures::*;

/// The canonical points of small order on the curve and its twist: 0, 1, p − 1 and two of order 8. RFC 7748 section 6
/// and https://cr.yp.to/ecdh.html.
fn low_order() -> [Key; 5] {
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]
    .map(hex)
}

/// Other spellings: p, p + 1, 2p − 1, and an honest key with bit 255 set.
fn non_canonical() -> [Key; 4] {
    let mut high_bit = x25519_public(&[5; 32]);
    high_bit[31] |= 0x80;
    [
        hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex("d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        high_bit,
    ]
}

/// A bundle of one one-time prekey whose owner put `key` into it, correctly signed.
fn hostile_bundle(owner: &Account, honest: &Bundle, place: &str, key: Key) -> Bundle {
    let mut bundle = honest.clone();
    match (place, &mut bundle.record) {
        ("signed", _) => bundle.manifest.signed_x25519 = key,
        ("onetime", Record::OneTime { x25519, .. }) => *x25519 = key,
        _ => panic!("{place}"),
    }
    bundle.fit().sign(&Identity::of(owner))
}

/// Every error of decrypting leaves the state as it was.
pub fn refuse(session: &mut Session, message: &[u8], error: Error) {
    let before = session.to_state();
    assert_eq!(session.decrypt(message).err(), Some(error));
    assert_eq!(session.to_state(), before);
}

/// The same for accepting.
pub fn refuse_first(account: &mut Account, message: &[u8], error: Error) {
    let before = account.to_state();
    assert_eq!(account.accept(message, NOW).err(), Some(error));
    assert_eq!(account.to_state(), before);
}

/// The same for a bundle.
pub fn refuse_bundle(account: &mut Account, bundle: &Bundle, now: u64, error: Error) {
    let before = account.to_state();
    let rng = &mut SeededRng::new(99);
    let result = bundle
        .decode()
        .and_then(|bundle| account.initiate(&bundle, b"", now, rng));
    assert_eq!(result.err(), Some(error));
    assert_eq!(account.to_state(), before);
}

#[test]
fn a1_a_bundle_with_a_key_that_does_not_contribute_is_refused() {
    let rng = &mut SeededRng::new(10);
    let (mut alice, mut bob) = accounts(rng);
    let honest = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    // The control: signing again what is honest changes nothing.
    let again = honest
        .clone()
        .fit()
        .sign(&Identity::of(&bob))
        .decode()
        .unwrap();
    assert!(again.verify(NOW, None, alice.id()).is_ok());
    for place in ["signed", "onetime"] {
        for key in low_order() {
            let bundle = hostile_bundle(&bob, &honest, place, key);
            // It is the DH that refuses: everything else about the bundle is right.
            assert!(
                bundle
                    .decode()
                    .unwrap()
                    .verify(NOW, None, alice.id())
                    .is_ok()
            );
            refuse_bundle(&mut alice, &bundle, NOW, Error::Malformed);
        }
    }
}

#[test]
fn a1_a_first_flight_with_a_key_that_does_not_contribute_is_refused() {
    let rng = &mut SeededRng::new(11);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    for bundle in [publication.bundle(), publication.last_resort_bundle()] {
        let (_, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
        let mut rest = message.as_slice();
        let mut flight = FirstFlight::take(&mut rest);
        for key in low_order() {
            flight.ephemeral = key;
            refuse_first(
                &mut bob,
                &[&flight.bytes(), rest].concat(),
                Error::Malformed,
            );
        }
    }
}

#[test]
fn a1_a_ratchet_key_that_does_not_contribute_is_refused_by_both_steps() {
    let rng = &mut SeededRng::new(12);
    for key in low_order() {
        // The receiving step at turn Fresh: the first message under HK_i2r.
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
        let mut header = initiated.session.step([3; 32]).header();
        header.dh = key;
        let message = [initiated.flight.bytes(), initiated.session.send(&header)].concat();
        refuse_first(&mut bob, &message, Error::Malformed);

        // The receiving step at turn Sending.
        let mut pair = answered(rng);
        let mut peer = Attacker::of(&pair.a);
        let mut header = peer.step([3; 32]).header();
        header.dh = key;
        let message = peer.send(&header);
        refuse(&mut pair.b, &message, Error::Malformed);

        // The sending step; only a state that was tampered with can hold such a peer.
        let mut state = SessionState::parse(&pair.a.to_state());
        state.double.turn = Turn::Step { peer: key };
        state.double.receiving.as_mut().unwrap().dh = key;
        let mut session = Session::from_state(&state.bytes()).unwrap();
        assert_eq!(session.encrypt(b"", rng).err(), Some(Error::Malformed));
        assert_eq!(session.to_state().as_slice(), state.bytes());
    }
}

#[test]
fn a2_keys_that_are_not_canonical_are_refused_everywhere() {
    let rng = &mut SeededRng::new(13);
    let mut pair = answered(rng);
    let honest = Bundle::of(&pair.bob.publish(1, NOW, rng).unwrap().bundle());
    let mut rest = pair.first.as_slice();
    let mut flight = FirstFlight::take(&mut rest);
    for key in non_canonical() {
        for place in ["signed", "onetime"] {
            let bundle = hostile_bundle(&pair.bob, &honest, place, key);
            refuse_bundle(&mut pair.alice, &bundle, NOW, Error::Malformed);
        }
        flight.ephemeral = key;
        refuse_first(
            &mut pair.bob,
            &[&flight.bytes(), rest].concat(),
            Error::Malformed,
        );
        let mut peer = Attacker::of(&pair.a);
        let mut header = peer.step([3; 32]).header();
        header.dh = key;
        let message = peer.send(&header);
        refuse(&mut pair.b, &message, Error::Malformed);
    }
}

#[test]
fn a3_a_first_flight_is_not_taken_again_under_another_spelling_of_its_key() {
    // u and 1/u differ by the point of order two: every clamped scalar maps them to the same output.
    let u = hex("57db4b359f23ae5e146e4e2512056704722506348c150c14753d0c933d04d421");
    let inverse = hex("dad7806c990a7bd5e5685b18f0eb1a6d6ec6c400e2acc9a7b0a89777f5b1b424");
    assert_eq!(x25519_public(&[9; 32]), u);
    assert_eq!(x25519(&[0x77; 32], &u), x25519(&[0x77; 32], &inverse));

    let rng = &mut SeededRng::new(14);
    let (_, mut bob) = accounts(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().last_resort_bundle());
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
    let message = initiated.message();
    let _accepted = bob.accept(&message, NOW).unwrap();
    let mut rest = message.as_slice();
    let mut flight = FirstFlight::take(&mut rest);
    flight.ephemeral = inverse;
    refuse_first(
        &mut bob,
        &[&flight.bytes(), rest].concat(),
        Error::Authentication,
    );
    refuse_first(&mut bob, &message, Error::Duplicate);
}

/// `A ‖ R ‖ S` over the message `cofactor`, made with the textbook formulas (RFC 8032 section 5.1) and a point of order 8
/// where the name says so.
const KEY: &str = "6e7a1cdd29b0b78fd13af4c5598feff4ef2a97166e3ca6f2e4fbfccd80505bf1";
const R: &str = "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572";
const HONEST_S: &str = "88fba157bfb70a1f1f5bdf6096fae30da1e1e2f3e58505fdb558f629aa2a9905";
const S_PLUS_L: &str = "75cf97b4d91a1d77f5f7d60375f4c222a1e1e2f3e58505fdb558f629aa2a9915";
const MIXED_R: &str = "6a84d583f06569edb3f5ed77df65544b27d6948b4f0b2cb76f33dd8413b20719\
                       0bd2caffabc7457beedde30eed2722a48728de5de0d1105d9e81b307ab981f09";
const MIXED_KEY: &str = "5e2633dded6c08346e0bc215ad4e4279fa8d3d0bde911580dc0501ff2f725ceb";
const UNDER_MIXED_KEY: &str = "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572\
                               72c72cf1d0252c871d099d69a51fb927ad7fdb3dddec531ffdf7e7bf427a2201";
const IDENTITY_R: &str = "0100000000000000000000000000000000000000000000000000000000000000\
                          e27a9f8036321a7cdf3c0b3282d9f35c0a982c3ef06a1fcc049314bd5d02b906";
const NON_CANONICAL_R: &str = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f\
                               20fbcd6d9b2eaa3691c1fef77132a6bf507739c80baeb5e2ef34df88c5974901";

#[test]
fn a4_ed25519_signatures_have_one_form() {
    let verifies = |key, signature: &str| {
        let key = Ed25519Key::from_bytes(&hex(key)).unwrap();
        key.verifies(b"cofactor", &hex(signature))
    };
    assert!(verifies(KEY, &[R, HONEST_S].concat()));
    assert!(!verifies(KEY, &[R, S_PLUS_L].concat()), "S is below L");
    assert!(
        !verifies(KEY, MIXED_R),
        "only the cofactored equation holds"
    );
    assert!(
        !verifies(MIXED_KEY, UNDER_MIXED_KEY),
        "only the cofactored equation holds"
    );
    assert!(
        !verifies(KEY, IDENTITY_R),
        "both equations hold, R is of small order"
    );
    assert!(
        !verifies(KEY, NON_CANONICAL_R),
        "R is the neutral element, spelled p + 1"
    );
}

#[test]
fn a4_identities_of_small_order_or_other_spelling_are_refused() {
    let mldsa65 = Identity {
        ed25519: [1; 32],
        mldsa65: [2; 32],
    }
    .key()[33..]
        .try_into()
        .unwrap();
    assert!(IdentityKey::from_keys(&hex(KEY), &mldsa65).is_ok());
    for key in [
        // All eight of small order.
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        // Other spellings of them: 1 with the sign bit, p, p + 1.
        "0100000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        // No point has y = 2; y = 3 has, and this is 3 + p.
        "0200000000000000000000000000000000000000000000000000000000000000",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        assert_eq!(
            IdentityKey::from_keys(&hex(key), &mldsa65).err(),
            Some(Error::Malformed),
            "{key}"
        );
    }
}

#[test]
fn a5_identities_that_differ_in_the_sign_bit_only_are_two() {
    // In Montgomery form they would be one key.
    let mldsa65 = Identity {
        ed25519: [1; 32],
        mldsa65: [2; 32],
    }
    .key()[33..]
        .try_into()
        .unwrap();
    let (key, mut negated): (Key, Key) = (hex(KEY), hex(KEY));
    negated[31] ^= 0x80;
    let [one, other] =
        [key, negated].map(|key| IdentityKey::from_keys(&key, &mldsa65).unwrap().id());
    assert_ne!(one, other);
    let alice = Account::generate("a", &mut SeededRng::new(15)).unwrap();
    assert_ne!(alice.safety_number(&one), alice.safety_number(&other));
    let key = IdentityKey::from_keys(&hex(KEY), &mldsa65).unwrap();
    let expected = h(
        "identity",
        &[[&[1], hex::<32>(KEY).as_slice(), &mldsa65]
            .concat()
            .as_slice()],
    );
    assert_eq!(key.id().as_bytes(), &expected);
}
