//! Section 3.3: what an initiator checks before it trusts a bundle.

use serde_json::{Value, json};

use super::builder::{Builder, Scene};
use super::people::{DAY, INITIATE_DRAWS, NOW, Published};
use crate::format::{Layer, Outcome, VectorFile};

/// Where the fields of a bundle of `bob@example.org` begin.
pub(super) mod at {
    pub const IDENTITY: usize = 1;
    pub const SUBJECT: usize = 1986;
    pub const GENERATION: usize = 2002;
    pub const NOT_BEFORE: usize = 2010;
    pub const SIGNED_X25519: usize = 2030;
    pub const COUNT: usize = 2094;
    pub const ROOT: usize = 2096;
    pub const ED25519: usize = 2128;
    pub const MLDSA65: usize = 2192;
    pub const RECORD: usize = 5501;
    pub const RECORD_KEM: usize = 5538;
    pub const INDEX: usize = 7106;
    pub const PATH: usize = 7108;
}

/// Alice, and Bob who has published three one-time prekeys.
pub(super) fn alice_and_bob(s: &mut Scene<'_>) -> Outcome<Published> {
    s.device("alice")?;
    s.device("bob")?;
    s.publish("bob", 3, NOW)
}

fn verify(account: &str, bundle: &str, now: u64) -> Value {
    json!({ "account": account, "bundle": bundle, "now": now })
}

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "Bundles: what is checked, in which order, and what is remembered (3.3).",
    );
    b.case("bundle-good", "M-PK-02 M-PK-03 M-PK-04 M-PK-05", "A bundle with each one-time prekey and one with the last resort, at both ends of its validity.", |s| {
        let published = alice_and_bob(s)?;
        for index in [Some(0), Some(1), Some(2), None] {
            let bundle = s.bundle("bob", &published, index)?;
            for now in [NOW - 3600, NOW + 28 * DAY - 1] {
                s.ask("verify_bundle", verify("alice", &bundle, now))?;
            }
        }
        Ok(())
    })?;
    b.case(
        "bundle-malformed",
        "M-PK-02 M-EN-01 M-EN-02 M-EN-03 M-PR-01 M-PR-03 M-PR-05",
        "Every rule of decoding broken once; nothing is said about signatures yet.",
        malformed,
    )?;
    b.case(
        "bundle-forged",
        "M-PK-03 M-PK-04 M-ID-02 M-ER-01",
        "Any change of what the signature covers, of either half of it, or of the record.",
        forged,
    )?;
    b.case(
        "bundle-mixed",
        "M-PK-04",
        "The record of another publication.",
        |s| {
            let published = alice_and_bob(s)?;
            let other = s.publish("bob", 3, NOW)?;
            s.name("bob.manifest", &published.manifest);
            for (name, record) in [
                ("one-time", other.onetime.get(1)),
                ("last resort", Some(&other.last_resort)),
            ] {
                let record = record.ok_or("record")?;
                let (record_name, name) = (format!("other {name}"), format!("mixed {name}"));
                s.name(&record_name, record);
                let mixed = s.join(
                    &name,
                    &[
                        ("bob.manifest", &published.manifest),
                        (&record_name, record),
                    ],
                );
                s.refuse(
                    "verify_bundle",
                    verify("alice", &mixed, NOW),
                    "Authentication",
                )?;
            }
            Ok(())
        },
    )?;
    b.case("bundle-expired", "M-PK-05", "One second before and at the end of its validity; a forged bundle is not called expired.", |s| {
        let published = alice_and_bob(s)?;
        let bundle = s.bundle("bob", &published, Some(0))?;
        for now in [0, NOW - 3601, NOW + 28 * DAY] {
            s.refuse("verify_bundle", verify("alice", &bundle, now), "Expired")?;
            let inputs = json!({ "account": "alice", "session": "a", "bundle": bundle, "slots": 4, "now": now, "plaintext": "" });
            s.refuse_drawing("initiate", inputs, &INITIATE_DRAWS, "Expired")?;
        }
        let wrong = s.flip("bob.bundle 0, generation flipped", ("bob.bundle 0", &bundle), at::GENERATION + 7)?;
        s.refuse("verify_bundle", verify("alice", &wrong, 0), "Authentication")
    })?;
    b.case("bundle-rollback", "M-PK-06", "After a handshake with generation 2, generation 1 is refused; generation 2 is still good. An expired old bundle is called expired.", |s| {
        let old = alice_and_bob(s)?;
        let old = s.bundle("bob", &old, Some(0))?;
        let new = s.publish("bob", 1, NOW)?;
        let new = s.bundle("bob again", &new, None)?;
        s.ask("verify_bundle", verify("alice", &old, NOW))?;
        s.initiate("alice", "a", &new, 1, "hello")?;
        s.refuse("verify_bundle", verify("alice", &old, NOW), "Rollback")?;
        let inputs = json!({ "account": "alice", "session": "a2", "bundle": old, "slots": 4, "now": NOW, "plaintext": "" });
        s.refuse_drawing("initiate", inputs, &INITIATE_DRAWS, "Rollback")?;
        s.refuse("verify_bundle", verify("alice", &old, NOW + 100 * DAY), "Expired")?;
        s.ask("verify_bundle", verify("alice", &new, NOW))?;
        s.initiate("alice", "a3", &new, 1, "again").map(drop)
    })?;
    b.case("bundle-own", "M-PK-07", "A bundle of one's own.", |s| {
        let published = alice_and_bob(s)?;
        let bundle = s.bundle("bob", &published, None)?;
        s.refuse("verify_bundle", verify("bob", &bundle, NOW), "OwnIdentity")?;
        let inputs = json!({ "account": "bob", "session": "b", "bundle": bundle, "slots": 4, "now": NOW, "plaintext": "" });
        s.refuse_drawing("initiate", inputs, &INITIATE_DRAWS, "OwnIdentity")
    })?;
    b.case("bundle-slots", "", "Slots outside of 1 to 38 are a limit.", |s| {
        let published = alice_and_bob(s)?;
        let bundle = s.bundle("bob", &published, None)?;
        for slots in [0, 39] {
            let inputs = json!({ "account": "alice", "session": "a", "bundle": bundle, "slots": slots, "now": NOW, "plaintext": "" });
            s.refuse_drawing("initiate", inputs, &INITIATE_DRAWS, "Limit")?;
        }
        Ok(())
    })?;
    b.finish()
}

fn malformed(s: &mut Scene<'_>) -> Outcome<()> {
    let published = alice_and_bob(s)?;
    let bundle = s.bundle("bob", &published, Some(1))?;
    let small = format!("01{}", "00".repeat(31));
    let high = bundle
        .get(2 * at::RECORD_KEM + 2..2 * at::RECORD_KEM + 3)
        .ok_or("short")?
        .to_owned();
    let modulus = format!("01{high}d");
    let empty_validity = format!("{:016x}{:016x}", NOW, NOW);
    let wrongs: [(&str, &str, usize, usize, &str); 16] = [
        ("Version", "manifest of version 2", 0, 1, "02"),
        (
            "Version",
            "identity key of version 0",
            at::IDENTITY,
            1,
            "00",
        ),
        (
            "Malformed",
            "Ed25519 key of small order",
            at::IDENTITY + 1,
            32,
            &small,
        ),
        (
            "Malformed",
            "subject longer than what follows",
            at::SUBJECT,
            1,
            "ff",
        ),
        (
            "Malformed",
            "not_before = not_after",
            at::NOT_BEFORE,
            16,
            &empty_validity,
        ),
        (
            "Malformed",
            "signed X25519 key with bit 255",
            at::SIGNED_X25519 + 31,
            1,
            "ff",
        ),
        ("Malformed", "no one-time prekeys", at::COUNT, 2, "0000"),
        ("Malformed", "1025 one-time prekeys", at::COUNT, 2, "0401"),
        ("Malformed", "record of kind 0", at::RECORD, 1, "00"),
        ("Malformed", "record of kind 3", at::RECORD, 1, "03"),
        (
            "Malformed",
            "one-time X25519 key with bit 255",
            at::RECORD + 5 + 31,
            1,
            "ff",
        ),
        (
            "Malformed",
            "one-time ML-KEM key with a coefficient q",
            at::RECORD_KEM,
            2,
            &modulus,
        ),
        ("Malformed", "index 3 of 3", at::INDEX, 2, "0003"),
        (
            "Malformed",
            "path of 11 hashes",
            at::PATH,
            65,
            &format!("0b{}", "00".repeat(11 * 32)),
        ),
        ("Malformed", "a byte is missing", at::PATH + 64, 1, ""),
        ("Malformed", "a byte is left over", at::PATH + 65, 0, "00"),
    ];
    for (error, about, offset, remove, insert) in wrongs {
        let wrong = s.splice(
            &format!("bundle: {about}"),
            ("bob.bundle 1", &bundle),
            offset,
            remove,
            insert,
        )?;
        s.refuse("verify_bundle", verify("alice", &wrong, NOW), error)?;
        s.note(about);
    }
    s.refuse("verify_bundle", verify("alice", "", NOW), "Malformed")
}

fn forged(s: &mut Scene<'_>) -> Outcome<()> {
    let published = alice_and_bob(s)?;
    let bundle = s.bundle("bob", &published, Some(1))?;
    let last = s.bundle("bob", &published, None)?;
    let flips = [
        ("ML-DSA key", at::IDENTITY + 40),
        ("subject", at::SUBJECT + 1),
        ("generation", at::GENERATION),
        ("not_before", at::NOT_BEFORE + 7),
        ("signed X25519 key", at::SIGNED_X25519),
        ("count", at::COUNT + 1),
        ("root", at::ROOT),
        ("Ed25519 signature", at::ED25519),
        ("ML-DSA signature", at::MLDSA65 + 5),
        ("id of the one-time prekey", at::RECORD + 4),
        ("X25519 key of the one-time prekey", at::RECORD + 5),
        ("seed rho of the one-time ML-KEM key", at::INDEX - 1),
        ("index", at::INDEX + 1),
        ("path", at::PATH + 1),
    ];
    for (about, offset) in flips {
        let wrong = s.flip(
            &format!("bundle, flipped: {about}"),
            ("bob.bundle 1", &bundle),
            offset,
        )?;
        s.refuse(
            "verify_bundle",
            verify("alice", &wrong, NOW),
            "Authentication",
        )?;
        s.note(about);
    }
    let short = s.splice(
        "bundle: path too short",
        ("bob.bundle 1", &bundle),
        at::PATH,
        33,
        "01",
    )?;
    s.refuse(
        "verify_bundle",
        verify("alice", &short, NOW),
        "Authentication",
    )?;
    let wrong = s.flip(
        "bundle, flipped: last resort",
        ("bob.bundle", &last),
        last.len() / 2 - 1,
    )?;
    s.refuse(
        "verify_bundle",
        verify("alice", &wrong, NOW),
        "Authentication",
    )
}
