//! Scripts: contacts that start sessions, at once and apart, and lose messages.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::contact_people::{FLIGHT, devices, expect, expect_events, first, last, talking};
use super::people::NOW;
use crate::format::{Event, Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Scripts,
        "Contacts: the frames of a conversation, sessions started at once that converge, lost, late and doubled messages.",
    );
    b.case(
        "contact-first-flight",
        "M-CT-01 M-CT-03 M-HS-03 M-ID-03",
        "Openings until the peer has answered, Data afterwards; a first flight finds its session again; a message twice is a Duplicate.",
        first_flight,
    )?;
    b.case(
        "contact-flight-stripped",
        "M-CT-01",
        "Whoever strips a first flight off, or puts it before a later message, changes nothing of what is read.",
        stripped,
    )?;
    b.case(
        "contact-at-once",
        "M-CT-03 M-CT-04",
        "Both start at the same second: equal ranks, and the lower session_id decides. What was sent on the other session is opened.",
        |s| at_once(s, NOW, NOW),
    )?;
    b.case(
        "contact-at-once-clocks",
        "M-CT-03 M-CT-04",
        "Both start at once and Bob's clock is 100 seconds ahead: the higher rank decides.",
        |s| at_once(s, NOW, NOW + 100),
    )?;
    b.case(
        "contact-at-once-lost",
        "M-CT-04",
        "Both start at once and Alice's first message is lost: Bob knows her session from her second, and both send on the same.",
        lost,
    )?;
    b.case(
        "contact-loss",
        "M-CT-03 M-CT-04 M-ER-01",
        "Two sessions in use, messages of both lost, late, doubled and corrupted, with restarts between.",
        loss,
    )?;
    b.finish()
}

fn first_flight(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = devices(s)?;
    s.contact_send_refused("a", "NoSession")?;
    let one = s.contact_start("a", first(&bundles.bob)?, 1, Some("one"), NOW)?;
    let two = s.contact_send("a", "two")?;
    s.contact_bounce(Event::Reorder, "b", &two, "NoSession")?;
    s.note("an InitialMessage of no session here is for accepting");
    let accepted = s.contact_accept("b", &two, NOW)?;
    expect_events(&accepted, &["NewSession"])?;
    expect(&accepted, "plaintext", &json!(hex::encode("two")))?;
    s.event(Event::Reorder);
    let late = s.ask("contact_receive", json!({ "contact": "b", "message": one }))?;
    expect(&late, "plaintext", &json!(hex::encode("one")))?;
    s.contact_bounce(Event::Duplicate, "b", &one, "Duplicate")?;
    s.contact_pass("b", "a", "three")?;
    let four = s.contact_send("a", "four")?;
    if four.starts_with("0101") {
        return Err("the flight goes on".into());
    }
    s.contact_receive("b", &four)?;
    s.contact_restart("a")?;
    s.contact_restart("b")?;
    s.event(Event::Maintain);
    s.ask("contact_maintain", json!({ "contact": "b", "now": NOW }))?;
    s.contact_pass("b", "a", "")?;
    s.converged()
}

fn stripped(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = devices(s)?;
    let one = s.contact_start("a", first(&bundles.bob)?, 1, Some("one"), NOW)?;
    let two = s.contact_send("a", "two")?;
    s.contact_accept("b", &one, NOW)?;
    s.name("two", &two);
    let bare = s.splice("two without its flight", ("two", &two), 0, FLIGHT, "")?;
    let answer = s.contact_receive("b", &bare)?;
    expect(&answer, "plaintext", &json!(hex::encode("two")))?;
    s.contact_bounce(Event::Duplicate, "b", &two, "Duplicate")?;
    s.contact_pass("b", "a", "three")?;
    let four = s.contact_send("a", "four")?;
    s.name("four", &four);
    let flight = two.get(..2 * FLIGHT).ok_or("flight")?.to_owned();
    s.name("flight", &flight);
    let adorned = s.join(
        "four under the flight",
        &[("flight", &flight), ("four", &four)],
    );
    let answer = s.contact_receive("b", &adorned)?;
    expect(&answer, "plaintext", &json!(hex::encode("four")))
}

fn at_once(s: &mut Scene<'_>, alice: u64, bob: u64) -> Outcome<()> {
    let bundles = devices(s)?;
    let to_bob = s.contact_start("a", first(&bundles.bob)?, 1, Some("from alice"), alice)?;
    let to_alice = s.contact_start("b", first(&bundles.alice)?, 1, Some("from bob"), bob)?;
    let later = s.contact_send("b", "later")?;
    s.contact_bounce(Event::Corrupt, "a", "0101", "Malformed")?;
    expect_events(&s.contact_accept("b", &to_bob, bob)?, &["NewSession"])?;
    expect_events(&s.contact_accept("a", &to_alice, alice)?, &["NewSession"])?;
    s.converged()?;
    let answer = s.contact_receive("a", &later)?;
    expect(&answer, "plaintext", &json!(hex::encode("later")))?;
    for (from, to) in [("a", "b"), ("b", "a"), ("a", "b")] {
        s.contact_pass(from, to, "on")?;
    }
    s.contact_bounce(Event::Duplicate, "a", &later, "Duplicate")?;
    s.converged()
}

fn lost(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = devices(s)?;
    s.contact_start("a", first(&bundles.bob)?, 1, Some("lost"), NOW + 9)?;
    s.happens(Event::Drop, "Alice's first message is lost");
    let to_alice = s.contact_start("b", last(&bundles.alice)?, 1, Some("from bob"), NOW)?;
    s.contact_accept("a", &to_alice, NOW)?;
    let second = s.contact_send("a", "again")?;
    if !second.starts_with("0101") {
        return Err("Alice's session has the higher rank".into());
    }
    let next = s.contact_send("b", "not yet")?;
    s.contact_receive("a", &next)?;
    s.contact_accept("b", &second, NOW)?;
    s.converged()?;
    s.contact_bounce(Event::Duplicate, "a", &to_alice, "Duplicate")?;
    s.contact_pass("b", "a", "there")
}

fn loss(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = talking(s, 1)?;
    let old = [s.contact_send("b", "old 1")?, s.contact_send("b", "old 2")?];
    let again = s.contact_start("a", last(&bundles.bob)?, 1, Some("again"), NOW)?;
    expect_events(&s.contact_accept("b", &again, NOW)?, &["NewSession"])?;
    let [late, never] = old;
    s.contact_restart("a")?;
    s.event(Event::Reorder);
    s.ask(
        "contact_receive",
        json!({ "contact": "a", "message": late }),
    )?;
    s.happens(
        Event::Drop,
        "the other message of the former session is lost",
    );
    s.name("never", &never);
    let corrupt = s.flip("never, corrupted", ("never", &never), 30)?;
    s.contact_bounce(Event::Corrupt, "a", &corrupt, "Authentication")?;
    s.note("no session opens it");
    s.contact_bounce(Event::Duplicate, "a", &late, "Duplicate")?;
    s.contact_send("b", "lost")?;
    s.happens(Event::Drop, "a message of the new session is lost");
    s.contact_pass("b", "a", "kept")?;
    s.contact_restart("b")?;
    s.contact_pass("a", "b", "on")?;
    s.converged()
}
