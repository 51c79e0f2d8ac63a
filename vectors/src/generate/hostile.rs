//! Scripts: an attacker on the wire, and a peer that knows the keys and breaks the rules.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::bundle::alice_and_bob;
use super::ratchet::sessions;
use crate::anatomy::Crafted;
use crate::format::{Event, Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Scripts,
        "Corrupted, misdirected and crafted messages: each is refused for its reason, and nothing changes.",
    );
    b.case(
        "hostile-corrupt",
        "M-RX-01 M-RX-02 M-RX-06 M-EN-01 M-EN-03 M-ER-01",
        "One byte of each part of a message is wrong, or it is too short.",
        corrupt,
    )?;
    b.case(
        "hostile-reflected",
        "M-RX-02",
        "A message comes back to its sender, or goes to a session with somebody else.",
        |s| {
            sessions(s, 4, 2)?;
            let message = s.send("a", "hello")?;
            s.bounce(Event::Corrupt, "a", &message, "Authentication")?;
            let other = s.state_of("b")?;
            s.name("session b", &other);
            let at = other
                .find(&hex::encode(s.anatomy("b")?.session_id))
                .ok_or("id")?
                / 2;
            let other = s.flip("another session", ("session b", &other), at)?;
            s.load("c", &other)?;
            s.bounce(Event::Corrupt, "c", &message, "Authentication")?;
            s.deliver("b", &message).map(drop)
        },
    )?;
    b.case(
        "hostile-header",
        "M-RX-03 M-DR-02 M-DR-08 M-SP-04 M-PR-01",
        "Headers that open and break a rule.",
        header,
    )?;
    b.case(
        "hostile-epoch",
        "M-SP-04 M-RX-05",
        "Messages of an epoch that does not exist yet.",
        |s| {
            sessions(s, 1, 2)?;
            s.pass("a", "b", "hello")?;
            for epoch in [2, 3, 0x7fff_ffff] {
                crafted(s, "Authentication", "a later epoch", |m| m.epoch = epoch)?;
            }
            Ok(())
        },
    )?;
    b.case(
        "hostile-padding",
        "M-MS-04 M-RX-06",
        "Bodies that open and have no marker.",
        |s| {
            sessions(s, 1, 2)?;
            s.pass("a", "b", "hello")?;
            for padded in [vec![0], vec![0; 64], vec![0x80, 1], vec![0x80, 0, 7]] {
                crafted(s, "Authentication", "no marker", |m| m.padded = padded)?;
            }
            Ok(())
        },
    )?;
    b.case(
        "hostile-zero-step",
        "M-PR-02 M-RX-04",
        "A new ratchet key of small order: the step would give zero.",
        |s| {
            sessions(s, 1, 2)?;
            s.send("b", "lost")?;
            s.happens(Event::Drop, "the message is lost");
            for dh in [[0; 32], {
                let mut one = [0; 32];
                one[0] = 1;
                one
            }] {
                let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
                let forged = s.anatomy("b")?.craft(nonce, |m| m.dh = dh)?;
                s.bounce(Event::Corrupt, "a", &hex::encode(forged), "Malformed")?;
            }
            Ok(())
        },
    )?;
    b.case("hostile-initial-message", "M-HS-02 M-HS-03 M-RX-01", "Initial messages in a session that is not theirs, in one that is and has another flight, and in an initiator's.", initial)?;
    b.case("hostile-rollback", "M-ST-01 M-MS-01 M-SC-01", "A restored old state: messages are taken again, sent ones differ, and the application's minimum generation stops it.", rollback)?;
    b.case(
        "hostile-limits",
        "M-DR-08",
        "Sending chains at their end send no more; receiving the last numbers there are.",
        limits,
    )?;
    b.case("hostile-other-epoch", "M-SP-02 M-RX-05", "A message under the chain of one epoch that names the epoch before, whose chains are still there.", |s| {
        sessions(s, 38, 2)?;
        s.pass("a", "b", "hello")?;
        crafted(s, "Authentication", "header.epoch is one too low", |m| {
            m.epoch -= 1;
        })
    })?;
    b.case(
        "hostile-size",
        "M-MS-02 M-RX-01",
        "A plaintext above 16 MiB, and a message above the largest one.",
        |s| {
            sessions(s, 1, 2)?;
            let large = s.repeat("16 MiB and a byte", "00", (1 << 24) + 1);
            s.event(Event::Send);
            s.refuse_drawing(
                "encrypt",
                json!({ "session": "a", "plaintext": large }),
                &[("nonce", 12)],
                "Limit",
            )?;
            s.name("start of a message", &format!("0102{}", "00".repeat(32)));
            let head = format!("0102{}", "00".repeat(32));
            let fixed = 14 + 67 + 32 + 16 + (1 << 25) - 34;
            for (name, length, error) in [
                ("largest", fixed, "Authentication"),
                ("too large", fixed + 1, "Malformed"),
            ] {
                let (rest, name) = (
                    format!("rest of the {name} message"),
                    format!("{name} message"),
                );
                let zeros = s.repeat(&rest, "00", length);
                let message = s.join(&name, &[("start of a message", &head), (&rest, &zeros)]);
                s.bounce(Event::Corrupt, "b", &message, error)?;
            }
            Ok(())
        },
    )?;
    b.finish()
}

fn corrupt(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 4, 2)?;
    let message = s.send("a", "hello")?;
    s.name("message", &message);
    let parts = [
        ("Version", "version", 0),
        ("Malformed", "type", 1),
        ("Authentication", "nonce", 2),
        ("Authentication", "header", 14),
        ("Authentication", "tag of the header", 14 + 51 + 128),
        ("Authentication", "body", 14 + 67 + 128),
        ("Authentication", "tag of the body", message.len() / 2 - 1),
    ];
    for (error, about, at) in parts {
        let wrong = match about {
            "type" => s.splice("message, wrong type", ("message", &message), 1, 1, "03")?,
            _ => s.flip(
                &format!("message, wrong {about}"),
                ("message", &message),
                at,
            )?,
        };
        s.bounce(Event::Corrupt, "b", &wrong, error)?;
        s.note(about);
    }
    let length = message.len() / 2;
    let shortest = 14 + 67 + 128 + 17;
    for (error, left) in [
        ("Malformed", 0),
        ("Malformed", 1),
        ("Malformed", 14),
        ("Malformed", shortest - 1),
        ("Authentication", shortest),
    ] {
        let wrong = s.splice(
            &format!("message, {left} bytes"),
            ("message", &message),
            left,
            length - left,
            "",
        )?;
        s.bounce(Event::Corrupt, "b", &wrong, error)?;
        s.note(&format!("{left} bytes"));
    }
    let long = s.splice(
        "message, a byte more",
        ("message", &message),
        length,
        0,
        "00",
    )?;
    s.bounce(Event::Corrupt, "b", &long, "Authentication")?;
    s.deliver("b", &message).map(drop)
}

/// A message that Alice crafts on her current chain and Bob refuses.
fn crafted(
    s: &mut Scene<'_>,
    error: &str,
    about: &str,
    change: impl FnOnce(&mut Crafted),
) -> Outcome<()> {
    let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
    let message = s.anatomy("a")?.craft(nonce, change)?;
    s.bounce(Event::Corrupt, "b", &hex::encode(message), error)?;
    s.note(about);
    Ok(())
}

fn header(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 1, 2)?;
    s.pass("a", "b", "hello")?;
    let (mut not_canonical, mut other) = ([0xff; 32], [0; 32]);
    not_canonical[31] = 0x7f;
    other[0] = 9;
    crafted(s, "Malformed", "dh is not canonical", |m| {
        m.dh = not_canonical
    })?;
    crafted(s, "Authentication", "dh is not the chain's", |m| {
        m.dh = other
    })?;
    crafted(s, "Malformed", "pn is 2^31", |m| m.pn = 1 << 31)?;
    crafted(s, "Malformed", "n is 2^31", |m| m.n = 1 << 31)?;
    crafted(s, "Malformed", "pq_n is 2^31", |m| m.pq_n = 1 << 31)?;
    crafted(s, "Malformed", "epoch is 2^31", |m| m.epoch = 1 << 31)?;
    crafted(s, "Malformed", "epoch is 0", |m| m.epoch = 0)?;
    crafted(s, "Malformed", "kind is 3", |m| m.kind = 3)?;
    crafted(s, "Malformed", "kind 0 with an index", |m| m.index = 1)?;
    crafted(s, "Malformed", "kind 0 with a codeword", |m| {
        m.codewords.fill(1)
    })?;
    s.pass("a", "b", "still here")
}

fn initial(s: &mut Scene<'_>) -> Outcome<()> {
    let published = alice_and_bob(s)?;
    let bundles = [
        s.bundle("bob", &published, Some(0))?,
        s.bundle("bob", &published, Some(1))?,
    ];
    let [one, two] = bundles;
    let first = s.initiate("alice", "a", &one, 1, "one")?;
    let other = s.initiate("alice", "a2", &two, 1, "two")?;
    s.accept("bob", "b", &first)?;
    let second = s.send("a", "again")?;
    s.name("second", &second);
    let wrong = s.flip("second, another sealed identity", ("second", &second), 2000)?;
    s.bounce(Event::Corrupt, "b", &wrong, "Authentication")?;
    s.note("this session's EK, and another flight");
    let inner = second.len() / 2 - 135;
    let broken = s.splice(
        "second, another type inside",
        ("second", &second),
        inner + 1,
        1,
        "09",
    )?;
    s.bounce(Event::Corrupt, "b", &broken, "Malformed")?;
    s.bounce(Event::Corrupt, "b", &other, "Authentication")?;
    s.note("another session's");
    s.bounce(Event::Corrupt, "a", &first, "Authentication")?;
    s.note("an initiator takes none");
    s.bounce(Event::Corrupt, "a", "0101", "Authentication")?;
    s.note("and does not look into it");
    s.bounce(Event::Corrupt, "b", "0101", "Malformed")?;
    s.deliver("b", &second).map(drop)
}

fn rollback(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 38, 0)?;
    let key = s.fresh(32);
    let message = s.send("a", "hello")?;
    s.event(Event::Setup);
    let blob = s
        .draw(
            "export",
            json!({ "session": "b", "key": key }),
            &[("salt", 32)],
        )?
        .text("blob")?;
    let generation = s
        .state_of("b")?
        .get(4..20)
        .map(|text| u64::from_str_radix(text, 16))
        .ok_or("state")??;
    s.deliver("b", &message)?;
    let sent = s.send("b", "one")?;
    s.event(Event::Rollback);
    let inputs = json!({ "session": "b", "key": key, "blob": blob, "minimum": generation + 2 });
    s.refuse("import", inputs, "Rollback")?;
    s.ask(
        "import",
        json!({ "session": "b", "key": key, "blob": blob, "minimum": generation }),
    )?;
    s.deliver("b", &message)?;
    let again = s.send("b", "one")?;
    if sent == again {
        return Err("a restored copy sends the same message".into());
    }
    s.deliver("a", &again).map(drop)
}

/// Chains near 2^31, made by writing numbers into states.
fn limits(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 1, 2)?;
    let name = "session a, 1 slots, after 2";
    let state = s.state_of("a")?;
    // Offsets as in `state.rs`: n of the sending chain, n of the post-quantum one.
    for (about, at) in [("classical", 412), ("post-quantum", 593)] {
        let last = s.splice(
            &format!("{about} chain at its end"),
            (name, &state),
            at,
            4,
            "7fffffff",
        )?;
        s.load("a", &last)?;
        s.event(Event::Send);
        s.refuse_drawing(
            "encrypt",
            json!({ "session": "a", "plaintext": "" }),
            &[("nonce", 12)],
            "Limit",
        )?;
        let before = s.splice(
            &format!("{about} chain before its end"),
            (name, &state),
            at,
            4,
            "7ffffffe",
        )?;
        s.load("a", &before)?;
        s.send("a", "the last")?;
        s.refuse_drawing(
            "encrypt",
            json!({ "session": "a", "plaintext": "" }),
            &[("nonce", 12)],
            "Limit",
        )?;
    }
    Ok(())
}
