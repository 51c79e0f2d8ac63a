//! Section 1.3: every label in the function it belongs to.

use serde_json::json;

use super::builder::Builder;
use crate::format::{Layer, Outcome, VectorFile};

/// Labels of H, with the number of fields of their one use.
const HASHES: [(&str, usize); 13] = [
    ("identity", 1),
    ("kem key", 1),
    ("prekey", 4),
    ("node", 2),
    ("manifest", 1),
    ("handshake", 9),
    ("claim", 2),
    ("sealed", 1),
    ("transcript", 2),
    ("first flight", 1),
    ("export context", 2),
    ("fingerprint", 1),
    ("hybrid ed25519+ml-dsa-65", 0),
];

/// Labels of PRF: length, and the widths of the inputs after the key.
const PRFS: [(&str, usize, &[usize]); 8] = [
    ("safety number", 60, &[32, 32]),
    ("dh chain", 64, &[]),
    ("pq chain", 64, &[4]),
    ("message", 32, &[32, 32, 1]),
    ("encapsulate", 32, &[32, 4, 32]),
    ("mac key", 32, &[4, 1184]),
    ("mac ciphertext", 32, &[4, 1088]),
    ("state key", 32, &[32]),
];

/// Labels of EXPAND: width of the context, and length.
const EXPANDS: [(&str, usize, usize); 8] = [
    ("initiator key", 32, 32),
    ("session", 32, 192),
    ("dh root", 32, 96),
    ("pq start", 32, 160),
    ("pq root", 4, 96),
    ("epoch key", 36, 32),
    ("authenticator", 4, 64),
    ("exporter", 32, 40),
];

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Primitives,
        "Labels, H, PRF, EXTRACT and EXPAND (1.3), each label with inputs of the widths of its use.",
    );
    b.case("hash-labels", "", "The names of all labels, sorted.", |s| {
        s.ask("labels", json!({})).map(drop)
    })?;
    for (name, fields) in HASHES {
        b.case(
            &format!("hash-h-{}", slug(name)),
            "",
            "H with its label.",
            |s| {
                let fields: Vec<String> = (0..fields).map(|i| s.fresh(32 + i)).collect();
                s.ask("h", json!({ "name": name, "fields": fields }))
                    .map(drop)
            },
        )?;
    }
    b.case(
        "hash-h-framing",
        "M-EN-02",
        "The same bytes cut into fields in another way give another hash.",
        |s| {
            for fields in [
                vec!["0102", ""],
                vec!["01", "02"],
                vec!["0102"],
                vec!["", "0102"],
                vec![],
            ] {
                s.ask("h", json!({ "name": "claim", "fields": fields }))?;
            }
            Ok(())
        },
    )?;
    for (name, length, widths) in PRFS {
        b.case(
            &format!("hash-prf-{}", slug(name)),
            "",
            "PRF with its label.",
            |s| {
                let key = if name == "safety number" {
                    "01".into()
                } else {
                    s.fresh(32)
                };
                let inputs: Vec<String> = widths.iter().map(|width| s.fresh(*width)).collect();
                s.ask(
                    "prf",
                    json!({ "name": name, "length": length, "key": key, "inputs": inputs }),
                )
                .map(drop)
            },
        )?;
    }
    b.case("hash-extract", "", "EXTRACT: HMAC-SHA3-256 with a block of 136 bytes, for salts and keying material of every length in use.", |s| {
        for length in [32, 64, 96] {
            let (salt, ikm) = (s.fresh(32), s.fresh(length));
            s.ask("extract", json!({ "salt": salt, "ikm": ikm }))?;
        }
        Ok(())
    })?;
    for (name, width, length) in EXPANDS {
        b.case(
            &format!("hash-expand-{}", slug(name)),
            "",
            "EXPAND with its label.",
            |s| {
                let (prk, context) = (s.fresh(32), s.fresh(width));
                s.ask(
                    "expand",
                    json!({ "prk": prk, "name": name, "context": context, "length": length }),
                )
                .map(drop)
            },
        )?;
    }
    b.finish()
}

fn slug(name: &str) -> String {
    name.replace([' ', '+'], "-")
}
