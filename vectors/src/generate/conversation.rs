//! Scripts: whole conversations in order.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::bundle::alice_and_bob;
use super::people::NOW;
use super::ratchet::sessions;
use crate::format::{Event, Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Scripts,
        "Conversations: from two new devices to messages in both directions, with restarts and exported secrets.",
    );
    b.case(
        "conversation-onetime",
        "M-HS-03 M-HS-11 M-ID-03 M-DR-01 M-MS-01",
        "A one-time prekey; the flight is repeated until Alice has an answer, and not afterwards.",
        |s| conversation(s, Some(0), 4),
    )?;
    b.case(
        "conversation-last-resort",
        "M-HS-03 M-HS-09 M-HS-11 M-ID-03",
        "The same with the last resort and one codeword a message.",
        |s| conversation(s, None, 1),
    )?;
    b.case(
        "conversation-immediate",
        "M-SP-01 M-SP-02 M-SP-03 M-MS-03 M-SC-02",
        "38 codewords a message: twelve messages by turns, an epoch in every third.",
        |s| {
            sessions(s, 38, 0)?;
            for i in 0..6 {
                s.pass("b", "a", &format!("from bob {i}"))?;
                s.pass("a", "b", &format!("from alice {i}"))?;
            }
            for name in ["a", "b"] {
                let epoch = s
                    .ask("facts", json!({ "session": name }))?
                    .get("epoch")?
                    .as_u64()
                    .unwrap_or_default();
                if epoch < 3 {
                    return Err("the agreement does not turn".into());
                }
            }
            Ok(())
        },
    )?;
    b.case(
        "conversation-one-sided",
        "M-DR-01 M-SP-02",
        "Bob talks, Alice answers once.",
        |s| {
            sessions(s, 4, 0)?;
            for i in 0..12 {
                s.pass("b", "a", &i.to_string())?;
            }
            s.pass("a", "b", "well")?;
            s.pass("b", "a", "so")
        },
    )?;
    b.case(
        "conversation-restart",
        "M-ST-01 M-ST-02 M-MS-01",
        "Both sides restart after every message.",
        |s| {
            sessions(s, 4, 0)?;
            for (from, to) in [("b", "a"), ("a", "b"), ("a", "b"), ("b", "a")] {
                s.pass(from, to, "hello")?;
                s.restart(from)?;
                s.restart(to)?;
            }
            Ok(())
        },
    )?;
    b.case("conversation-exporter", "", "Exported secrets: the same on both sides, another for another label, context or length; the limits.", |s| {
        sessions(s, 4, 1)?;
        for (label, context, length) in [("", "", 1), ("6c6162656c", "", 32), ("6c6162656c", "63", 32), ("", "6c6162656c", 32), ("6c", "6162656c", 33)] {
            for name in ["a", "b"] {
                s.ask("export_secret", json!({ "session": name, "label": label, "context": context, "length": length }))?;
            }
        }
        for length in [0, 8161] {
            s.refuse("export_secret", json!({ "session": "a", "label": "", "context": "", "length": length }), "Limit")?;
        }
        Ok(())
    })?;
    b.case(
        "conversation-associated-data",
        "M-RX-06 M-ER-01",
        "Associated data must be the same on both sides.",
        |s| {
            sessions(s, 4, 1)?;
            let draws = s.encrypt_draws("a")?;
            s.event(Event::Send);
            let message = s
                .draw(
                    "encrypt",
                    json!({ "session": "a", "plaintext": "00", "ad": "0102" }),
                    &draws,
                )?
                .text("message")?;
            s.event(Event::Deliver);
            for ad in ["", "01", "0103", "010200"] {
                s.refuse(
                    "decrypt",
                    json!({ "session": "b", "message": message, "ad": ad }),
                    "Authentication",
                )?;
            }
            s.ask(
                "decrypt",
                json!({ "session": "b", "message": message, "ad": "0102" }),
            )
            .map(drop)
        },
    )?;
    b.finish()
}

fn conversation(s: &mut Scene<'_>, index: Option<usize>, slots: u8) -> Outcome<()> {
    let published = alice_and_bob(s)?;
    let bundle = s.bundle("bob", &published, index)?;
    s.event(Event::Send);
    let first = s.initiate("alice", "a", &bundle, slots, "hello")?;
    let flight = first.get(..2 * 6900).ok_or("short")?.to_owned();
    let second = s.send("a", "are you there?")?;
    if !second.starts_with(&flight) {
        return Err("the flight is not repeated".into());
    }
    s.event(Event::Deliver);
    let peer = s.accept("bob", "b", &first)?;
    if peer.text("peer_subject")? != hex::encode("alice@example.org") {
        return Err("another peer".into());
    }
    s.deliver("b", &second)?;
    s.bounce(Event::Duplicate, "b", &first, "Duplicate")?;
    let again = if index.is_some() {
        "PrekeyUsed"
    } else {
        "Duplicate"
    };
    s.event(Event::Duplicate);
    s.refuse(
        "accept",
        json!({ "account": "bob", "session": "b2", "message": first, "now": NOW }),
        again,
    )?;
    let late = s.send("a", "late")?;
    s.pass("b", "a", "hi")?;
    let short = s.send("a", "good")?;
    if short.starts_with("0101") {
        return Err("the flight goes on".into());
    }
    s.deliver("b", &short)?;
    s.event(Event::Reorder);
    s.ask("decrypt", json!({ "session": "b", "message": late }))?;
    for i in 0..4 {
        s.pass("b", "a", &format!("b{i}"))?;
        s.pass("a", "b", &format!("a{i}"))?;
    }
    for name in ["a", "b"] {
        s.ask("facts", json!({ "session": name }))?;
    }
    Ok(())
}
