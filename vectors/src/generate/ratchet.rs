//! Sections 5.2 to 5.5: single messages with every intermediate value.

use serde_json::json;

use super::builder::{Builder, Scene};
use crate::anatomy::{SessionAnatomy, TurnAnatomy};
use crate::format::{Draw, Event, Layer, Outcome, VectorFile};

/// A session of Alice with Bob and the other side of it, `slots` codewords a message, after some messages.
/// They are loaded from their states, so that a case is short.
pub(super) fn sessions(s: &mut Scene<'_>, slots: u8, messages: u32) -> Outcome<()> {
    // The handshake is aside: it is the same for every case of these slots, and has cases of its own.
    let mut stream = crate::draws::Stream::new(&format!("marline vectors v1 sessions {slots}"));
    let mut draws = |lengths: &[usize]| -> Vec<String> {
        lengths
            .iter()
            .map(|n| hex::encode(stream.take(*n)))
            .collect()
    };
    for name in ["alice", "bob"] {
        let subject = hex::encode(name);
        s.aside(json!({ "op": "account_generate", "account": name, "subject": subject, "draws": draws(&[32, 32]) }))?;
    }
    let now = super::people::NOW;
    let published = s.aside(json!({
        "op": "publish", "account": "bob", "now": now, "onetime_count": 1, "draws": draws(&[32, 64, 32, 64, 32]),
    }))?;
    let record = published
        .get("onetime")?
        .get(0)
        .and_then(|record| record.as_str())
        .ok_or("record")?;
    let bundle = format!("{}{record}", published.text("manifest")?);
    let first = s.aside(json!({
        "op": "initiate", "account": "alice", "session": "a", "bundle": bundle, "slots": slots, "now": now,
        "plaintext": "", "draws": draws(&[32, 32, 32, 12, 32, 64]),
    }))?;
    s.aside(json!({ "op": "accept", "account": "bob", "session": "b", "message": first.text("message")?, "now": now }))?;
    for i in 0..messages {
        let (from, to) = if i % 2 == 0 { ("b", "a") } else { ("a", "b") };
        let lengths: Vec<usize> = s
            .encrypt_draws(from)?
            .iter()
            .map(|(_, length)| *length)
            .collect();
        let sent = s.aside(
            json!({ "op": "encrypt", "session": from, "plaintext": "", "draws": draws(&lengths) }),
        )?;
        s.aside(json!({ "op": "decrypt", "session": to, "message": sent.text("message")? }))?;
    }
    for name in ["a", "b"] {
        let state = s.state_of(name)?;
        s.name(
            &format!("session {name}, {slots} slots, after {messages}"),
            &state,
        );
        s.load(name, &state)?;
    }
    for name in ["alice", "bob"] {
        s.aside(json!({ "op": "drop", "account": name }))?;
    }
    Ok(())
}

/// Plays one `encrypt` of a session value by value, and then as a whole.
fn message(s: &mut Scene<'_>, from: &str, to: &str) -> Outcome<()> {
    let anatomy = s.anatomy(from)?;
    let names = s.encrypt_draws(from)?;
    let draws = s.draws(&names);
    let draw = |name: &str| {
        draws
            .iter()
            .find(|draw| draw.name == name)
            .map(|draw| draw.bytes.clone())
    };
    let session_id = hex::encode(anatomy.session_id);

    // The classical ratchet.
    let (public, header_key, chain, n, new_root) = match &anatomy.turn {
        TurnAnatomy::Step(peer) => {
            let secret = draw("ratchet secret").ok_or("draw")?;
            let public = s
                .ask("x25519_public", json!({ "secret": secret }))?
                .text("public")?;
            let step = json!({
                "root": hex::encode(anatomy.root), "secret": secret, "peer": hex::encode(peer), "session_id": session_id,
            });
            let step = s.ask("dh_step", step)?;
            let [next, _] = anatomy.next_header_keys;
            (
                public,
                hex::encode(next),
                step.text("chain")?,
                0,
                step.text("root")?,
            )
        }
        TurnAnatomy::Sending {
            public,
            header_key,
            chain,
            n,
            ..
        } => (
            hex::encode(public),
            hex::encode(header_key),
            hex::encode(chain),
            *n,
            hex::encode(anatomy.root),
        ),
        TurnAnatomy::Fresh(_) => return Err("a responder that has not received".into()),
    };
    let classical = s.ask("dh_chain", json!({ "chain": chain }))?;

    // The agreement, and the post-quantum ratchet.
    let scka_draws: Vec<Draw> = draws
        .iter()
        .filter(|draw| draw.name.starts_with("KEM") || draw.name.starts_with("fresh"))
        .cloned()
        .collect();
    let inputs = json!({ "state": hex::encode(&anatomy.scka), "session_id": session_id, "slots": anatomy.slots });
    let sent = s.step("scka_send", inputs, Some(scka_draws), None)?;
    if let Some(epoch_key) = sent.get("epoch_key")?.get("key") {
        let root = json!({ "root": hex::encode(anatomy.pq_root), "epoch_key": epoch_key, "epoch": sent.get("epoch")? });
        s.ask("pq_root", root)?;
    }
    let epoch = anatomy.epoch - 1;
    let sending = anatomy
        .pq_send
        .iter()
        .find(|(e, ..)| *e == epoch)
        .ok_or("no chain")?;
    let (_, pq_chain, pq_n) = sending;
    let post_quantum = s.ask(
        "pq_chain",
        json!({ "chain": hex::encode(pq_chain), "n": pq_n }),
    )?;

    // Both, and the message.
    let mk = json!({
        "pq_mk": post_quantum.text("pq_mk")?, "ec_mk": classical.text("ec_mk")?, "session_id": session_id,
        "direction": anatomy.role,
    });
    let mk = s.ask("message_key", mk)?.text("mk")?;
    let header = json!({
        "dh": public, "pn": anatomy.previous, "n": n, "pq_n": pq_n, "epoch": sent.get("epoch")?,
        "kind": sent.get("kind")?, "index": sent.get("index")?, "codewords": sent.get("codewords")?,
    });
    let header = s.ask("header_encode", header)?.text("header")?;
    let plaintext = hex::encode("hello");
    let padded = s
        .ask(
            "pad",
            json!({ "plaintext": plaintext, "padding": { "padme": 64 } }),
        )?
        .text("padded")?;
    let sealed = json!({
        "header_key": header_key, "mk": mk, "nonce": draw("nonce").ok_or("draw")?, "session_id": session_id,
        "th": hex::encode(anatomy.th), "direction": anatomy.role, "header": header, "padded": padded, "ad": "0102",
    });
    let sealed = s.ask("message_seal", sealed)?.text("message")?;

    s.event(Event::Send);
    let inputs = json!({ "session": from, "plaintext": plaintext, "ad": "0102", "padding": { "padme": 64 } });
    let message = s
        .step("encrypt", inputs, Some(draws), None)?
        .text("message")?;
    if !message.ends_with(&sealed) {
        return Err("the library makes another message than the formulas".into());
    }
    let after = s.ask("state", json!({ "session": from }))?.text("state")?;
    let after = SessionAnatomy::read(&hex::decode(after)?)?;
    if hex::encode(after.root) != new_root {
        return Err("the library derives another root than the formulas".into());
    }
    s.event(Event::Deliver);
    s.ask(
        "decrypt",
        json!({ "session": to, "message": message, "ad": "0102" }),
    )?;
    s.ask("state", json!({ "session": to })).map(drop)
}

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "Messages with every intermediate value, and the states before and after (5.2 to 5.5).",
    );
    let cases: [(&str, u8, u32, &str, &str, &str); 7] = [
        (
            "ratchet-responder-first",
            4,
            0,
            "b",
            "a",
            "The responder's first message: sending step, no codewords of its own.",
        ),
        (
            "ratchet-initiator-second",
            4,
            0,
            "a",
            "b",
            "The initiator's second message before an answer: no step, the flight again.",
        ),
        (
            "ratchet-initiator-step",
            4,
            1,
            "a",
            "b",
            "The initiator's first message after an answer: sending step.",
        ),
        (
            "ratchet-encapsulation",
            38,
            0,
            "b",
            "a",
            "The responder holds the key: encapsulation, a new epoch on its side, the message still under the old one.",
        ),
        (
            "ratchet-new-epoch",
            38,
            1,
            "a",
            "b",
            "The initiator has the ciphertext: its first message under the new epoch.",
        ),
        (
            "ratchet-new-key",
            38,
            2,
            "b",
            "a",
            "Roles of the agreement are swapped: the responder sends its key.",
        ),
        (
            "ratchet-second-encapsulation",
            38,
            3,
            "a",
            "b",
            "The initiator encapsulates for epoch 2.",
        ),
    ];
    for (id, slots, messages, from, to, about) in cases {
        b.case(
            id,
            "M-DR-01 M-DR-03 M-SP-01 M-SP-02 M-SP-03 M-MS-03 M-SC-01 M-SC-02",
            about,
            |s| {
                sessions(s, slots, messages)?;
                message(s, from, to)
            },
        )?;
    }
    b.finish()
}
