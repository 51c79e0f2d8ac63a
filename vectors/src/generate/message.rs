//! Section 5.4: padding and headers.

use serde_json::{Value, json};

use super::builder::Builder;
use crate::format::{Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(Layer::Primitives, "Padding and the header codec (5.4).");
    b.case(
        "message-pad",
        "",
        "Every kind of padding, and the way back.",
        |s| {
            let paddings = [
                json!("none"),
                json!({ "block": 7 }),
                json!({ "block": 0 }),
                json!({ "padme": 0 }),
                json!({ "padme": 100 }),
                Value::Null,
            ];
            for padding in &paddings {
                for plaintext in [
                    "",
                    "80",
                    "8000",
                    "00",
                    &"ab".repeat(63),
                    &"ab".repeat(64),
                    &"cd".repeat(200),
                ] {
                    let padded = s
                        .ask("pad", json!({ "plaintext": plaintext, "padding": padding }))?
                        .text("padded")?;
                    s.ask("unpad", json!({ "padded": padded }))?;
                }
            }
            Ok(())
        },
    )?;
    b.case(
        "message-unpad-refused",
        "M-MS-04 M-ER-01",
        "There is no 0x80 that only zeros follow.",
        |s| {
            for padded in ["", "00", "0000", "8001", "01", "807f00"] {
                s.refuse("unpad", json!({ "padded": padded }), "Authentication")?;
            }
            Ok(())
        },
    )?;
    header_cases(&mut b)?;
    b.finish()
}

fn fields() -> Value {
    json!({
        "dh": format!("09{}", "00".repeat(31)), "pn": 1, "n": 2, "pq_n": 3, "epoch": 4, "kind": 1, "index": 5,
        "codewords": "cc".repeat(32),
    })
}

fn header_cases(b: &mut Builder) -> Outcome<()> {
    b.case(
        "message-header",
        "",
        "Encoding and decoding, at the limits of the numbers too.",
        |s| {
            let top = i32::MAX;
            let changes = [
                json!({}),
                json!({ "kind": 2, "index": 65535 }),
                json!({ "kind": 0, "index": 0, "codewords": "00".repeat(32) }),
                json!({ "pn": top, "n": top, "pq_n": top, "epoch": top }),
                json!({ "pn": 0, "n": 0, "pq_n": 0, "epoch": 1 }),
            ];
            for change in changes {
                let mut inputs = fields();
                let Value::Object(change) = change else {
                    continue;
                };
                inputs.as_object_mut().ok_or("object")?.extend(change);
                let header = s.ask("header_encode", inputs)?.text("header")?;
                s.ask("header_decode", json!({ "header": header, "slots": 1 }))?;
            }
            Ok(())
        },
    )?;
    b.case(
        "message-header-refused",
        "M-RX-03 M-DR-08 M-SP-04 M-EN-01 M-EN-02 M-PR-01",
        "Every rule of the header broken once.",
        |s| {
            let header = s.ask("header_encode", fields())?.text("header")?;
            s.name("header", &header);
            let zero = format!("000000{}", "00".repeat(32));
            let wrongs: [(&str, usize, usize, &str); 13] = [
                ("dh has bit 255", 31, 1, "80"),
                ("dh is p + 1", 0, 32, &format!("ee{}7f", "ff".repeat(30))),
                ("pn is 2^31", 32, 4, "80000000"),
                ("n is 2^31", 36, 4, "80000000"),
                ("pq_n is 2^31", 40, 4, "80000000"),
                ("epoch is 2^31", 44, 4, "80000000"),
                ("epoch is 0", 44, 4, "00000000"),
                ("kind is 3", 48, 1, "03"),
                (
                    "kind 0 with an index",
                    48,
                    35,
                    &format!("000001{}", "00".repeat(32)),
                ),
                (
                    "kind 0 with codewords",
                    48,
                    35,
                    &format!("000000{}01", "00".repeat(31)),
                ),
                ("a byte is missing", 82, 1, ""),
                ("a byte is left over", 83, 0, "00"),
                (
                    "kind 0 and a codeword more",
                    48,
                    35,
                    &format!("{zero}{}", "00".repeat(32)),
                ),
            ];
            for (about, at, remove, insert) in wrongs {
                let wrong = s.splice(
                    &format!("header: {about}"),
                    ("header", &header),
                    at,
                    remove,
                    insert,
                )?;
                s.refuse(
                    "header_decode",
                    json!({ "header": wrong, "slots": 1 }),
                    "Malformed",
                )?;
                s.note(about);
            }
            Ok(())
        },
    )
}
