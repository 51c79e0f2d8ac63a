//! Section 2: identities, hybrid signatures, safety numbers.

use serde_json::{Value, json};

use super::builder::{Builder, Scene};
use crate::format::{Layer, Outcome, VectorFile};

/// Ed25519 public keys that are refused.
const BAD_KEYS: [(&str, &str); 6] = [
    (
        "the neutral element",
        "0100000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "order 2",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    (
        "order 4",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "order 8",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    ),
    (
        "y = p",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    (
        "no point has y = 2",
        "0200000000000000000000000000000000000000000000000000000000000000",
    ),
];
/// The order of the base point, little endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Primitives,
        "Ed25519, ML-DSA-65, hybrid signatures and safety numbers (1.2, 2).",
    );
    ed25519_cases(&mut b)?;
    b.case("signature-mldsa65", "", "Hedged signature with a given rnd and empty context; one bit of message or signature spoils it.", |s| {
        let (seed, message, rnd) = (s.fresh(32), s.fresh(40), s.fresh(32));
        let public = s.ask("mldsa65_public", json!({ "seed": seed }))?.text("public")?;
        let signed = json!({ "seed": seed, "message": message, "rnd": rnd });
        let signature = s.ask("mldsa65_sign", signed)?.text("signature")?;
        s.name("ml-dsa signature", &signature);
        let wrong = s.flip("ml-dsa signature, wrong", ("ml-dsa signature", &signature), 40)?;
        s.ask("mldsa65_verify", json!({ "public": public, "message": message, "signature": signature }))?;
        s.ask("mldsa65_verify", json!({ "public": public, "message": message, "signature": wrong }))?;
        s.ask("mldsa65_verify", json!({ "public": public, "message": "00", "signature": signature })).map(drop)
    })?;
    hybrid_cases(&mut b)?;
    b.case(
        "signature-safety-number",
        "M-ID-04",
        "The same in both orders; another identity gives another number.",
        |s| {
            let (one, other, third) = (s.fresh(32), s.fresh(32), s.fresh(32));
            for (a, b) in [(&one, &other), (&other, &one), (&one, &third), (&one, &one)] {
                s.ask("safety_number", json!({ "a": a, "b": b }))?;
            }
            Ok(())
        },
    )?;
    b.finish()
}

fn ed25519_cases(b: &mut Builder) -> Outcome<()> {
    b.case(
        "signature-ed25519-rfc8032",
        "",
        "Test 2 of RFC 8032 section 7.1.",
        |s| {
            let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
            let public = s
                .ask("ed25519_public", json!({ "seed": seed }))?
                .text("public")?;
            let signature = s
                .ask("ed25519_sign", json!({ "seed": seed, "message": "72" }))?
                .text("signature")?;
            s.ask(
                "ed25519_verify",
                json!({ "public": public, "message": "72", "signature": signature }),
            )?;
            let published = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
            if signature == published {
                Ok(())
            } else {
                Err("not what the RFC says".into())
            }
        },
    )?;
    b.case(
        "signature-ed25519-keys",
        "M-PR-05",
        "Public keys that are of small order, not canonical, or no point.",
        |s| {
            let signature = s.fresh(64);
            for (which, public) in BAD_KEYS {
                s.refuse(
                    "ed25519_verify",
                    json!({ "public": public, "message": "", "signature": signature }),
                    "Malformed",
                )?;
                s.note(which);
            }
            Ok(())
        },
    )?;
    b.case(
        "signature-ed25519-strict",
        "M-PR-05 M-EN-02",
        "S is S + L; R is of small order, or not canonical; another message.",
        |s| {
            let seed = s.fresh(32);
            let public = s
                .ask("ed25519_public", json!({ "seed": seed }))?
                .text("public")?;
            let signature = s
                .ask("ed25519_sign", json!({ "seed": seed, "message": "01" }))?
                .text("signature")?;
            let (r, big_s) = signature.split_at(64);
            let mut carry = 0;
            let sum: Vec<u8> = hex::decode(big_s)?
                .iter()
                .zip(L)
                .map(|(a, b)| {
                    let sum = u16::from(*a) + u16::from(b) + carry;
                    carry = sum >> 8;
                    sum as u8
                })
                .collect();
            let small = format!("01{}", "00".repeat(31));
            let large = format!("ee{}7f", "ff".repeat(30));
            for wrong in [
                format!("{r}{}", hex::encode(sum)),
                format!("{small}{big_s}"),
                format!("{large}{big_s}"),
            ] {
                s.ask(
                    "ed25519_verify",
                    json!({ "public": public, "message": "01", "signature": wrong }),
                )?;
            }
            s.ask(
                "ed25519_verify",
                json!({ "public": public, "message": "02", "signature": signature }),
            )
            .map(drop)
        },
    )
}

/// A signature with everything that made it.
struct Signed {
    seeds: Value,
    identity: String,
    signature: String,
}

fn signed(s: &mut Scene<'_>, purpose: &str) -> Outcome<Signed> {
    let seeds = json!({ "ed25519_seed": s.fresh(32), "mldsa_seed": s.fresh(32) });
    let identity = s
        .ask("identity_from_seeds", seeds.clone())?
        .text("identity")?;
    let mut inputs = seeds.clone();
    let fields = inputs.as_object_mut().ok_or("object")?;
    fields.extend([
        ("purpose".into(), json!(purpose)),
        ("message".into(), json!("0a0b")),
    ]);
    let signature = s
        .draw("sign", inputs, &[("ML-DSA rnd", 32)])?
        .text("signature")?;
    Ok(Signed {
        seeds,
        identity,
        signature,
    })
}

fn hybrid_cases(b: &mut Builder) -> Outcome<()> {
    b.case("signature-hybrid", "M-ID-02", "Both purposes, signed and verified.", |s| {
        for purpose in ["sign manifest", "sign initiator"] {
            let Signed { identity, signature, .. } = signed(s, purpose)?;
            s.ask("verify", json!({ "identity": identity, "purpose": purpose, "message": "0a0b", "signature": signature }))?;
        }
        Ok(())
    })?;
    b.case("signature-hybrid-one-half", "M-ID-02 M-ER-01", "One half is wrong, then the other; the purpose or the message is another.", |s| {
        let Signed { identity, signature, .. } = signed(s, "sign manifest")?;
        s.name("hybrid signature", &signature);
        let ed = s.flip("hybrid signature, wrong Ed25519", ("hybrid signature", &signature), 3)?;
        let ml = s.flip("hybrid signature, wrong ML-DSA", ("hybrid signature", &signature), 64)?;
        let verify = |purpose: &str, message: &str, signature: &str| {
            json!({ "identity": identity, "purpose": purpose, "message": message, "signature": signature })
        };
        s.refuse("verify", verify("sign manifest", "0a0b", &ed), "Authentication")?;
        s.refuse("verify", verify("sign manifest", "0a0b", &ml), "Authentication")?;
        s.refuse("verify", verify("sign initiator", "0a0b", &signature), "Authentication")?;
        s.refuse("verify", verify("sign manifest", "0a0c", &signature), "Authentication")
    })?;
    b.case("signature-identity-key", "M-EN-01 M-EN-03 M-PR-05", "Identity keys of another version, another length, or with a bad Ed25519 key.", |s| {
        let Signed { identity, signature, seeds } = signed(s, "sign manifest")?;
        s.name("identity", &identity);
        s.name("identity's signature", &signature);
        s.ask("identity_from_seeds", seeds)?;
        let wrongs = [
            (s.splice("identity, version 2", ("identity", &identity), 0, 1, "02")?, "Version"),
            (s.splice("identity, short", ("identity", &identity), 1984, 1, "")?, "Malformed"),
            (s.splice("identity, long", ("identity", &identity), 1985, 0, "00")?, "Malformed"),
            (s.splice("identity, small order", ("identity", &identity), 1, 32, &format!("01{}", "00".repeat(31)))?, "Malformed"),
            (s.flip("identity, another ML-DSA key", ("identity", &identity), 40)?, "Authentication"),
        ];
        for (wrong, error) in wrongs {
            let inputs = json!({ "identity": wrong, "purpose": "sign manifest", "message": "0a0b", "signature": signature });
            s.refuse("verify", inputs, error)?;
        }
        Ok(())
    })
}
