//! Section 3.4: the life cycle of a device's prekeys.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::people::{DAY, NOW};
use crate::format::{Event, Layer, Outcome, VectorFile};

fn maintain(s: &mut Scene<'_>, now: u64, due: serde_json::Value, deleted: u64) -> Outcome<()> {
    s.event(Event::Maintain);
    let answer = s.ask("account_maintain", json!({ "account": "bob", "now": now }))?;
    if *answer.get("due")? == due && *answer.get("deleted")? == json!(deleted) {
        Ok(())
    } else {
        Err(format!(
            "due at {now}: {}, deleted {}",
            answer.get("due")?,
            answer.get("deleted")?
        )
        .into())
    }
}

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "Accounts: publishing, what is due, what is deleted, and the limits (3.4, 8.3).",
    );
    b.case("account-publish", "M-PK-01", "Ids and generations go on from publication to publication; the state holds the private halves.", |s| {
        s.device("bob")?;
        s.ask("state", json!({ "account": "bob" }))?;
        for count in [1, 2] {
            s.publish("bob", count, NOW)?;
            s.ask("state", json!({ "account": "bob" }))?;
        }
        Ok(())
    })?;
    b.case(
        "account-publish-early",
        "",
        "not_before is not below 0.",
        |s| {
            s.device("bob")?;
            s.publish("bob", 1, 3599).map(drop)
        },
    )?;
    b.case("account-due", "M-PK-08", "Rotate without a publication and after 7 days; Replenish below a quarter, which a rotation includes.", |s| {
        s.device("alice")?;
        s.device("bob")?;
        maintain(s, NOW, json!("rotate"), 0)?;
        let published = s.publish("bob", 1, NOW)?;
        maintain(s, NOW + 7 * DAY - 1, json!(null), 0)?;
        maintain(s, NOW + 7 * DAY, json!("rotate"), 0)?;
        let bundle = s.bundle("bob", &published, Some(0))?;
        let first = s.initiate("alice", "a", &bundle, 1, "")?;
        s.accept("bob", "b", &first)?;
        maintain(s, NOW + 7 * DAY - 1, json!("replenish"), 0)?;
        maintain(s, NOW + 7 * DAY, json!("rotate"), 0)
    })?;
    b.case("account-delete", "M-PK-09", "Private halves go at not_after + 7 days and not a second before; the handshake is refused from then on.", |s| {
        s.device("alice")?;
        s.device("bob")?;
        let published = s.publish("bob", 1, NOW)?;
        s.publish("bob", 1, NOW + 8 * DAY)?;
        let bundle = s.bundle("bob", &published, Some(0))?;
        let first = s.initiate("alice", "a", &bundle, 1, "")?;
        maintain(s, NOW + 35 * DAY - 1, json!("rotate"), 0)?;
        maintain(s, NOW + 35 * DAY, json!("rotate"), 1)?;
        s.event(Event::Deliver);
        s.refuse("accept", json!({ "account": "bob", "session": "b", "message": first, "now": NOW }), "UnknownPrekey")?;
        s.ask("state", json!({ "account": "bob" })).map(drop)
    })?;
    b.case(
        "account-limits",
        "",
        "No prekeys, 1025 prekeys, a subject of 256 bytes; one of 255 is good.",
        |s| {
            s.device("bob")?;
            for count in [0, 1025] {
                let inputs = json!({ "account": "bob", "now": NOW, "onetime_count": count });
                s.refuse_drawing("publish", inputs, &[], "Limit")?;
            }
            let seeds = [("Ed25519 seed", 32), ("ML-DSA seed", 32)];
            let long = json!({ "account": "long", "subject": "61".repeat(256) });
            s.refuse_drawing("account_generate", long, &seeds, "Limit")?;
            s.draw(
                "account_generate",
                json!({ "account": "full", "subject": "61".repeat(255) }),
                &seeds,
            )
            .map(drop)
        },
    )?;
    b.case(
        "account-last-ids",
        "M-PK-01",
        "At the end of the ids nothing more can be published.",
        |s| {
            s.device("bob")?;
            let state = s.ask("state", json!({ "account": "bob" }))?.text("state")?;
            s.name("bob's state", &state);
            let at = state.len() / 2 - 4 - 1 - 8 - 4;
            let late = s.splice(
                "bob's state near the end",
                ("bob's state", &state),
                at,
                4,
                "fffffffd",
            )?;
            s.ask("load", json!({ "account": "bob", "state": late }))?;
            s.refuse_drawing(
                "publish",
                json!({ "account": "bob", "now": NOW, "onetime_count": 2 }),
                &[],
                "Limit",
            )?;
            s.publish("bob", 1, NOW)?;
            s.refuse_drawing(
                "publish",
                json!({ "account": "bob", "now": NOW, "onetime_count": 1 }),
                &[],
                "Limit",
            )
        },
    )?;
    b.case(
        "account-64-publications",
        "M-PK-10",
        "The 65th publication deletes the oldest.",
        |s| {
            s.device("bob")?;
            s.publish("bob", 1, NOW)?;
            let state = s.ask("state", json!({ "account": "bob" }))?.text("state")?;
            // One publication of one prekey: 318 bytes before the empty list at the end.
            let (rest, seen) = state.split_at(state.len() - 8);
            let (head, publication) = rest.split_at(rest.len() - 2 * 318);
            let (head, _) = head.split_at(head.len() - 2 * (1 + 8 + 4));
            let part =
                |from: usize, to: usize| publication.get(2 * from..2 * to).ok_or("publication");
            let mut all = String::new();
            for i in 0..64u32 {
                let (signed, onetime) = (2 * i + 1, 2 * i + 2);
                all += &format!(
                    "{}{signed:08x}{}{onetime:08x}{}",
                    part(0, 50)?,
                    part(54, 184)?,
                    part(188, 318)?
                );
            }
            let full = format!("{head}{:08x}{:016x}40{all}{seen}", 129, 64);
            s.ask("load", json!({ "account": "bob", "state": full }))?;
            s.publish("bob", 1, NOW)?;
            s.ask("state", json!({ "account": "bob" })).map(drop)
        },
    )?;
    b.finish()
}
