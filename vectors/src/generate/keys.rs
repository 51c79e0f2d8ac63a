//! Section 1.2: X25519, ML-KEM, AEAD.

use serde_json::json;

use super::builder::{Builder, Scene};
use crate::format::{Layer, Outcome, VectorFile};

/// Public keys that are not one encoding of one value.
const NOT_CANONICAL: [(&str, &str); 5] = [
    (
        "p",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    (
        "p+1",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    (
        "2^255-1",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    (
        "9 with bit 255",
        "0900000000000000000000000000000000000000000000000000000000000080",
    ),
    (
        "2^256-1",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ),
];

/// Canonical public keys of small order: the output is zero for every secret.
const SMALL_ORDER: [&str; 5] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Primitives,
        "X25519, ML-KEM and the AEAD (1.2), with every check of what comes from outside.",
    );
    b.case(
        "keys-x25519-rfc7748",
        "",
        "Diffie-Hellman of RFC 7748 section 6.1.",
        |s| {
            let secret = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
            let own = s
                .ask("x25519_public", json!({ "secret": secret }))?
                .text("public")?;
            let public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
            let shared = s
                .ask("x25519", json!({ "secret": secret, "public": public }))?
                .text("shared")?;
            let published = [
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
            ];
            if [own.as_str(), &shared] == published {
                Ok(())
            } else {
                Err("not what the RFC says".into())
            }
        },
    )?;
    b.case(
        "keys-x25519",
        "",
        "Both sides compute the same; secrets are clamped.",
        |s| {
            let (a, c) = (s.fresh(32), s.fresh(32));
            let pa = s
                .ask("x25519_public", json!({ "secret": a }))?
                .text("public")?;
            let pc = s
                .ask("x25519_public", json!({ "secret": c }))?
                .text("public")?;
            s.ask("x25519", json!({ "secret": a, "public": pc }))?;
            s.ask("x25519", json!({ "secret": c, "public": pa }))
                .map(drop)
        },
    )?;
    b.case(
        "keys-x25519-not-canonical",
        "M-PR-01 M-EN-02",
        "Bit 255 is set, or the value is not below 2^255 − 19.",
        |s| {
            let secret = s.fresh(32);
            for (which, public) in NOT_CANONICAL {
                s.refuse(
                    "x25519",
                    json!({ "secret": secret, "public": public }),
                    "Malformed",
                )?;
                s.note(which);
            }
            Ok(())
        },
    )?;
    b.case(
        "keys-x25519-largest",
        "M-PR-01",
        "2^255 − 21 is the largest value that is taken besides p − 1, which is of small order.",
        |s| {
            let secret = s.fresh(32);
            let public = "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
            s.ask("x25519", json!({ "secret": secret, "public": public }))
                .map(drop)
        },
    )?;
    b.case(
        "keys-x25519-zero",
        "M-PR-02",
        "The output would be 32 zero bytes.",
        |s| {
            let secret = s.fresh(32);
            for public in SMALL_ORDER {
                s.refuse(
                    "x25519",
                    json!({ "secret": secret, "public": public }),
                    "Malformed",
                )?;
            }
            Ok(())
        },
    )?;
    for kem in [768, 1024] {
        kem_cases(&mut b, kem)?;
    }
    aead_cases(&mut b)?;
    b.finish()
}

fn kem_cases(b: &mut Builder, kem: u16) -> Outcome<()> {
    b.case(
        &format!("keys-kem{kem}"),
        "",
        "Key from its seed, encapsulation with a given m, decapsulation.",
        |s| {
            let (seed, ek) = kem_key(s, kem)?;
            let m = s.fresh(32);
            let ct = s
                .ask("kem_encaps", json!({ "kem": kem, "ek": ek, "m": m }))?
                .text("ct")?;
            s.ask("kem_decaps", json!({ "kem": kem, "seed": seed, "ct": ct }))
                .map(drop)
        },
    )?;
    b.case(
        &format!("keys-kem{kem}-wrong-ciphertext"),
        "M-PR-04",
        "A wrong ciphertext gives a secret, that of implicit rejection.",
        |s| {
            let (seed, ek) = kem_key(s, kem)?;
            let m = s.fresh(32);
            let ct = s
                .ask("kem_encaps", json!({ "kem": kem, "ek": ek, "m": m }))?
                .text("ct")?;
            let name = format!("ct {kem}");
            s.name(&name, &ct);
            let wrong = s.flip(&format!("ct {kem} wrong"), (&name, &ct), 100)?;
            s.ask(
                "kem_decaps",
                json!({ "kem": kem, "seed": seed, "ct": wrong }),
            )
            .map(drop)
        },
    )?;
    b.case(
        &format!("keys-kem{kem}-modulus"),
        "M-PR-03 M-EN-02",
        "A coefficient of the encapsulation key is q, or 4095.",
        |s| {
            let (_, ek) = kem_key(s, kem)?;
            let (name, m) = (format!("ek {kem}"), s.fresh(32));
            s.name(&name, &ek);
            // Two coefficients of 12 bits in three bytes.
            let high = ek.get(2..3).ok_or("short key")?;
            for (which, insert) in [("q", format!("01{high}d")), ("4095", format!("ff{high}f"))] {
                let wrong = s.splice(
                    &format!("ek {kem} with {which}"),
                    (&name, &ek),
                    0,
                    2,
                    &insert,
                )?;
                s.refuse(
                    "kem_encaps",
                    json!({ "kem": kem, "ek": wrong, "m": m }),
                    "Malformed",
                )?;
            }
            Ok(())
        },
    )
}

fn kem_key(s: &mut Scene<'_>, kem: u16) -> Outcome<(String, String)> {
    let seed = s.fresh(64);
    let ek = s
        .ask("kem_public", json!({ "kem": kem, "seed": seed }))?
        .text("ek")?;
    Ok((seed, ek))
}

fn aead_cases(b: &mut Builder) -> Outcome<()> {
    b.case(
        "keys-aead",
        "",
        "Sealing and opening, with and without associated data and plaintext.",
        |s| {
            for (ad, length) in [(0, 0), (34, 1), (5, 64), (0, 65)] {
                let (key, nonce, ad, plaintext) =
                    (s.fresh(32), s.fresh(12), s.fresh(ad), s.fresh(length));
                let sealed =
                    json!({ "key": key, "nonce": nonce, "ad": ad, "plaintext": plaintext });
                let ciphertext = s.ask("aead_seal", sealed)?.text("ciphertext")?;
                s.ask(
                    "aead_open",
                    json!({ "key": key, "nonce": nonce, "ad": ad, "ciphertext": ciphertext }),
                )?;
            }
            Ok(())
        },
    )?;
    b.case(
        "keys-aead-forged",
        "M-ER-01",
        "One bit of ciphertext, tag, associated data, nonce or key is wrong, or the tag is short.",
        |s| {
            let (key, nonce) = ("05".repeat(32), "06".repeat(12));
            let sealed = json!({ "key": key, "nonce": nonce, "ad": "07", "plaintext": "0809" });
            let ciphertext = s.ask("aead_seal", sealed)?.text("ciphertext")?;
            let good = json!({ "key": key, "nonce": nonce, "ad": "07", "ciphertext": ciphertext });
            for name in ["ciphertext", "ad", "nonce", "key"] {
                let mut wrong = good.clone();
                let bytes = hex::decode(
                    good.get(name)
                        .and_then(|value| value.as_str())
                        .unwrap_or_default(),
                )?;
                let bytes: Vec<u8> = bytes
                    .iter()
                    .enumerate()
                    .map(|(i, byte)| if i == 0 { byte ^ 1 } else { *byte })
                    .collect();
                wrong
                    .as_object_mut()
                    .ok_or("object")?
                    .insert(name.into(), json!(hex::encode(bytes)));
                s.refuse("aead_open", wrong, "Authentication")?;
            }
            for length in [0, 15, 17] {
                let mut wrong = good.clone();
                let short = ciphertext.get(..2 * length).ok_or("short")?;
                wrong
                    .as_object_mut()
                    .ok_or("object")?
                    .insert("ciphertext".into(), json!(short));
                s.refuse("aead_open", wrong, "Authentication")?;
            }
            Ok(())
        },
    )
}
