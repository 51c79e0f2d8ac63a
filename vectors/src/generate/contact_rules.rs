//! Scripts: what a contact refuses, and what the user has to see.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::contact_archive::{archive, nine};
use super::contact_frames::{first_frame, held, unreadable};
use super::contact_people::{devices, expect, expect_events, first, last, talking};
use super::people::{INITIATE_DRAWS, NOW};
use crate::format::{Event, Layer, Outcome, VectorFile};

const HOUR: u64 = 3600;

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Scripts,
        "Contacts: unreadable frames, the archive, resets, failed sessions, a changed identity.",
    );
    b.case(
        "contact-unreadable",
        "M-CT-01 M-CT-02",
        "Frames of another form or rank in a session that is known: told, without a plaintext, and the session goes on. Each kind is taken from either side.",
        unreadable,
    )?;
    b.case(
        "contact-first-frame",
        "M-CT-01 M-CT-02",
        "An accepted session that begins with Data, with no frame, or with a rank from the far future is not kept; the prekey is used all the same.",
        first_frame,
    )?;
    b.case(
        "contact-held",
        "M-CT-02",
        "The contact was stored and its account was not: the initial message is accepted again, and the session stays as it is. With another rank its message is Unreadable.",
        held,
    )?;
    b.case(
        "contact-archive",
        "M-CT-05",
        "With a tenth session the last in the order goes, on both sides; its messages are Authentication.",
        archive,
    )?;
    b.case(
        "contact-archive-new",
        "M-CT-05",
        "The tenth session is itself the last in the order.",
        |s| {
            let bundles = nine(s)?;
            let anew = s.unrecorded("contact archive new", |s| {
                let request = json!({ "op": "contact_facts", "contact": "a" });
                let identity = s.aside(request)?.text("identity_id")?;
                s.ask(
                    "contact_new",
                    json!({ "contact": "a", "identity_id": identity }),
                )?;
                s.contact_start("a", last(&bundles.bob)?, 1, Some("late"), NOW - 50)
            })?;
            let answer = s.contact_accept("b", &anew, NOW)?;
            expect_events(&answer, &["NewSession", "SessionEvicted"])?;
            expect(&answer, "plaintext", &json!(hex::encode("late")))?;
            s.contact_bounce(Event::Deliver, "b", &anew, "NoSession")?;
            s.note("the session is gone, and its messages with it");
            s.ask("contact_facts", json!({ "contact": "b" })).map(drop)
        },
    )?;
    b.case(
        "contact-reset",
        "M-CT-06",
        "A reset is told, takes over and loses nothing; a second one, with or without content, waits for an hour of the device's clock.",
        reset,
    )?;
    b.case(
        "contact-reset-first",
        "M-CT-06",
        "Without a session to send on, only a Reset is a reset; one that its next message overtook is told when it comes.",
        reset_first,
    )?;
    b.case(
        "contact-reset-at-once",
        "M-CT-04 M-CT-06",
        "Both reset at once: they converge.",
        |s| {
            let bundles = talking(s, 1)?;
            let to_bob = s.contact_start("a", last(&bundles.bob)?, 1, None, NOW + 9)?;
            let to_alice = s.contact_start("b", last(&bundles.alice)?, 1, None, NOW + 9)?;
            s.contact_start_refused(
                "b",
                last(&bundles.alice)?,
                Some("too soon"),
                NOW + 10,
                "Limit",
            )?;
            expect_events(
                &s.contact_accept("a", &to_alice, NOW)?,
                &["NewSession", "SessionReset"],
            )?;
            expect_events(
                &s.contact_accept("b", &to_bob, NOW)?,
                &["NewSession", "SessionReset"],
            )?;
            s.converged()?;
            s.contact_pass("a", "b", "on")?;
            s.contact_pass("b", "a", "on")
        },
    )?;
    b.case(
        "contact-failed",
        "M-CT-03 M-CT-06 M-RX-08",
        "The agreement of the session to send on breaks: told; nothing is sent on another session, until a reset.",
        failed,
    )?;
    b.case(
        "contact-identity-accepted",
        "M-CT-07 M-ID-03 M-CT-03",
        "Somebody with another identity starts a session as this peer: nothing is sent before the user has decided. Accepted: the former identity's session only receives.",
        |s| {
            let (shown, known) = changed(s)?;
            s.refuse("contact_accept_identity", json!({ "contact": "b", "identity_id": known }), "IdentityChanged")?;
            s.ask("contact_accept_identity", json!({ "contact": "b", "identity_id": shown }))?;
            s.refuse("contact_accept_identity", json!({ "contact": "b", "identity_id": shown }), "IdentityChanged")?;
            s.ask("contact_facts", json!({ "contact": "b" }))?;
            let welcome = s.contact_send("b", "welcome")?;
            s.contact_receive("c", &welcome)?;
            let former = s.contact_send("a", "and I?")?;
            expect(&s.contact_receive("b", &former)?, "trust", &json!("other"))
        },
    )?;
    b.case(
        "contact-identity-refused",
        "M-CT-07",
        "The same, refused: the sessions with the other identity are deleted, and sending goes on. Refusing again does nothing.",
        |s| {
            changed(s)?;
            let theirs = s.contact_send("c", "let me in")?;
            s.ask("contact_refuse_identity", json!({ "contact": "b" }))?;
            s.ask("contact_refuse_identity", json!({ "contact": "b" }))?;
            s.contact_bounce(Event::Deliver, "b", &theirs, "NoSession")?;
            s.ask("contact_facts", json!({ "contact": "b" }))?;
            s.contact_pass("b", "a", "still you")
        },
    )?;
    b.case(
        "contact-identity-shown",
        "M-CT-07",
        "Another identity in a bundle is refused; once the application has said so, it awaits the decision; a third takes its place.",
        shown,
    )?;
    b.case(
        "contact-unopened",
        "M-RX-01 M-ER-01",
        "What no session opens, in the order of 10.3.",
        |s| {
            let bundles = devices(s)?;
            for (message, error) in [
                ("", "NoSession"),
                ("0102", "NoSession"),
                ("0101", "Malformed"),
                ("0201", "Version"),
            ] {
                s.contact_bounce(Event::Corrupt, "b", message, error)?;
            }
            let one = s.contact_start("a", first(&bundles.bob)?, 1, Some("one"), NOW)?;
            s.contact_accept("b", &one, NOW)?;
            for (message, error) in [
                ("", "Malformed"),
                ("0102", "Malformed"),
                ("0202", "Version"),
                ("0103", "Malformed"),
            ] {
                s.contact_bounce(Event::Corrupt, "b", message, error)?;
            }
            let zeros = format!("0102{}", "00".repeat(200));
            s.contact_bounce(Event::Corrupt, "b", &zeros, "Authentication")?;
            s.contact_bounce(Event::Corrupt, "a", &one, "NoSession")?;
            s.note("an initiator takes no InitialMessage");
            Ok(())
        },
    )?;
    b.case(
        "contact-payload",
        "M-MS-02",
        "A payload of 16 MiB less 8 bytes, on either kind of frame.",
        |s| {
            let bundles = talking(s, 1)?;
            let large = s.repeat("16 MiB less 8 bytes", "00", (1 << 24) - 8);
            s.event(Event::Send);
            let send = json!({ "contact": "a", "plaintext": large, "padding": "none" });
            s.refuse_drawing("contact_send", send, &[("nonce", 12)], "Limit")?;
            let start = json!({
                "account": "alice", "contact": "a", "bundle": last(&bundles.bob)?, "slots": 1, "now": NOW, "padding": "none",
                "plaintext": large,
            });
            s.refuse_drawing("contact_initiate", start, &INITIATE_DRAWS, "Limit")
        },
    )?;
    b.finish()
}

fn reset(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = talking(s, 1)?;
    let late = s.contact_send("b", "late")?;
    let begin = NOW - 600;
    let reset = s.contact_start("a", last(&bundles.bob)?, 1, None, begin)?;
    s.note("the clock is behind the first session's: the rank grows all the same");
    expect_events(
        &s.contact_accept("b", &reset, NOW)?,
        &["NewSession", "SessionReset"],
    )?;
    s.converged()?;
    let answer = s.contact_receive("a", &late)?;
    expect(&answer, "plaintext", &json!(hex::encode("late")))?;
    for now in [begin + HOUR - 1, begin, begin - HOUR + 1] {
        s.contact_start_refused("a", last(&bundles.bob)?, None, now, "Limit")?;
    }
    s.contact_start_refused(
        "a",
        last(&bundles.bob)?,
        Some("content"),
        begin + HOUR - 1,
        "Limit",
    )?;
    s.contact_pass("b", "a", "on")?;
    let again = s.contact_start(
        "a",
        last(&bundles.bob)?,
        1,
        Some("an hour later"),
        begin + HOUR,
    )?;
    expect_events(&s.contact_accept("b", &again, NOW)?, &["NewSession"])?;
    s.contact_bounce(Event::Duplicate, "b", &reset, "Duplicate")?;
    s.converged()
}

fn reset_first(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = devices(s)?;
    let reset = s.contact_start("a", first(&bundles.bob)?, 1, None, NOW)?;
    let next = s.contact_send("a", "next")?;
    s.contact_start_refused("a", last(&bundles.bob)?, None, NOW + 1, "Limit")?;
    expect_events(&s.contact_accept("b", &next, NOW)?, &["NewSession"])?;
    expect_events(&s.contact_receive("b", &reset)?, &["SessionReset"])?;
    s.contact_bounce(Event::Duplicate, "b", &reset, "Duplicate")?;
    s.contact_start("b", first(&bundles.alice)?, 1, None, NOW)?;
    s.note("the peer's reset does not count");
    Ok(())
}

fn failed(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = talking(s, 38)?;
    let second = s.contact_start("a", last(&bundles.bob)?, 38, Some("second"), NOW + 1)?;
    s.contact_accept("b", &second, NOW)?;
    s.contact_pass("b", "a", "yes")?;
    s.contact_pass("a", "b", "so")?;
    let lost = s.contact_send("b", "lost")?;
    s.happens(Event::Drop, "the message is lost");
    let anatomy = s.contact_anatomy("b")?;
    let sending = anatomy.sending().ok_or("no session")?;
    if sending.scka.get(68) != Some(&1) {
        return Err("Bob sends no key".into());
    }
    let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
    let forged = hex::encode(sending.craft(nonce, |m| {
        m.kind = 1;
        m.codewords.fill(0x55);
        m.padded = vec![0, 0x80];
    })?);
    s.event(Event::Corrupt);
    let answer = s.ask(
        "contact_receive",
        json!({ "contact": "a", "message": forged }),
    )?;
    expect_events(&answer, &["SessionFailed"])?;
    s.contact_bounce(Event::Deliver, "a", &lost, "AgreementFailed")?;
    s.contact_send_refused("a", "AgreementFailed")?;
    s.contact_restart("a")?;
    s.contact_send_refused("a", "AgreementFailed")?;
    s.note("the former session is there, and is not fallen back to");
    let anew = s.contact_start("a", last(&bundles.bob)?, 1, None, NOW + 1 + HOUR)?;
    let answer = s.contact_accept("b", &anew, NOW)?;
    expect_events(&answer, &["NewSession", "SessionReset"])?;
    s.contact_pass("b", "a", "anew")?;
    s.contact_pass("a", "b", "anew")?;
    s.contact_bounce(Event::Corrupt, "a", &lost, "Authentication")?;
    s.note("the one that failed does not speak for others");
    Ok(())
}

/// Carol starts a session with Bob, who is told that she is Alice now: her identity_id, and Alice's.
fn changed(s: &mut Scene<'_>) -> Outcome<(String, String)> {
    let bundles = talking(s, 1)?;
    s.ask(
        "contact_verified",
        json!({ "contact": "b", "verified": true }),
    )?;
    let request = json!({ "op": "contact_facts", "contact": "a" });
    let bob = s.aside(request)?.text("identity_id")?;
    let theirs = s.unrecorded("contact carol", |s| {
        // Under Alice's name, and with the contact `c` in the place of `a`.
        let kept = s.aside(json!({ "op": "state", "account": "alice" }))?.text("state")?;
        s.device("alice")?;
        s.ask("contact_new", json!({ "contact": "c", "identity_id": bob }))?;
        let inputs = json!({
            "account": "alice", "contact": "c", "bundle": last(&bundles.bob)?, "slots": 1, "now": NOW, "padding": "none",
            "plaintext": hex::encode("it is me"),
        });
        let message = s.draw("contact_initiate", inputs, &INITIATE_DRAWS)?.text("message")?;
        s.aside(json!({ "op": "load", "account": "alice", "state": kept }))?;
        Ok(message)
    })?;
    s.event(Event::Setup);
    let state = s.contact_state("c")?;
    s.name("carol's contact", &state);
    s.ask("load", json!({ "contact": "c", "state": state }))?;
    let answer = s.contact_accept("b", &theirs, NOW)?;
    expect_events(&answer, &["IdentityChanged", "NewSession"])?;
    expect(&answer, "trust", &json!("other"))?;
    s.contact_send_refused("b", "IdentityChanged")?;
    s.contact_start_refused(
        "b",
        last(&bundles.alice)?,
        Some(""),
        NOW + 1,
        "IdentityChanged",
    )?;
    let facts = s.ask("contact_facts", json!({ "contact": "b" }))?;
    let known = s.contact_send("a", "still here")?;
    expect(
        &s.contact_receive("b", &known)?,
        "trust",
        &json!("verified"),
    )?;
    Ok((facts.text("changed")?, facts.text("identity_id")?))
}

fn shown(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = talking(s, 1)?;
    s.contact_start_refused("b", last(&bundles.bob)?, Some(""), NOW, "IdentityChanged")?;
    s.note("Bob's own bundle: not Alice's, before anything else");
    let known = s
        .ask("contact_facts", json!({ "contact": "b" }))?
        .text("identity_id")?;
    let (second, third) = (s.fresh(32), s.fresh(32));
    for (identity, told) in [
        (&known, false),
        (&second, true),
        (&second, true),
        (&third, true),
    ] {
        let answer = s.ask(
            "contact_show",
            json!({ "contact": "b", "identity_id": identity }),
        )?;
        expect_events(&answer, if told { &["IdentityChanged"] } else { &[] })?;
    }
    s.contact_send_refused("b", "IdentityChanged")?;
    s.refuse(
        "contact_accept_identity",
        json!({ "contact": "b", "identity_id": second }),
        "IdentityChanged",
    )?;
    s.contact_restart("b")?;
    s.contact_send_refused("b", "IdentityChanged")?;
    s.ask(
        "contact_accept_identity",
        json!({ "contact": "b", "identity_id": third }),
    )?;
    s.contact_send_refused("b", "NoSession")?;
    s.note("the only session is the former identity's");
    let former = s.contact_send("a", "hello?")?;
    expect(&s.contact_receive("b", &former)?, "trust", &json!("other"))
}
