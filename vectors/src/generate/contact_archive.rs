//! Scripts: contacts with more sessions than they keep.

use serde_json::json;

use super::builder::Scene;
use super::contact_people::{Bundles, expect, expect_events, last, talking};
use super::people::NOW;
use crate::format::{Event, Outcome};

const HOUR: u64 = 3600;

/// Both contacts with nine sessions: the one they talk in, and eight copies of lower rank with another session_id.
pub(super) fn nine(s: &mut Scene<'_>) -> Outcome<Bundles> {
    let bundles = talking(s, 1)?;
    for contact in ["a", "b"] {
        let state = s.contact_state(contact)?;
        let id = s
            .ask("contact_facts", json!({ "contact": contact }))?
            .text("sends_on")?;
        let name = format!("contact {contact}, talking, 1 slots");
        // version, kind, generation, identity, no change, verified, last_reset; then the list.
        let head = 2 * (2 + 8 + 32 + 1 + 1 + 8);
        let session = state.get(head + 2 + 16..).ok_or("state")?.to_owned();
        let (start, of_session) = (format!("{contact}, start"), format!("{contact}, session"));
        let first = state.get(head + 2..head + 2 + 16).ok_or("rank")?.to_owned();
        let head = format!("{}09{first}", state.get(..head).ok_or("head")?);
        s.name(&name, &state);
        s.name(&start, &head);
        s.name(&of_session, &session);
        let at = session.find(&id).ok_or("id")? / 2;
        let mut parts = vec![(start, head), (of_session.clone(), session.clone())];
        for copy in 1..=8u64 {
            let rank = format!("{contact}, rank {copy}");
            let bytes = s.name(&rank, &format!("{:016x}", NOW - copy));
            let other = format!("{contact}, session {copy}");
            let byte = session.get(2 * at..2 * at + 2).ok_or("id")?;
            let byte = u8::from_str_radix(byte, 16)? ^ u8::try_from(copy)?;
            let copied = s.splice(
                &other,
                (&of_session, &session),
                at,
                1,
                &format!("{byte:02x}"),
            )?;
            parts.extend([(rank, bytes), (other, copied)]);
        }
        let parts: Vec<_> = parts
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_str()))
            .collect();
        let nine = s.join(&format!("{contact}, nine sessions"), &parts);
        s.event(Event::Setup);
        s.ask("load", json!({ "contact": contact, "state": nine }))?;
        s.ask("contact_facts", json!({ "contact": contact }))?;
    }
    Ok(bundles)
}

pub(super) fn archive(s: &mut Scene<'_>) -> Outcome<()> {
    let bundles = nine(s)?;
    let gone = s.contact_send("a", "gone")?;
    let kept = s.contact_send("b", "kept")?;
    let tenth = s.contact_start("a", last(&bundles.bob)?, 1, Some("tenth"), NOW + 1)?;
    let told = ["NewSession", "SessionEvicted"];
    expect_events(&s.contact_accept("b", &tenth, NOW)?, &told)?;
    s.converged()?;
    let answer = s.contact_receive("a", &kept)?;
    expect(&answer, "plaintext", &json!(hex::encode("kept")))?;
    // The others are copies: with eight sessions more, the one that has been talked in is the last in Bob's order.
    for more in 1..=8u64 {
        let now = NOW + 2 + more * HOUR;
        let next = s.unrecorded(&format!("contact archive {more}"), |s| {
            s.contact_start("a", last(&bundles.bob)?, 1, Some("more"), now)
        })?;
        if more < 8 {
            s.unrecorded("contact archive", |s| s.contact_accept("b", &next, now))?;
            continue;
        }
        s.event(Event::Setup);
        for (kind, handle) in [("account", "bob"), ("contact", "b")] {
            let state = s
                .aside(json!({ "op": "state", kind: handle }))?
                .text("state")?;
            s.ask("load", json!({ kind: handle, "state": state }))?;
        }
        s.note("after seven sessions more");
        expect_events(&s.contact_accept("b", &next, now)?, &told)?;
    }
    s.contact_bounce(Event::Deliver, "b", &gone, "Authentication")?;
    s.note("a message of the session that went");
    Ok(())
}
