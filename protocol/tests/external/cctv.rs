//! CCTV's ML-KEM vectors (github.com/C2SP/CCTV, CC0) from `shared/external-vectors`, where that folder is present
//! beside the repository. They were made for the draft of FIPS 203, whose key generation from `d` differs: only the
//! given keys are used.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use marline::hazmat::{kem768, kem1024};
use marline::{Error, PrekeyBundle, Session};

use super::common::*;
use super::craft::{hostile_initiator, secret};
use super::structures::*;

/// A file of CCTV; `None` says loudly that it is not there.
fn file(name: &str) -> Option<Vec<u8>> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = crate_folder
        .ancestors()
        .map(|folder| folder.join("shared/external-vectors"));
    let Some(folder): Option<PathBuf> = folders.into_iter().find(|folder| folder.is_dir()) else {
        eprintln!("SKIPPED: no shared/external-vectors beside the repository, {name} was not run");
        return None;
    };
    Some(fs::read(folder.join("cctv/ML-KEM").join(name)).unwrap())
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.trim().as_bytes().chunks(2).map(byte).collect()
}

/// `name = hexadecimal` lines.
fn values(name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let text = String::from_utf8(file(name)?).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(" = "));
    let hexadecimal = lines.filter(|(_, value)| value.bytes().all(|byte| byte.is_ascii_hexdigit()));
    Some(
        hexadecimal
            .map(|(name, value)| (name.to_owned(), unhex(value)))
            .collect(),
    )
}

/// The bad keys of a parameter set.
fn bad_keys(name: &str) -> Option<Vec<Vec<u8>>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(file(name)?.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    Some(text.lines().map(unhex).collect())
}

#[test]
fn a6_bad_keys_are_refused_as_prekeys() {
    let Some(keys) = bad_keys("modulus/ML-KEM-1024.txt.gz") else {
        return;
    };
    assert_eq!(keys.len(), 1_040);
    let rng = &mut SeededRng::new(200);
    let (_, mut bob) = accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    for bundle in [publication.bundle(), publication.last_resort_bundle()] {
        let mut bundle = Bundle::parse(&bundle.to_bytes());
        assert!(PrekeyBundle::from_bytes(&bundle.bytes()).is_ok());
        for key in &keys {
            let (Record::LastResort { kem } | Record::OneTime { kem, .. }) = &mut bundle.record;
            *kem = key.as_slice().try_into().unwrap();
            assert_eq!(
                PrekeyBundle::from_bytes(&bundle.bytes()).err(),
                Some(Error::Malformed)
            );
        }
    }
}

#[test]
fn a6_bad_keys_are_refused_as_ratchet_keys() {
    let Some(keys) = bad_keys("modulus/ML-KEM-768.txt.gz") else {
        return;
    };
    assert_eq!(keys.len(), 780);
    let (mut attacker, session) = hostile_initiator(38, &mut SeededRng::new(201));
    let state = session.to_state();
    let (_, good) = kem768::DecapsulationKey::generate(secret(&[5; 64]));
    for (key, valid) in keys
        .iter()
        .map(|key| (key.as_slice(), false))
        .chain([(good.as_slice(), true)])
    {
        // Each is offered in a key object with a valid MAC, to a copy of the session.
        let mut victim = Session::from_state(&state).unwrap();
        let mut attacker = attacker.clone();
        let mut header = attacker.header();
        header.carry(1, &attacker.key_object(key));
        let result = victim.decrypt(&attacker.send(&header));
        assert_eq!(result.err(), (!valid).then_some(Error::AgreementFailed));
        assert_eq!(victim.facts().failed, !valid);
    }
    assert_eq!(attacker.header().n, 1);
}

#[test]
fn a8_comparing_like_strcmp_is_noticed() {
    // Ciphertexts whose re-encryption differs after a zero byte. The keys are expanded ones, which this crate never
    // imports: the package below it is asked. Wycheproof has the case with a seed.
    macro_rules! check {
        ($set:ident, $name:literal) => {
            use ml_kem::$set::DecapsulationKey;
            let Some(values) = values($name) else { return };
            let dk = values["dk"].as_slice().try_into().unwrap();
            #[allow(deprecated)]
            let key = DecapsulationKey::from_expanded(&dk).unwrap();
            let shared =
                ml_kem::Decapsulate::decapsulate(&key, &values["c"].as_slice().try_into().unwrap());
            assert_eq!(shared.as_slice(), values["K"]);
        };
    }
    {
        check!(ml_kem_768, "strcmp/ML-KEM-768.txt");
    }
    check!(ml_kem_1024, "strcmp/ML-KEM-1024.txt");
}

#[test]
fn a11_encapsulation_to_unlucky_keys_and_intermediate_values() {
    // The matrix of the unlucky keys takes 576 bytes of SHAKE-128 for one polynomial, where 504 are enough but once in
    // 2^38 cases.
    macro_rules! check {
        ($kem:ident, $name:literal) => {
            let Some(values) = values($name) else { return };
            let key =
                $kem::EncapsulationKey::from_bytes(values["ek"].as_slice().try_into().unwrap());
            let m = secret::<32>(values["m"].as_slice().try_into().unwrap());
            let (ct, shared) = key.unwrap().encapsulate(&m);
            assert_eq!(
                (ct.as_slice(), shared.expose().as_slice()),
                (&values["c"][..], &values["K"][..])
            );
        };
    }
    check!(kem768, "unluckysample/ML-KEM-768.txt");
    check!(kem1024, "unluckysample/ML-KEM-1024.txt");
    check!(kem768, "intermediate/ML-KEM-768.txt");
    check!(kem1024, "intermediate/ML-KEM-1024.txt");
}
