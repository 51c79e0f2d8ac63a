//! Section 6.1: the erasure code.

use serde_json::{Value, json};

use super::builder::Builder;
use crate::format::{Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(Layer::Primitives, "The erasure code over GF(2^16) (6.1).");
    for k in [1u16, 2, 3, 5, 35, 38] {
        b.case(
            &format!("erasure-encode-{k}"),
            "",
            "The object itself, the first codewords beyond it, and the turn of the index at 65535.",
            |s| {
                let object = s.fresh(32 * usize::from(k));
                for (index, count) in [(0, k), (k, 3), (1000, 1), (65534, 4)] {
                    s.ask(
                        "erasure_encode",
                        json!({ "object": object, "index": index, "count": count }),
                    )?;
                }
                Ok(())
            },
        )?;
    }
    b.case(
        "erasure-decode",
        "M-EC-01",
        "Any k codewords give the object: the last ones, mixed ones, in any order.",
        |s| {
            for (k, indices) in [(3u16, [65535u16, 7, 300]), (3, [2, 0, 9]), (3, [1, 2, 0])] {
                let object = s.fresh(32 * usize::from(k));
                let mut held = Vec::new();
                for index in indices {
                    let codeword = s.ask(
                        "erasure_encode",
                        json!({ "object": object, "index": index, "count": 1 }),
                    )?;
                    held.push(json!([index, codeword.text("codewords")?]));
                }
                let decoded = s.ask("erasure_decode", json!({ "k": k, "codewords": held }))?;
                if decoded.text("object")? != object {
                    return Err("another object".into());
                }
            }
            Ok(())
        },
    )?;
    b.case(
        "erasure-large",
        "M-EC-01",
        "A key object and a ciphertext object out of codewords beyond it.",
        |s| {
            for k in [35u16, 38] {
                let object = s.fresh(32 * usize::from(k));
                let coded = s
                    .ask(
                        "erasure_encode",
                        json!({ "object": object, "index": 20, "count": k }),
                    )?
                    .text("codewords")?;
                let coded = coded.as_bytes().chunks(64).map(String::from_utf8_lossy);
                let held: Vec<Value> = (20..)
                    .zip(coded)
                    .map(|(index, codeword)| json!([index, codeword]))
                    .collect();
                s.ask("erasure_decode", json!({ "k": k, "codewords": held }))?;
            }
            Ok(())
        },
    )?;
    b.case("erasure-first-wins", "M-EC-01", "Of two codewords with one index the first counts; fewer than k give nothing; those beyond the k-th are ignored.", |s| {
        let object = s.fresh(64);
        let codewords = s.ask("erasure_encode", json!({ "object": object, "index": 0, "count": 4 }))?.text("codewords")?;
        let codeword = |i: usize| codewords.get(64 * i..64 * (i + 1)).unwrap_or_default().to_owned();
        let forged = "ee".repeat(32);
        for held in [
            json!([[0, codeword(0)], [0, forged], [3, codeword(3)]]),
            json!([[3, forged], [3, codeword(3)], [0, codeword(0)]]),
            json!([[1, codeword(1)], [1, codeword(1)]]),
            json!([[1, codeword(1)], [2, codeword(2)], [3, forged]]),
            json!([]),
        ] {
            s.ask("erasure_decode", json!({ "k": 2, "codewords": held }))?;
        }
        Ok(())
    })?;
    b.finish()
}
