//! Section 6: every transition of the agreement, with the keys in it and the state before and after.

use serde_json::{Value, json};

use super::builder::{Answer, Builder, Scene};
use crate::format::{Layer, Outcome, VectorFile};

const SESSION_ID: &str = "5e5510115e5510115e5510115e5510115e5510115e5510115e5510115e551011";

fn start(s: &mut Scene<'_>) -> Outcome<[String; 2]> {
    let (root, mac) = (s.fresh(32), s.fresh(32));
    let mut start = |role| {
        s.ask(
            "scka_start",
            json!({ "role": role, "auth_root": root, "auth_mac": mac }),
        )?
        .text("state")
    };
    Ok([start(0)?, start(1)?])
}

fn send(s: &mut Scene<'_>, state: &str, slots: u8) -> Outcome<Answer> {
    let draws: &[(&str, usize)] = match state.get(136..138) {
        Some("00") => &[("KEM seed", 64)],
        Some("04") => &[("fresh encapsulation input", 32)],
        _ => &[],
    };
    s.draw(
        "scka_send",
        json!({ "state": state, "session_id": SESSION_ID, "slots": slots }),
        draws,
    )
}

/// A received part: what was sent, with changes.
fn part(state: &str, sent: &Answer, change: Value) -> Outcome<Value> {
    let mut inputs = json!({
        "state": state, "session_id": SESSION_ID, "epoch": sent.get("epoch")?, "kind": sent.get("kind")?,
        "index": sent.get("index")?, "codewords": sent.get("codewords")?,
    });
    if let (Value::Object(inputs), Value::Object(change)) = (&mut inputs, change) {
        inputs.extend(change);
    }
    Ok(inputs)
}

fn receive(s: &mut Scene<'_>, state: &str, sent: &Answer) -> Outcome<String> {
    s.ask("scka_receive", part(state, sent, json!({}))?)?
        .text("state")
}

/// A part that has no effect.
fn ignore(
    s: &mut Scene<'_>,
    state: &str,
    sent: &Answer,
    change: Value,
    about: &str,
) -> Outcome<()> {
    let answer = s.ask("scka_receive", part(state, sent, change)?)?;
    s.note(about);
    if answer.text("state")? == state {
        Ok(())
    } else {
        Err(format!("{about}: it had an effect").into())
    }
}

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "The key agreement: every transition of 6.4 and 6.5 with the state before and after, and the keys of 6.3.",
    );
    b.case("scka-epochs", "M-SC-01 M-SC-02 M-SP-01 M-EC-01", "Two epochs with 38 codewords a message: every transition that moves on, with the keys of each encapsulation.", |s| {
        let [mut owner, mut other] = start(s)?;
        for _ in 0..2 {
            let key = send(s, &owner, 38)?;
            owner = key.text("state")?;
            other = receive(s, &other, &key)?;
            let (root, mac) = (other.get(8..72).ok_or("state")?, other.get(72..136).ok_or("state")?);
            let ek = other.get(138..).ok_or("state")?;
            let fresh = s.fresh(32);
            let keys = s.ask("scka_keys", json!({
                "epoch": key.get("epoch")?, "auth_root": root, "auth_mac": mac, "session_id": SESSION_ID, "ek": ek, "fresh": fresh,
            }))?;
            let draws = vec![crate::format::Draw { name: "fresh encapsulation input".into(), bytes: fresh }];
            let inputs = json!({ "state": other, "session_id": SESSION_ID, "slots": 38 });
            let answer = s.step("scka_send", inputs, Some(draws), None)?;
            if answer.get("epoch_key")?.get("key") != Some(keys.get("epoch_key")?) {
                return Err("the library derives another epoch key than the formulas".into());
            }
            other = answer.text("state")?;
            owner = receive(s, &owner, &answer)?;
            let none = send(s, &owner, 38)?;
            owner = none.text("state")?;
            other = receive(s, &other, &none)?;
            std::mem::swap(&mut owner, &mut other);
        }
        Ok(())
    })?;
    b.case(
        "scka-chunks",
        "M-EC-01 M-MS-03",
        "Twenty codewords a message, one message lost: collecting in AwaitingKey and ReceivingCt.",
        |s| {
            let [mut owner, mut other] = start(s)?;
            for lost in [true, false, false] {
                let key = send(s, &owner, 20)?;
                owner = key.text("state")?;
                if !lost {
                    other = receive(s, &other, &key)?;
                    if other.get(136..138) == Some("03") {
                        ignore(s, &other, &key, json!({}), "the same codewords again")?;
                    }
                }
            }
            let none = send(s, &owner, 20)?;
            ignore(s, &other, &none, json!({}), "KeyHeld: more of the key")?;
            for _ in 0..2 {
                let ct = send(s, &other, 20)?;
                other = ct.text("state")?;
                owner = receive(s, &owner, &ct)?;
            }
            let done = send(s, &owner, 20)?;
            receive(s, &other, &done).map(drop)
        },
    )?;
    b.case(
        "scka-no-effect",
        "",
        "Rows 'any' of the table: parts that leave every state as it is.",
        no_effect,
    )?;
    b.case(
        "scka-next-epoch-first",
        "",
        "SendingCt goes on with any part of the next epoch, of which nothing else is taken.",
        |s| {
            let [owner, other] = start(s)?;
            let key = send(s, &owner, 38)?;
            let held = receive(s, &other, &key)?;
            let ct = send(s, &held, 38)?;
            for kind in [0, 1, 2] {
                s.ask(
                    "scka_receive",
                    part(
                        &ct.text("state")?,
                        &key,
                        json!({ "epoch": 2, "kind": kind, "index": 0 }),
                    )?,
                )?;
            }
            Ok(())
        },
    )?;
    b.case(
        "scka-key-mac",
        "M-RX-08 M-SC-03",
        "A key object whose MAC or content is wrong.",
        |s| {
            let [owner, other] = start(s)?;
            let key = send(s, &owner, 38)?;
            let codewords = key.text("codewords")?;
            s.name("key object", &codewords);
            for (name, at) in [
                ("content", 0),
                ("first byte of the MAC", 1184),
                ("last byte of the MAC", 1215),
            ] {
                let wrong = s.flip(
                    &format!("key object: {name}"),
                    ("key object", &codewords),
                    at,
                )?;
                s.refuse(
                    "scka_receive",
                    part(&other, &key, json!({ "codewords": wrong }))?,
                    "AgreementFailed",
                )?;
            }
            Ok(())
        },
    )?;
    b.case(
        "scka-key-modulus",
        "M-PR-03 M-RX-08",
        "A key with a true MAC and a coefficient that is q.",
        |s| {
            let [owner, other] = start(s)?;
            let key = send(s, &owner, 38)?;
            let codewords = key.text("codewords")?;
            let ek = codewords.get(..2 * 1184).ok_or("object")?;
            let ek = format!(
                "01{}d{}",
                ek.get(2..3).ok_or("ek")?,
                ek.get(4..).ok_or("ek")?
            );
            let mac = other.get(72..136).ok_or("state")?;
            let inputs =
                json!({ "name": "mac key", "length": 32, "key": mac, "inputs": ["00000001", ek] });
            let object = format!("{ek}{}", s.ask("prf", inputs)?.text("out")?);
            s.refuse(
                "scka_receive",
                part(&other, &key, json!({ "codewords": object }))?,
                "AgreementFailed",
            )
        },
    )?;
    b.case("scka-ciphertext-mac", "M-RX-08 M-SC-02 M-SC-03 M-PR-04", "A ciphertext object whose content or MAC is wrong; the true one is still good for the same state.", |s| {
        let [owner, other] = start(s)?;
        let key = send(s, &owner, 38)?;
        let held = receive(s, &other, &key)?;
        let ct = send(s, &held, 38)?;
        let codewords = ct.text("codewords")?;
        s.name("ciphertext object", &codewords);
        let owner = key.text("state")?;
        for (name, at) in [("content", 0), ("first byte of the MAC", 1088), ("last byte of the MAC", 1119)] {
            let wrong = s.flip(&format!("ciphertext object: {name}"), ("ciphertext object", &codewords), at)?;
            s.refuse("scka_receive", part(&owner, &ct, json!({ "codewords": wrong }))?, "AgreementFailed")?;
        }
        receive(s, &owner, &ct).map(drop)
    })?;
    b.case(
        "scka-state-refused",
        "M-EN-01 M-ST-01 M-PR-03",
        "States that do not decode.",
        |s| {
            let [owner, other] = start(s)?;
            let key = send(s, &owner, 38)?;
            let held = receive(s, &other, &key)?;
            s.name("scka idle", &owner);
            s.name("scka held", &held);
            let high = held.get(140..141).ok_or("state")?.to_owned();
            let wrongs: [(&str, &str, &str, usize, usize, &str); 7] = [
                ("epoch 0", "scka idle", &owner, 0, 4, "00000000"),
                ("epoch 2^31", "scka idle", &owner, 0, 4, "80000000"),
                ("an unknown state", "scka idle", &owner, 68, 1, "06"),
                ("a byte too much", "scka idle", &owner, 69, 0, "00"),
                ("a byte too few", "scka idle", &owner, 68, 1, ""),
                (
                    "a key with a coefficient q",
                    "scka held",
                    &held,
                    69,
                    2,
                    &format!("01{high}d"),
                ),
                (
                    "38 codewords held",
                    "scka idle",
                    &owner,
                    68,
                    1,
                    &held_codewords(38),
                ),
            ];
            for (about, name, bytes, at, remove, insert) in wrongs {
                let wrong =
                    s.splice(&format!("scka: {about}"), (name, bytes), at, remove, insert)?;
                s.refuse("scka_receive", part(&wrong, &key, json!({}))?, "Malformed")?;
                s.note(about);
            }
            let twice = format!("0302{}", format!("0005{}", "00".repeat(32)).repeat(2));
            let wrong = s.splice("scka: an index twice", ("scka idle", &owner), 68, 1, &twice)?;
            s.refuse("scka_receive", part(&wrong, &key, json!({}))?, "Malformed")
        },
    )?;
    b.finish()
}

/// State AwaitingKey with this many codewords.
fn held_codewords(count: u8) -> String {
    let held = (0..count).map(|index| format!("00{index:02x}{}", "00".repeat(32)));
    format!("03{count:02x}{}", held.collect::<String>())
}

fn no_effect(s: &mut Scene<'_>) -> Outcome<()> {
    let [idle, awaiting] = start(s)?;
    let key = send(s, &idle, 38)?;
    let sending_key = key.text("state")?;
    let held = receive(s, &awaiting, &key)?;
    let ct = send(s, &held, 38)?;
    let sending_ct = ct.text("state")?;
    let half = json!({ "codewords": ct.text("codewords")?.get(..64 * 10).ok_or("object")? });
    let receiving = s
        .ask("scka_receive", part(&sending_key, &ct, half)?)?
        .text("state")?;
    let states = [
        ("Idle", &idle, vec![0, 1, 2]),
        ("SendingKey", &sending_key, vec![0, 1]),
        ("ReceivingCt", &receiving, vec![0, 1]),
        ("AwaitingKey", &awaiting, vec![0, 2]),
        ("KeyHeld", &held, vec![0, 1, 2]),
        ("SendingCt", &sending_ct, vec![0, 1, 2]),
    ];
    for (name, state, kinds) in states {
        for kind in kinds {
            let codewords = if kind == 0 {
                "00".repeat(32)
            } else {
                "11".repeat(32)
            };
            let change = json!({ "kind": kind, "index": 0, "codewords": codewords });
            ignore(
                s,
                state,
                &key,
                change,
                &format!("{name}: its own epoch, kind {kind}"),
            )?;
        }
        let later = if name == "SendingCt" { 3 } else { 2 };
        let change = json!({ "epoch": later, "kind": 1, "codewords": "11".repeat(32) });
        ignore(s, state, &key, change, &format!("{name}: a later epoch"))?;
    }
    Ok(())
}
