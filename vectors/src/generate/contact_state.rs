//! Section 10.4: the state of a contact, sealed and in the clear.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::contact_people::{last, talking};
use super::people::NOW;
use crate::format::{Event, Layer, Outcome, VectorFile};

/// Where the list of sessions starts in a ContactState without a changed identity.
const LIST: usize = 2 + 8 + 32 + 1 + 1 + 8;

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "States of contacts: what is in them, how they are sealed, and what is refused (10.4, 8.1).",
    );
    b.case(
        "contact-state",
        "M-CT-08 M-ST-02",
        "A contact without sessions; with one; with a changed identity, verified, and with two.",
        |s| {
            let of = |contact: &str| json!({ "contact": contact });
            s.ask(
                "contact_new",
                json!({ "contact": "new", "identity_id": "11".repeat(32) }),
            )?;
            s.ask("state", of("new"))?;
            let bundles = talking(s, 1)?;
            s.ask(
                "contact_verified",
                json!({ "contact": "a", "verified": true }),
            )?;
            s.contact_start("a", last(&bundles.bob)?, 1, Some(""), NOW + 1)?;
            s.ask(
                "contact_show",
                json!({ "contact": "a", "identity_id": "22".repeat(32) }),
            )?;
            s.ask("state", of("a"))?;
            s.contact_restart("a")?;
            s.ask("fingerprint", of("a"))?;
            s.ask("drop", of("new")).map(drop)
        },
    )?;
    b.case(
        "contact-state-sealed",
        "M-CT-08 M-ST-01",
        "A sealed state under another key, of another kind, version or generation, altered, and older than the minimum.",
        sealed,
    )?;
    b.case(
        "contact-state-refused",
        "M-CT-08 M-EN-01 M-EN-02 M-EN-03",
        "States that break a rule of 10.4.",
        refused,
    )?;
    b.finish()
}

fn sealed(s: &mut Scene<'_>) -> Outcome<()> {
    talking(s, 1)?;
    let (key, other) = (s.fresh(32), s.fresh(32));
    let export = json!({ "contact": "a", "key": key });
    let blob = s.draw("export", export, &[("salt", 32)])?.text("blob")?;
    s.name("blob", &blob);
    let generation = 2;
    let wrong = [
        (
            "Version",
            s.splice("blob, version 2", ("blob", &blob), 0, 1, "02")?,
            &key,
            0,
        ),
        (
            "Malformed",
            s.splice("blob, kind 1", ("blob", &blob), 1, 1, "01")?,
            &key,
            0,
        ),
        (
            "Authentication",
            s.flip("blob, another generation", ("blob", &blob), 9)?,
            &key,
            0,
        ),
        (
            "Authentication",
            s.flip("blob, altered", ("blob", &blob), 60)?,
            &key,
            0,
        ),
        (
            "Malformed",
            s.splice("blob, cut", ("blob", &blob), 41, blob.len() / 2 - 41, "")?,
            &key,
            0,
        ),
        ("Authentication", blob.clone(), &other, 0),
        ("Rollback", blob.clone(), &key, generation + 1),
    ];
    for (error, blob, key, minimum) in wrong {
        s.event(Event::Rollback);
        let inputs = json!({ "contact": "a", "key": key, "blob": blob, "minimum": minimum });
        s.refuse("import", inputs, error)?;
    }
    s.refuse(
        "import",
        json!({ "session": "a", "key": key, "blob": blob }),
        "Malformed",
    )?;
    s.ask(
        "import",
        json!({ "contact": "a", "key": key, "blob": blob, "minimum": generation }),
    )
    .map(drop)
}

fn refused(s: &mut Scene<'_>) -> Outcome<()> {
    talking(s, 1)?;
    let state = s.contact_state("a")?;
    let name = "contact a, talking, 1 slots";
    let of = (name, state.as_str());
    let length = state.len() / 2;
    let identity = state.get(20..84).ok_or("identity")?.to_owned();
    let session = state.get(2 * LIST + 2..).ok_or("session")?.to_owned();
    s.name("session of contact a", &session);
    let head = state.get(..2 * LIST).ok_or("head")?.to_owned();
    let lists = [
        ("twice the same session", "02", 2),
        ("ten sessions", "0a", 10),
    ];
    let mut wrong = vec![
        ("Version", s.splice("another version", of, 0, 1, "02")?),
        ("Malformed", s.splice("another kind", of, 1, 1, "01")?),
        (
            "Malformed",
            s.splice(
                "the changed identity is the identity",
                of,
                42,
                1,
                &format!("01{identity}"),
            )?,
        ),
        (
            "Malformed",
            s.splice("neither there nor absent", of, 42, 1, "02")?,
        ),
        ("Malformed", s.splice("verified is 2", of, 43, 1, "02")?),
        (
            "Malformed",
            s.splice("a session more than there is", of, LIST, 1, "02")?,
        ),
        (
            "Malformed",
            s.splice("a session less than there is", of, LIST, 1, "00")?,
        ),
        (
            "Version",
            s.splice("another version of the session", of, LIST + 9, 1, "02")?,
        ),
        (
            "Malformed",
            s.splice(
                "an account in the place of a session",
                of,
                LIST + 10,
                1,
                "02",
            )?,
        ),
        ("Malformed", s.splice("a byte more", of, length, 0, "00")?),
        ("Malformed", s.splice("a byte less", of, length - 1, 1, "")?),
        (
            "Malformed",
            s.splice("cut in its head", of, 20, length - 20, "")?,
        ),
    ];
    for (about, count, times) in lists {
        let start = format!("start of {about}");
        let bytes = s.name(&start, &format!("{head}{count}"));
        let mut parts = vec![(start, bytes)];
        for place in 0..times {
            let rank = if times == 2 { NOW } else { NOW - place };
            let (rank, bytes) = (format!("rank {rank}"), format!("{rank:016x}"));
            s.name(&rank, &bytes);
            parts.push((rank, bytes));
            let rest = session.get(16..).ok_or("session")?;
            let bytes = s.splice(
                "session of contact a, no rank",
                ("session of contact a", &session),
                0,
                8,
                "",
            )?;
            if bytes != rest {
                return Err("rank".into());
            }
            parts.push(("session of contact a, no rank".into(), bytes));
        }
        let parts: Vec<_> = parts
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_str()))
            .collect();
        wrong.push(("Malformed", s.join(about, &parts)));
        if times == 10 {
            // The control: nine are good.
            let start = "start of nine sessions";
            s.name(start, &format!("{head}09"));
            let nine = [&[(start, "")], parts.get(1..19).ok_or("parts")?].concat();
            let joined = s.join("nine sessions", &nine);
            s.event(Event::Setup);
            s.ask(
                "load",
                json!({ "contact": "nine", "state": format!("{head}09{joined}") }),
            )?;
        }
    }
    let (lower, higher) = (format!("{:016x}", NOW - 1), format!("{NOW:016x}"));
    let rest = session.get(16..).ok_or("session")?;
    let swapped = format!("{head}02{lower}{rest}{higher}{rest}");
    let parts = [
        "start of twice the same session",
        "rank 1799999999",
        "session of contact a, no rank",
        "rank 1800000000",
        "session of contact a, no rank",
    ];
    let values = [&format!("{head}02"), lower.as_str(), rest, &higher, rest];
    let parts: Vec<_> = parts.into_iter().zip(values).collect();
    if s.join("the lower rank first", &parts) != swapped {
        return Err("swapped".into());
    }
    wrong.push(("Malformed", swapped));
    for (error, state) in wrong {
        s.event(Event::Corrupt);
        s.refuse("load", json!({ "contact": "a", "state": state }), error)?;
    }
    Ok(())
}
