//! Section 4: the key schedule with every intermediate value, and everything a responder refuses.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::bundle::alice_and_bob;
use super::people::{DAY, INITIATE_DRAWS, NOW};
use super::schedule::{derive, seeds};
use crate::anatomy::SessionAnatomy;
use crate::format::{Event, Layer, Outcome, VectorFile};

/// Where the fields of a FirstFlight with a one-time prekey begin.
mod at {
    pub const SIGNED_ID: usize = 2;
    pub const OPTION: usize = 6;
    pub const ONETIME_ID: usize = 7;
    pub const SLOTS: usize = 11;
    pub const EPHEMERAL: usize = 12;
    pub const CIPHERTEXT: usize = 44;
    pub const SEALED: usize = 1612;
}

fn schedule(s: &mut Scene<'_>, onetime: bool) -> Outcome<()> {
    let published = alice_and_bob(s)?;
    let bundle = s.bundle("bob", &published, onetime.then_some(1))?;
    let draws = s.draws(&INITIATE_DRAWS);
    let seeds = seeds(s, "alice")?;
    let derived = derive(
        s,
        &bundle,
        &draws,
        (&seeds, &hex::encode("alice@example.org")),
        onetime,
        "",
    )?;
    let keys = &derived.keys;
    s.ask(
        "pq_start",
        json!({ "sk_pq": keys.text("sk_pq")?, "th": keys.text("th")? }),
    )?;
    let inputs = json!({
        "account": "alice", "session": "a", "bundle": bundle, "slots": 4, "now": NOW,
        "plaintext": hex::encode("hello"), "padding": "none",
    });
    let message = s
        .step("initiate", inputs, Some(draws), None)?
        .text("message")?;
    if !message.starts_with(&derived.flight) {
        return Err("the library makes another flight than the schedule".into());
    }
    s.accept("bob", "b", &message)?;
    for name in ["a", "b"] {
        let state = s.ask("state", json!({ "session": name }))?.text("state")?;
        let anatomy = SessionAnatomy::read(&hex::decode(state)?)?;
        let have = [anatomy.session_id, anatomy.th, anatomy.exporter_secret].map(hex::encode);
        if have
            != [
                keys.text("session_id")?,
                keys.text("th")?,
                keys.text("exporter_secret")?,
            ]
        {
            return Err("the library derives other keys than the schedule".into());
        }
    }
    Ok(())
}

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "The handshake: every intermediate value of its key schedule, and the order of a responder's checks (4).",
    );
    b.case("handshake-schedule-onetime", "M-HS-01 M-HS-02 M-HS-11 M-PR-04", "Every value of 4.2 with a one-time prekey; the message of `initiate` begins with the flight they make.", |s| schedule(s, true))?;
    b.case(
        "handshake-schedule-last-resort",
        "M-HS-01 M-HS-02 M-HS-11",
        "Every value of 4.2 without a one-time prekey.",
        |s| schedule(s, false),
    )?;
    b.case(
        "handshake-malformed",
        "M-HS-04 M-EN-01 M-EN-02 M-EN-03 M-PR-01",
        "Initial messages that do not decode.",
        malformed,
    )?;
    b.case(
        "handshake-small-order",
        "M-HS-01 M-PR-02",
        "EK is of small order: the outputs would be zero.",
        |s| {
            let first = first_message(s)?;
            let zero = s.splice(
                "first: EK = 0",
                ("first", &first),
                at::EPHEMERAL,
                32,
                &"00".repeat(32),
            )?;
            refuse_accept(s, &zero, NOW, "Malformed")
        },
    )?;
    b.case("handshake-prekeys", "M-HS-05 M-PK-09 M-PK-01", "Ids that are not there: another publication's, one before and after the range; then the deadline; then a prekey used twice.", prekeys)?;
    b.case(
        "handshake-transcript",
        "M-HS-02 M-HS-06 M-ER-01",
        "Any change of the first flight that still decodes.",
        transcript,
    )?;
    b.case(
        "handshake-own-identity",
        "M-HS-07",
        "The sealed identity is the responder's own.",
        |s| {
            let published = alice_and_bob(s)?;
            let bundle = s.bundle("bob", &published, Some(0))?;
            let draws = s.draws(&INITIATE_DRAWS);
            let seeds = seeds(s, "bob")?;
            let derived = derive(
                s,
                &bundle,
                &draws,
                (&seeds, &hex::encode("alice@example.org")),
                true,
                "",
            )?;
            let message = format!("{}{}", derived.flight, "00".repeat(226));
            refuse_accept(s, &message, NOW, "OwnIdentity")
        },
    )?;
    b.case(
        "handshake-signature",
        "M-HS-08 M-ID-02",
        "The sealed signature is over something else.",
        |s| {
            let published = alice_and_bob(s)?;
            let bundle = s.bundle("bob", &published, Some(0))?;
            let draws = s.draws(&INITIATE_DRAWS);
            let seeds = seeds(s, "alice")?;
            let derived = derive(
                s,
                &bundle,
                &draws,
                (&seeds, &hex::encode("alice@example.org")),
                true,
                "00",
            )?;
            let message = format!("{}{}", derived.flight, "00".repeat(226));
            refuse_accept(s, &message, NOW, "Authentication")
        },
    )?;
    b.case("handshake-replay", "M-HS-09 M-HS-11", "A first flight with the last resort is taken once, also after a restart; another handshake with it is taken.", |s| {
        let published = alice_and_bob(s)?;
        let bundle = s.bundle("bob", &published, None)?;
        let first = s.initiate("alice", "a", &bundle, 4, "hello")?;
        s.accept("bob", "b", &first)?;
        refuse_accept(s, &first, NOW, "Duplicate")?;
            s.name("replayed", &first);
            // Without a one-time prekey the sealed identity begins four bytes earlier.
            let wrong = s.flip("replayed, another seal", ("replayed", &first), at::SEALED)?;
            refuse_accept(s, &wrong, NOW, "Authentication")?;
            s.note("th0 is known, and the seal comes first");
        let state = s.ask("state", json!({ "account": "bob" }))?.text("state")?;
        s.ask("load", json!({ "account": "bob", "state": state }))?;
        refuse_accept(s, &first, NOW, "Duplicate")?;
        let second = s.initiate("alice", "a2", &bundle, 4, "hello")?;
        s.accept("bob", "b2", &second).map(drop)
    })?;
    b.case("handshake-inner", "M-HS-10 M-HS-11", "The inner message does not open: nothing is used up, and the true one is accepted afterwards.", |s| {
        let first = first_message(s)?;
        let wrong = s.flip("first: body", ("first", &first), first.len() / 2 - 1)?;
        refuse_accept(s, &wrong, NOW, "Authentication")?;
        let header = first.len() / 2 - 200;
        let wrong = s.flip("first: header", ("first", &first), header)?;
        refuse_accept(s, &wrong, NOW, "Authentication")?;
        let short = s.splice("first: message too short", ("first", &first), first.len() / 2 - 6, 6, "")?;
        refuse_accept(s, &short, NOW, "Malformed")?;
        s.accept("bob", "b", &first).map(drop)
    })?;
    b.finish()
}

/// Alice, Bob, and Alice's first message with a one-time prekey.
fn first_message(s: &mut Scene<'_>) -> Outcome<String> {
    let published = alice_and_bob(s)?;
    let bundle = s.bundle("bob", &published, Some(1))?;
    let first = s.initiate("alice", "a", &bundle, 4, "hello")?;
    Ok(s.name("first", &first))
}

fn refuse_accept(s: &mut Scene<'_>, message: &str, now: u64, error: &str) -> Outcome<()> {
    s.refuse(
        "accept",
        json!({ "account": "bob", "session": "refused", "message": message, "now": now }),
        error,
    )
}

fn malformed(s: &mut Scene<'_>) -> Outcome<()> {
    let first = first_message(s)?;
    let sealed = 5392;
    let wrongs: [(&str, &str, usize, usize, &str); 11] = [
        ("Version", "version 0", 0, 1, "00"),
        ("Version", "version 2", 0, 1, "02"),
        ("Malformed", "type 2", 1, 1, "02"),
        ("Malformed", "type 3", 1, 1, "03"),
        (
            "Malformed",
            "an option that is neither there nor not",
            at::OPTION,
            1,
            "02",
        ),
        ("Malformed", "no slots", at::SLOTS, 1, "00"),
        ("Malformed", "39 slots", at::SLOTS, 1, "27"),
        ("Malformed", "EK with bit 255", at::EPHEMERAL + 31, 1, "ff"),
        (
            "Malformed",
            "EK is p",
            at::EPHEMERAL,
            32,
            &format!("ed{}7f", "ff".repeat(30)),
        ),
        (
            "Malformed",
            "sealed is longer than what follows",
            at::SEALED,
            2,
            "ffff",
        ),
        (
            "Malformed",
            "nothing after the prekeys",
            at::SLOTS,
            first.len() / 2 - at::SLOTS,
            "",
        ),
    ];
    for (error, about, offset, remove, insert) in wrongs {
        let wrong = s.splice(
            &format!("first: {about}"),
            ("first", &first),
            offset,
            remove,
            insert,
        )?;
        refuse_accept(s, &wrong, NOW, error)?;
        s.note(about);
    }
    let alone = at::SEALED + 2 + sealed;
    let flight_only = s.splice(
        "first: no message",
        ("first", &first),
        alone,
        first.len() / 2 - alone,
        "",
    )?;
    refuse_accept(s, &flight_only, NOW, "Malformed")?;
    refuse_accept(s, "", NOW, "Malformed")
}

fn prekeys(s: &mut Scene<'_>) -> Outcome<()> {
    let first = first_message(s)?;
    s.publish("bob", 1, NOW)?;
    let wrongs = [
        ("signed prekey 0", at::SIGNED_ID, "00000000"),
        (
            "signed prekey 2, which is a one-time prekey",
            at::SIGNED_ID,
            "00000002",
        ),
        (
            "one-time prekey 5, which is the next publication's",
            at::ONETIME_ID,
            "00000005",
        ),
        (
            "one-time prekey 1, which is the signed one",
            at::ONETIME_ID,
            "00000001",
        ),
        (
            "the next publication's signed prekey with a one-time prekey of the first",
            at::SIGNED_ID,
            "00000005",
        ),
    ];
    for (about, offset, insert) in wrongs {
        let wrong = s.splice(
            &format!("first: {about}"),
            ("first", &first),
            offset,
            4,
            insert,
        )?;
        refuse_accept(s, &wrong, NOW, "UnknownPrekey")?;
        s.note(about);
    }
    refuse_accept(s, &first, NOW + 35 * DAY, "UnknownPrekey")?;
    s.note("at the deadline");
    let inputs =
        json!({ "account": "bob", "session": "b", "message": first, "now": NOW + 35 * DAY - 1 });
    s.event(Event::Deliver).ask("accept", inputs)?;
    s.note("one second before the deadline");
    refuse_accept(s, &first, NOW, "PrekeyUsed")
}

fn transcript(s: &mut Scene<'_>) -> Outcome<()> {
    let first = first_message(s)?;
    let key = s
        .aside(json!({ "op": "x25519_public", "secret": "42".repeat(32) }))?
        .text("public")?;
    let wrongs: [(&str, usize, usize, &str); 7] = [
        ("slots 5", at::SLOTS, 1, "05"),
        ("another one-time prekey", at::ONETIME_ID, 4, "00000002"),
        ("no one-time prekey", at::OPTION, 5, "00"),
        ("another EK", at::EPHEMERAL, 32, &key),
        ("another ciphertext", at::CIPHERTEXT, 2, "5a5a"),
        ("another sealed identity", at::SEALED + 2, 2, "5a5a"),
        ("sealed is empty", at::SEALED, 2 + 5392, "0000"),
    ];
    for (about, offset, remove, insert) in wrongs {
        let wrong = s.splice(
            &format!("first: {about}"),
            ("first", &first),
            offset,
            remove,
            insert,
        )?;
        refuse_accept(s, &wrong, NOW, "Authentication")?;
        s.note(about);
    }
    s.accept("bob", "b", &first).map(drop)
}
