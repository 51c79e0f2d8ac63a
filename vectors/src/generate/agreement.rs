//! Scripts: the post-quantum agreement over many messages, and how it ends when it is attacked from inside.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::ratchet::sessions;
use crate::format::{Event, Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Scripts,
        "The post-quantum agreement: epochs, late messages of old ones, and failure.",
    );
    b.case(
        "agreement-standard",
        "M-SP-01 M-SP-02 M-EC-01",
        "Four codewords a message: ping-pong through more than one epoch.",
        |s| {
            sessions(s, 4, 0)?;
            for i in 0..22 {
                s.pass("b", "a", &format!("b{i}"))?;
                s.pass("a", "b", &format!("a{i}"))?;
            }
            for name in ["a", "b"] {
                let facts = s.ask("facts", json!({ "session": name }))?;
                if facts.get("epoch")?.as_u64() == Some(0) {
                    return Err("no epoch".into());
                }
            }
            Ok(())
        },
    )?;
    b.case(
        "agreement-late",
        "M-SP-03 M-SP-04 M-SP-05 M-RX-05",
        "A message of the epoch before is taken; of the one before that it is too old.",
        |s| {
            sessions(s, 38, 1)?;
            let late = [s.send("a", "late")?, s.send("a", "too late")?];
            s.pass("a", "b", "in time")?;
            let [late, too_late] = late;
            for (from, to) in [("b", "a"), ("a", "b"), ("b", "a"), ("a", "b")] {
                s.pass(from, to, "on")?;
            }
            s.event(Event::Reorder);
            s.ask("decrypt", json!({ "session": "b", "message": late }))?;
            for (from, to) in [
                ("b", "a"),
                ("a", "b"),
                ("b", "a"),
                ("a", "b"),
                ("b", "a"),
                ("a", "b"),
            ] {
                s.pass(from, to, "on")?;
            }
            s.bounce(Event::Reorder, "b", &too_late, "TooOld")
        },
    )?;
    b.case("agreement-key-forged", "M-RX-08 M-RX-01 M-RX-07", "A peer sends a key object with a wrong MAC: the session ends for good, also after a restart.", |s| {
        sessions(s, 38, 2)?;
        // After two messages Bob owns the next key.
        forged(s, "b", "a")
    })?;
    b.case(
        "agreement-ciphertext-forged",
        "M-RX-08 M-SC-02",
        "The same with a ciphertext object.",
        |s| {
            sessions(s, 38, 0)?;
            forged(s, "b", "a")
        },
    )?;
    b.finish()
}

/// The next message from one side to the other, with a wrong object in it.
fn forged(s: &mut Scene<'_>, from: &str, to: &str) -> Outcome<()> {
    let codewords = s.state_of(from)?;
    s.send(from, "lost")?;
    s.happens(Event::Drop, "the message is lost");
    let anatomy = s.anatomy(from)?;
    let kind = match anatomy.scka.get(68) {
        Some(1) => 1,
        Some(5) => 2,
        _ => return Err(format!("{from} sends nothing: {}", codewords.len()).into()),
    };
    let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
    let message = hex::encode(anatomy.craft(nonce, |m| {
        m.kind = kind;
        m.codewords.fill(0x55);
    })?);
    s.event(Event::Corrupt);
    let inputs = json!({ "session": to, "message": message });
    s.step("decrypt", inputs, None, Some("AgreementFailed"))?;
    let next = s.send(from, "and now?")?;
    s.bounce(Event::Deliver, to, &next, "AgreementFailed")?;
    s.bounce(Event::Deliver, to, "", "AgreementFailed")?;
    s.restart(to)?;
    s.event(Event::Send);
    s.refuse_drawing(
        "encrypt",
        json!({ "session": to, "plaintext": "" }),
        &[("nonce", 12)],
        "AgreementFailed",
    )?;
    s.ask("state", json!({ "session": to })).map(drop)
}
