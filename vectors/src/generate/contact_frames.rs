//! Scripts: frames that a contact cannot read, and a session that it has already.

use serde_json::json;

use super::builder::Scene;
use super::contact_people::{devices, expect, expect_events, first, last, talking};
use super::people::{DAY, INITIATE_DRAWS, NOW};
use crate::format::{Event, Outcome};

/// Bob crafts frames in a session that Alice knows.
pub(super) fn unreadable(s: &mut Scene<'_>) -> Outcome<()> {
    talking(s, 1)?;
    let rank = s
        .contact_anatomy("b")?
        .sessions
        .first()
        .ok_or("no session")?
        .0;
    let of = |kind: u8, rank: u64| [&[kind][..], &rank.to_be_bytes()].concat();
    let frames = [
        ("nothing", vec![], false),
        ("kind 3", vec![3], false),
        ("half a rank", vec![1, 0, 0, 0], false),
        ("half a rank", vec![2, 0, 0, 0], false),
        (
            "a Reset with a payload",
            [of(2, rank), vec![0]].concat(),
            false,
        ),
        ("an Opening of a higher rank", of(1, rank + 1), false),
        ("a Reset of a lower rank", of(2, rank - 1), false),
        ("an Opening from the responder", of(1, rank), true),
    ];
    for (place, (about, frame, read)) in (1..).zip(frames) {
        let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
        let anatomy = s.contact_anatomy("b")?;
        let sending = anatomy.sending().ok_or("no session")?;
        let message = sending.craft(nonce, |m| {
            m.n += place;
            m.pq_n += place;
            m.padded = [&frame[..], &[0x80]].concat();
        })?;
        let answer = s.contact_receive("a", &hex::encode(&message))?;
        s.note(about);
        expect_events(&answer, if read { &[] } else { &["Unreadable"] })?;
        s.contact_bounce(Event::Duplicate, "a", &hex::encode(&message), "Duplicate")?;
    }
    s.contact_pass("b", "a", "here I am")
}

/// Alice uses no contacts, or claims the far future.
pub(super) fn first_frame(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = devices(s)?;
    let far = NOW + 28 * DAY;
    let opening = |rank: u64| format!("01{rank:016x}");
    let frames = [
        ("Data", "00".to_owned(), "PrekeyUsed"),
        ("no frame", "7f".into(), "PrekeyUsed"),
        (
            "a rank that is a second too far",
            opening(far + 1),
            "Duplicate",
        ),
    ];
    for ((about, frame, again), bundle) in frames.into_iter().zip(&bundles.bob) {
        s.event(Event::Send);
        let inputs = json!({
            "account": "alice", "session": "s", "bundle": bundle, "slots": 1, "now": NOW, "plaintext": frame, "padding": "none",
        });
        let message = s
            .draw("initiate", inputs, &INITIATE_DRAWS)?
            .text("message")?;
        expect_events(&s.contact_accept("b", &message, NOW)?, &["Unreadable"])?;
        s.note(about);
        let inputs = json!({ "account": "bob", "contact": "b", "message": message, "now": NOW });
        s.refuse("contact_accept", inputs, again)?;
    }
    let facts = s.ask("contact_facts", json!({ "contact": "b" }))?;
    expect(&facts, "sessions", &json!([]))?;
    s.event(Event::Send);
    let inputs = json!({
        "account": "alice", "session": "s", "bundle": last(&bundles.bob)?, "slots": 1, "now": NOW, "plaintext": opening(far),
        "padding": "none",
    });
    let message = s
        .draw("initiate", inputs, &INITIATE_DRAWS)?
        .text("message")?;
    expect_events(&s.contact_accept("b", &message, NOW)?, &["NewSession"])?;
    s.note("the last rank that is near enough");
    Ok(())
}

/// Bob accepts a session, answers in it, and loses what his account had learned; twice.
pub(super) fn held(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = devices(s)?;
    let opening = |rank: u64, text: &str| format!("01{rank:016x}{}", hex::encode(text));
    s.event(Event::Send);
    let inputs = json!({
        "account": "alice", "session": "s", "bundle": first(&bundles.bob)?, "slots": 1, "now": NOW, "padding": "none",
        "plaintext": opening(NOW, "one"),
    });
    let one = s
        .draw("initiate", inputs, &INITIATE_DRAWS)?
        .text("message")?;
    let draws = s.encrypt_draws("s")?;
    s.event(Event::Send);
    let inputs = json!({ "session": "s", "plaintext": opening(NOW + 1, "two"), "padding": "none" });
    let two = s.draw("encrypt", inputs, &draws)?.text("message")?;
    s.note("two messages of one session that name two ranks");
    let request = json!({ "op": "state", "account": "bob" });
    let account = s.aside(request)?.text("state")?;
    expect_events(&s.contact_accept("b", &one, NOW)?, &["NewSession"])?;
    let answer = s.contact_send("b", "first answer")?;
    for (message, events, text) in [
        (&one, "NewSession", json!(hex::encode("one"))),
        (&two, "Unreadable", json!(null)),
    ] {
        s.event(Event::Rollback);
        s.ask("load", json!({ "account": "bob", "state": account }))?;
        let accepted = s.contact_accept("b", message, NOW)?;
        expect_events(&accepted, &[events])?;
        expect(&accepted, "plaintext", &text)?;
        s.ask("contact_facts", json!({ "contact": "b" }))?;
    }
    let next = s.contact_send("b", "second answer")?;
    s.note("of the session that was there: a new one would send number 0 again");
    for (message, text) in [(next, "second answer"), (answer, "first answer")] {
        let data = format!("00{}", hex::encode(text));
        expect(&s.deliver("s", &message)?, "plaintext", &json!(data))?;
    }
    Ok(())
}
