//! Section 8.2 and 8.3: states that break one rule of decoding each.

use serde_json::{Value, json};

use super::builder::Scene;
use super::people::NOW;
use super::ratchet::sessions;
use crate::format::{Event, Outcome};

fn refuse_load(
    s: &mut Scene<'_>,
    kind: &str,
    state: &str,
    error: &str,
    about: &str,
) -> Outcome<()> {
    let inputs = Value::Object(
        [
            (kind.to_owned(), json!("a")),
            ("state".into(), json!(state)),
        ]
        .into_iter()
        .collect(),
    );
    s.refuse("load", inputs, error)
        .map_err(|reason| format!("{about}: {reason}"))?;
    s.note(about);
    Ok(())
}

/// Refuses a named state once for each rule: error, rule, offset, bytes removed, bytes put in.
type Rule<'a> = (&'a str, &'a str, usize, usize, String);

fn refuse_all(
    s: &mut Scene<'_>,
    kind: &str,
    of: (&str, &str),
    rules: Vec<Rule<'_>>,
) -> Outcome<()> {
    for (error, about, at, remove, insert) in rules {
        let wrong = s.splice(&format!("{}: {about}", of.0), of, at, remove, &insert)?;
        refuse_load(s, kind, &wrong, error, about)?;
    }
    Ok(())
}

/// Offsets in the state of session a after 2 messages: the subject is `bob`, turn Sending, no retired chain.
pub(super) fn session(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 1, 2)?;
    s.event(Event::Setup);
    let state = s.state_of("a")?;
    let part = |from: usize, length: usize| {
        state
            .get(2 * from..2 * (from + length))
            .unwrap_or_default()
            .to_owned()
    };
    let not_canonical = format!("ed{}7f", "ff".repeat(30));
    let text = |insert: &str| insert.to_owned();
    let empty_chain = format!("00000000{}00000000000000000000", "00".repeat(32));
    let rules: Vec<Rule<'_>> = vec![
        ("Version", "version 0", 0, 1, text("00")),
        ("Version", "version 2", 0, 1, text("02")),
        ("Malformed", "kind 2", 1, 1, text("02")),
        ("Malformed", "role 2", 10, 1, text("02")),
        (
            "Malformed",
            "a responder without a first flight",
            10,
            1,
            text("01"),
        ),
        ("Malformed", "no slots", 11, 1, text("00")),
        ("Malformed", "39 slots", 11, 1, text("27")),
        ("Malformed", "status 2", 12, 1, text("02")),
        ("Malformed", "own_id = peer_id", 13, 32, part(45, 32)),
        ("Malformed", "used_onetime 2", 177, 1, text("02")),
        ("Malformed", "opening 3", 182, 1, text("03")),
        (
            "Malformed",
            "an unanswered flight that is empty",
            182,
            1,
            text("010000"),
        ),
        (
            "Malformed",
            "an initiator with the memory of a responder",
            182,
            1,
            format!("02{}", "09".repeat(64)),
        ),
        ("Malformed", "previous is 2^31", 279, 4, text("80000000")),
        ("Malformed", "turn 3", 283, 1, text("03")),
        (
            "Malformed",
            "ratchet public key not canonical",
            316,
            32,
            not_canonical.clone(),
        ),
        (
            "Malformed",
            "n of the sending chain is 2^31",
            412,
            4,
            text("80000000"),
        ),
        (
            "Malformed",
            "an option that is neither there nor not",
            416,
            1,
            text("02"),
        ),
        (
            "Malformed",
            "the peer's ratchet key not canonical",
            417,
            32,
            not_canonical,
        ),
        (
            "Malformed",
            "n of the receiving chain above 2^31",
            513,
            4,
            text("80000001"),
        ),
        ("Malformed", "floor above n", 517, 4, text("00000009")),
        (
            "Malformed",
            "nine retired chains",
            523,
            1,
            format!("09{}", "00".repeat(9 * 42)),
        ),
        (
            "Malformed",
            "more skipped keys than bytes",
            521,
            2,
            text("ffff"),
        ),
        (
            "Malformed",
            "epoch of the chains 1 while the agreement is at 1",
            556,
            4,
            text("00000001"),
        ),
        (
            "Malformed",
            "no sending chain for the next message",
            560,
            37,
            text("00"),
        ),
        (
            "Malformed",
            "n of the post-quantum sending chain is 2^31",
            593,
            4,
            text("80000000"),
        ),
        (
            "Malformed",
            "n of the post-quantum receiving chain above 2^31",
            629,
            4,
            text("80000001"),
        ),
        (
            "Malformed",
            "chains of an epoch before epoch 0",
            639,
            1,
            format!("01{empty_chain}"),
        ),
        (
            "Malformed",
            "the agreement is at epoch 2",
            640,
            4,
            text("00000002"),
        ),
        (
            "Malformed",
            "the agreement is at epoch 0",
            640,
            4,
            text("00000000"),
        ),
        (
            "Malformed",
            "a byte too few",
            state.len() / 2 - 1,
            1,
            text(""),
        ),
        (
            "Malformed",
            "a byte too much",
            state.len() / 2,
            0,
            text("00"),
        ),
    ];
    refuse_all(s, "session", ("session a, 1 slots, after 2", &state), rules)?;
    let retired = s.splice(
        "retired chain without a receiving chain",
        ("session a, 1 slots, after 2", &state),
        416,
        108,
        &format!("0001{}", "00".repeat(42)),
    )?;
    refuse_load(
        s,
        "session",
        &retired,
        "Malformed",
        "a retired chain without a receiving chain",
    )?;
    refuse_load(s, "session", "", "Malformed", "nothing")
}

pub(super) fn skipped(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 1, 2)?;
    s.event(Event::Setup);
    let state = s.state_of("a")?;
    let name = "session a, 1 slots, after 2";
    // The receiving chain gets n = 9, floor and keys; the rules are the same for every chain.
    let chain = |floor: u32, numbers: &[u32]| {
        let keys = numbers
            .iter()
            .map(|n| format!("{n:08x}0000{}", "55".repeat(32)))
            .collect::<String>();
        format!("00000009{floor:08x}{:04x}{keys}", numbers.len())
    };
    let many: Vec<u32> = (0..2001).collect();
    let good = s.splice(
        "skipped: good",
        (name, &state),
        513,
        10,
        &chain(2, &[2, 5, 8]),
    )?;
    s.ask("load", json!({ "session": "a", "state": good }))?;
    let mut rules: Vec<(&str, String)> = vec![
        ("a number twice", chain(0, &[5, 5])),
        ("descending", chain(0, &[5, 4])),
        ("below the floor", chain(3, &[2])),
        ("the chain's next number", chain(0, &[9])),
    ];
    let too_many = chain(0, &many).replacen("00000009", "00001000", 1);
    rules.push(("2001 keys", too_many));
    for (about, insert) in rules {
        let wrong = s.splice(
            &format!("skipped: {about}"),
            (name, &state),
            513,
            10,
            &insert,
        )?;
        refuse_load(s, "session", &wrong, "Malformed", about)?;
    }
    Ok(())
}

/// An account with one publication of one prekey: 318 bytes, then the list of what was seen.
pub(super) fn account(s: &mut Scene<'_>) -> Outcome<()> {
    let subject = hex::encode("bob");
    let seeds = [("Ed25519 seed", 32), ("ML-DSA seed", 32)];
    s.event(Event::Setup);
    s.draw(
        "account_generate",
        json!({ "account": "a", "subject": subject }),
        &seeds,
    )?;
    s.publish("a", 1, NOW)?;
    let state = s
        .aside(json!({ "op": "state", "account": "a" }))?
        .text("state")?;
    s.name("account", &state);
    let text = |insert: &str| insert.to_owned();
    let publication = 92;
    let part = |from: usize, length: usize| {
        state
            .get(2 * from..2 * (from + length))
            .unwrap_or_default()
            .to_owned()
    };
    let twice = format!("02{}{}", part(publication, 318), part(publication, 318));
    let entry = |byte: &str| format!("{}{:016x}", byte.repeat(32), 1);
    let rules: Vec<Rule<'_>> = vec![
        ("Version", "version 2", 0, 1, text("02")),
        ("Malformed", "kind 1", 1, 1, text("01")),
        ("Malformed", "an unknown signer", 10, 1, text("02")),
        (
            "Malformed",
            "next_id not above the ids in use",
            79,
            4,
            text("00000002"),
        ),
        ("Malformed", "count 0", publication + 16, 2, text("0000")),
        ("Malformed", "count 1025", publication + 16, 2, text("0401")),
        (
            "Malformed",
            "a one-time id that is the signed one",
            publication + 184,
            4,
            text("00000001"),
        ),
        (
            "Malformed",
            "a one-time id beyond the publication",
            publication + 184,
            4,
            text("00000003"),
        ),
        (
            "Malformed",
            "the same publication twice",
            publication - 1,
            319,
            twice,
        ),
        (
            "Malformed",
            "a replay memory that descends",
            publication + 316,
            2,
            format!("0002{}{}", "02".repeat(32), "01".repeat(32)),
        ),
        (
            "Malformed",
            "identities seen that do not ascend",
            publication + 318,
            4,
            format!("00000002{}{}", entry("01"), entry("01")),
        ),
        (
            "Malformed",
            "a list longer than the bytes",
            publication + 318,
            4,
            text("ffffffff"),
        ),
        (
            "Malformed",
            "a byte too much",
            state.len() / 2,
            0,
            text("00"),
        ),
        (
            "Malformed",
            "a byte too few",
            state.len() / 2 - 1,
            1,
            text(""),
        ),
    ];
    refuse_all(s, "account", ("account", &state), rules)
}
