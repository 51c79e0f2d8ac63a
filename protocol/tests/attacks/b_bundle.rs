//! B1 to B3, B8 and B9: what an initiator takes from a directory.

use marline::{Account, Error, PrekeyBundle, StateKey, Task};

use super::a_points::{refuse_bundle, refuse_first};
use super::common::*;
use super::craft::*;
use super::structures::*;

#[test]
fn b1_a_bundle_is_covered_from_end_to_end() {
    let rng = &mut SeededRng::new(30);
    let (alice, mut bob) = accounts(rng);
    let publication = bob.publish(3, NOW, rng).unwrap();
    for bundle in [publication.bundle(), publication.last_resort_bundle()] {
        let bytes = bundle.to_bytes();
        let record = bytes.len() - Bundle::of(&bundle).record.bytes().len();
        // One byte in sixteen of the long ML-DSA key, signature and ML-KEM key; every other one.
        for at in
            (0..bytes.len()).filter(|at| at % 16 == 0 || (1_986..2_180).contains(at) || *at < 40)
        {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << (at % 8);
            let error = PrekeyBundle::from_bytes(&bad)
                .and_then(|bad| bad.verify(NOW, None, alice.id()))
                .expect_err(&format!("byte {at}"));
            let allowed = match at {
                0 | 1 => error == Error::Version,
                _ if at == record => error == Error::Malformed,
                _ => matches!(error, Error::Authentication | Error::Malformed),
            };
            assert!(allowed, "byte {at}: {error:?}");
        }
    }
}

#[test]
fn b1_both_halves_of_the_right_signature_for_the_right_purpose_are_needed() {
    let rng = &mut SeededRng::new(31);
    let (mut alice, mut bob) = accounts(rng);
    let honest = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    let other = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    let (owner, stranger) = (
        Identity::of(&bob),
        Identity {
            ed25519: [1; 32],
            mldsa65: [2; 32],
        },
    );
    let manifest = honest.manifest.bytes();
    let by_stranger = stranger.sign("sign manifest", &manifest);
    let mut only_ed25519 = honest.signature;
    only_ed25519[64..].copy_from_slice(&by_stranger[64..]);
    let mut only_mldsa65 = honest.signature;
    only_mldsa65[..64].copy_from_slice(&by_stranger[..64]);
    for signature in [
        by_stranger,
        only_ed25519,
        only_mldsa65,
        other.signature,
        owner.sign("sign initiator", &manifest),
        owner.sign("sign manifest", &manifest[1..]),
        [0; 3373],
    ] {
        let bundle = Bundle {
            signature,
            ..honest.clone()
        };
        refuse_bundle(&mut alice, &bundle, NOW, Error::Authentication);
    }
    let signature = owner.sign("sign manifest", &manifest);
    let bundle = Bundle {
        signature,
        ..honest
    }
    .decode()
    .unwrap();
    assert!(bundle.verify(NOW, None, alice.id()).is_ok());
}

#[test]
fn b2_one_time_prekeys_are_covered_by_the_signature() {
    let rng = &mut SeededRng::new(32);
    let (mut alice, mut bob) = accounts(rng);
    let bundles: Vec<Bundle> = bob
        .publish(5, NOW, rng)
        .unwrap()
        .bundles()
        .map(|b| Bundle::of(&b))
        .collect();
    let Record::OneTime {
        id,
        x25519,
        kem,
        index,
        path,
    } = bundles[1].record.clone()
    else {
        panic!("no one-time prekey")
    };
    let Record::OneTime {
        x25519: other_x25519,
        kem: other_kem,
        ..
    } = bundles[2].record.clone()
    else {
        panic!("no one-time prekey")
    };
    let record = |id, x25519, kem, index, path| Record::OneTime {
        id,
        x25519,
        kem,
        index,
        path,
    };
    let (longer, mut shorter) = (List([&path.0[..], &[[0; 32]]].concat()), path.clone());
    let mut turned = path.clone();
    turned.0.reverse();
    shorter.0.pop();
    for (record, error) in [
        (
            record(id, other_x25519, kem, index, path.clone()),
            Error::Authentication,
        ),
        (
            record(id, x25519, other_kem, index, path.clone()),
            Error::Authentication,
        ),
        (
            record(id, other_x25519, other_kem, index, path.clone()),
            Error::Authentication,
        ),
        (
            record(id + 1, x25519, kem, index, path.clone()),
            Error::Authentication,
        ),
        (
            record(id, x25519, kem, index + 1, path.clone()),
            Error::Authentication,
        ),
        (record(id, x25519, kem, 5, path.clone()), Error::Malformed),
        (
            record(id, x25519, kem, index, longer),
            Error::Authentication,
        ),
        (
            record(id, x25519, kem, index, shorter),
            Error::Authentication,
        ),
        (
            record(id, x25519, kem, index, turned),
            Error::Authentication,
        ),
        (
            record(id, x25519, kem, index, List(vec![[0; 32]; 11])),
            Error::Malformed,
        ),
        // A one-time prekey is no last resort, and the signed prekey no one-time prekey.
        (Record::LastResort { kem }, Error::Authentication),
    ] {
        let bundle = Bundle {
            record,
            ..bundles[1].clone()
        };
        refuse_bundle(&mut alice, &bundle, NOW, error);
    }
    assert!(
        alice
            .initiate(&bundles[1].decode().unwrap(), b"", NOW, rng)
            .is_ok()
    );
}

#[test]
fn b3_parts_of_two_bundles_do_not_mix() {
    let rng = &mut SeededRng::new(33);
    let (mut alice, mut bob) = accounts(rng);
    let [old, new] = [0, 1].map(|_| bob.publish(2, NOW, rng).unwrap());
    let one_time = |publication: &marline::Publication| Bundle::of(&publication.bundle());
    let last_resort =
        |publication: &marline::Publication| Bundle::of(&publication.last_resort_bundle());
    for (one, other) in [
        (one_time(&old), one_time(&new)),
        (last_resort(&old), last_resort(&new)),
    ] {
        for (manifest, record) in [(&one, &other), (&other, &one)] {
            let bundle = Bundle {
                record: record.record.clone(),
                ..manifest.clone()
            };
            refuse_bundle(&mut alice, &bundle, NOW, Error::Authentication);
        }
    }
}

#[test]
fn b3_old_generations_and_expired_bundles_are_refused() {
    let rng = &mut SeededRng::new(34);
    let (mut alice, mut bob) = accounts(rng);
    let old = Bundle::of(&bob.publish(2, NOW, rng).unwrap().bundle());
    let publication = bob.publish(2, NOW, rng).unwrap();
    let new = Bundle::of(&publication.bundle());
    for now in [0, NOW - 3_601, NOW + 28 * DAY, u64::MAX] {
        refuse_bundle(&mut alice, &new, now, Error::Expired);
    }
    assert!(
        alice
            .initiate(&new.decode().unwrap(), b"", NOW, rng)
            .is_ok()
    );
    refuse_bundle(&mut alice, &old, NOW, Error::Rollback);
    // The memory survives a restart.
    let mut restarted = Account::from_state(&alice.to_state()).unwrap();
    refuse_bundle(&mut restarted, &old, NOW, Error::Rollback);
    assert!(
        restarted
            .initiate(
                &publication.last_resort_bundle(),
                b"",
                NOW + 28 * DAY - 1,
                rng
            )
            .is_ok()
    );
}

#[test]
fn b8_both_sides_know_that_no_one_time_prekey_was_used() {
    let rng = &mut SeededRng::new(35);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(4, NOW, rng).unwrap();
    assert!(
        publication.bundle().has_one_time_prekey()
            && !publication.last_resort_bundle().has_one_time_prekey()
    );
    for (bundle, used) in [
        (publication.bundle(), true),
        (publication.last_resort_bundle(), false),
    ] {
        let (session, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
        let accepted = bob.accept(&message, NOW).unwrap();
        assert_eq!(session.facts().used_one_time_prekey, used);
        assert_eq!(accepted.session.facts().used_one_time_prekey, used);
    }
    // And the stock is a signal: fewer than a quarter of four is none.
    assert_eq!((bob.due(NOW), bob.one_time_prekeys_left()), (vec![], 3));
    for bundle in publication.bundles().skip(1) {
        let (_, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
        let _accepted = bob.accept(&message, NOW).unwrap();
    }
    assert_eq!(bob.due(NOW), [Task::Replenish { remaining: 0 }]);
}

#[test]
fn b9_there_is_one_version_and_nothing_to_negotiate() {
    let rng = &mut SeededRng::new(36);
    let mut pair = answered(rng);
    let honest = Bundle::of(&pair.bob.publish(1, NOW, rng).unwrap().bundle());
    let message = pair.b.encrypt(b"", rng).unwrap();
    let key = StateKey::new(&mut [1; 32]);
    let blob = pair.a.export(&key, rng).unwrap();
    let account = pair.bob.export(&key, rng).unwrap();
    let owner = Identity::of(&pair.bob);
    for version in (0..=255).filter(|version| *version != 1) {
        let with = |bytes: &[u8]| [&[version], &bytes[1..]].concat();
        let mut bundle = honest.clone();
        bundle.manifest.version = version;
        refuse_bundle(&mut pair.alice, &bundle, NOW, Error::Version);
        let mut bundle = honest.clone();
        bundle.manifest.identity[0] = version;
        refuse_bundle(&mut pair.alice, &bundle, NOW, Error::Version);
        super::a_points::refuse(&mut pair.a, &with(&message), Error::Version);
        refuse_first(&mut pair.bob, &with(&pair.first), Error::Version);
        assert_eq!(
            marline::Session::import(&key, &with(&blob), 0).err(),
            Some(Error::Version)
        );
        assert_eq!(
            Account::import(&key, &with(&account), 0).err(),
            Some(Error::Version)
        );
    }
    // Signed by the owner it is no better.
    let mut bundle = honest.clone();
    bundle.manifest.version = 0;
    refuse_bundle(&mut pair.alice, &bundle.sign(&owner), NOW, Error::Version);
    // A bundle without its ML-KEM key is not a bundle, whatever kind it claims.
    let bytes = honest.bytes();
    let record = bytes.len() - honest.record.bytes().len();
    for kind in 0..=255 {
        let stripped = [&bytes[..record], &[kind], &bytes[record + 1..][..36]].concat();
        assert_eq!(
            PrekeyBundle::from_bytes(&stripped).err(),
            Some(Error::Malformed)
        );
    }
}
