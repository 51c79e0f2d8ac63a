//! Limits of section 7 at their edges, and refusals that need a crafted object.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::people::{NOW, Published};
use super::ratchet::sessions;
use crate::format::{Event, Layer, Outcome, VectorFile};

/// Entries of a full replay memory (M-HS-09).
const REPLAY: u64 = 4096;
/// Entries of a full memory of generations (7).
const SEEN: u64 = 1 << 20;

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "Full memories, the oldest publication, and codewords that nobody may send.",
    );
    b.case(
        "limits-replay",
        "M-HS-09 M-HS-11",
        "The 4,096th handshake with a last resort is taken, the next is Limit; a memory with more is refused.",
        replay,
    )?;
    b.case(
        "limits-rotate",
        "M-PK-08",
        "Rotate is due with 3,072 entries in the newest replay memory, and not with 3,071.",
        |s| {
            let state = bob(s)?.0;
            for (entries, due) in [(3071, json!(null)), (3072, json!("rotate"))] {
                let full = remembering(s, &state, entries)?;
                s.event(Event::Setup);
                s.ask("load", json!({ "account": "bob", "state": full }))?;
                s.event(Event::Maintain);
                let answer = s.ask("account_maintain", json!({ "account": "bob", "now": NOW }))?;
                if *answer.get("due")? != due {
                    return Err(format!("due with {entries}: {}", answer.get("due")?).into());
                }
            }
            Ok(())
        },
    )?;
    b.case(
        "limits-seen",
        "M-PK-06",
        "With the generations of 1,048,576 identities remembered a new identity is Limit, and a known one is not.",
        seen,
    )?;
    b.case(
        "limits-oldest-publication",
        "M-PK-10 M-HS-05",
        "The 65th publication takes the oldest with it: its handshakes are UnknownPrekey.",
        oldest,
    )?;
    b.case(
        "limits-fewer-codewords",
        "M-MS-03",
        "A message with three codewords in a session of four, from a peer that knows every key.",
        |s| {
            sessions(s, 4, 2)?;
            s.pass("a", "b", "hello")?;
            for codewords in [3, 5] {
                let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
                let message = s.anatomy("a")?.craft(nonce, |m| {
                    m.codewords.resize(32 * codewords, 0);
                    m.padded = [&[0x80][..], &[0; 63]].concat();
                })?;
                s.bounce(Event::Corrupt, "b", &hex::encode(message), "Authentication")?;
                s.note(&format!("{codewords} codewords"));
            }
            s.pass("a", "b", "still here")
        },
    )?;
    b.case(
        "limits-first-codeword",
        "M-EC-01 M-RX-08",
        "A wrong codeword came first: the right one of the same index is ignored, and the object fails its MAC.",
        first_codeword,
    )?;
    b.finish()
}

/// Bob's state after a publication of one prekey, and the publication; Bob is loaded from it.
fn bob(s: &mut Scene<'_>) -> Outcome<(String, Published)> {
    let published = s.unrecorded("limits bob", |s| {
        s.device("bob")?;
        s.publish("bob", 1, NOW)
    })?;
    let state = s
        .aside(json!({ "op": "state", "account": "bob" }))?
        .text("state")?;
    s.name("bob's state", &state);
    Ok((state, published))
}

/// Bob's state with this many entries in its replay memory.
fn remembering(s: &mut Scene<'_>, state: &str, entries: u64) -> Outcome<String> {
    // The lists of the replay memory and of what has been seen are the last fields.
    let head = state.get(..state.len() - 2 * (2 + 4)).ok_or("state")?;
    s.name("bob's state before the replay memory", head);
    let (count, list) = (
        format!("{entries} entries"),
        format!("entries 1 to {entries}"),
    );
    let parts = [
        ("bob's state before the replay memory", head.to_owned()),
        (&count, s.name(&count, &format!("{entries:04x}"))),
        (&list, s.count(&list, entries, 32, "")),
        ("nothing seen", s.name("nothing seen", "00000000")),
    ];
    let parts = parts
        .each_ref()
        .map(|(name, bytes)| (*name, bytes.as_str()));
    Ok(s.join(&format!("bob's state, {entries} entries"), &parts))
}

fn replay(s: &mut Scene<'_>) -> Outcome<()> {
    let (state, published) = bob(s)?;
    let bundle = s.bundle("bob", &published, None)?;
    s.device("alice")?;
    let firsts = [
        s.initiate("alice", "a", &bundle, 1, "the last")?,
        s.initiate("alice", "a", &bundle, 1, "one too many")?,
    ];
    let full = remembering(s, &state, REPLAY - 1)?;
    s.event(Event::Setup);
    s.ask("load", json!({ "account": "bob", "state": full }))?;
    let [last, more] = firsts;
    s.event(Event::Deliver);
    s.accept("bob", "b", &last)?;
    let accept =
        |message: &str| json!({ "account": "bob", "session": "b", "message": message, "now": NOW });
    s.refuse("accept", accept(&more), "Limit")?;
    s.refuse("accept", accept(&last), "Duplicate")?;
    s.note("what is remembered is told from what is new");
    let over = remembering(s, &state, REPLAY + 1)?;
    s.event(Event::Setup);
    s.refuse(
        "load",
        json!({ "account": "bob", "state": over }),
        "Malformed",
    )
}

fn seen(s: &mut Scene<'_>) -> Outcome<()> {
    let (_, published) = bob(s)?;
    let known = s.bundle("bob", &published, None)?;
    let new = s.unrecorded("limits carol", |s| {
        s.device("carol")?;
        let published = s.publish("carol", 1, NOW)?;
        s.bundle("carol", &published, None)
    })?;
    let (head, id) = s.unrecorded("limits alice", |s| {
        s.device("alice")?;
        let inputs = json!({ "account": "alice", "bundle": known, "now": NOW });
        let id = s.ask("verify_bundle", inputs)?.text("identity_id")?;
        let state = s
            .aside(json!({ "op": "state", "account": "alice" }))?
            .text("state")?;
        Ok((state.get(..state.len() - 8).ok_or("state")?.to_owned(), id))
    })?;
    let generation = format!("{:016x}", 1);
    let parts = [
        ("alice's state before what was seen", head),
        ("2^20", format!("{SEEN:08x}")),
        ("bob of generation 1", format!("{id}{generation}")),
    ];
    for (name, bytes) in &parts {
        s.name(name, bytes);
    }
    let others = s.count(
        "2^20 - 1 identities of generation 1",
        SEEN - 1,
        32,
        &generation,
    );
    let [head, count, bob] = parts
        .each_ref()
        .map(|(name, bytes)| (*name, bytes.as_str()));
    let parts = [
        head,
        count,
        ("2^20 - 1 identities of generation 1", &others),
        bob,
    ];
    let full = s.join("alice's state, 2^20 identities seen", &parts);
    s.event(Event::Setup);
    s.ask("load", json!({ "account": "alice", "state": full }))?;
    s.event(Event::Send);
    let inputs = json!({
        "account": "alice", "session": "a", "bundle": new, "slots": 1, "now": NOW, "plaintext": "", "padding": "none",
    });
    s.refuse_drawing("initiate", inputs, &super::people::INITIATE_DRAWS, "Limit")?;
    s.initiate("alice", "a", &known, 1, "").map(drop)
}

fn oldest(s: &mut Scene<'_>) -> Outcome<()> {
    let (state, published) = bob(s)?;
    let bundle = s.bundle("bob", &published, None)?;
    s.device("alice")?;
    let first = s.initiate("alice", "a", &bundle, 1, "")?;
    // A publication whose one prekey is used: head, signed prekey, two empty lists.
    const LONG: usize = 2 * 318;
    let (rest, seen) = state.split_at(state.len() - 8);
    let (head, publication) = rest.split_at(rest.len() - LONG);
    let head = head.get(..head.len() - 2 * (4 + 8 + 1)).ok_or("head")?;
    let part = |from: usize, to: usize| publication.get(2 * from..2 * to).ok_or("publication");
    let mut all = publication.to_owned();
    for id in 1..64u32 {
        all += &format!(
            "{}{:08x}{}00000000",
            part(0, 50)?,
            2 * id + 1,
            part(54, 182)?
        );
    }
    let full = format!("{head}{:08x}{:016x}40{all}{seen}", 129, 64);
    s.name("bob's state, 64 publications", &full);
    s.event(Event::Setup);
    s.ask("load", json!({ "account": "bob", "state": full }))?;
    s.event(Event::Deliver);
    s.accept("bob", "b", &first)?;
    s.note("the oldest publication is there");
    s.event(Event::Setup);
    s.ask("load", json!({ "account": "bob", "state": full }))?;
    s.publish("bob", 1, NOW)?;
    s.event(Event::Deliver);
    let inputs = json!({ "account": "bob", "session": "b2", "message": first, "now": NOW });
    s.refuse("accept", inputs, "UnknownPrekey")
}

fn first_codeword(s: &mut Scene<'_>) -> Outcome<()> {
    let keys = json!({ "auth_root": s.fresh(32), "auth_mac": s.fresh(32) });
    let session_id = s.fresh(32);
    let start = |s: &mut Scene<'_>, role: u8| {
        let mut inputs = keys.clone();
        if let Some(fields) = inputs.as_object_mut() {
            fields.insert("role".into(), json!(role));
        }
        s.ask("scka_start", inputs)?.text("state")
    };
    let (owner, other) = (start(s, 0)?, start(s, 1)?);
    let inputs = json!({ "state": owner, "session_id": session_id, "slots": 38 });
    let key = s
        .draw("scka_send", inputs, &[("KEM seed", 64)])?
        .text("codewords")?;
    let part = |state: &str, codewords: &str| json!({ "state": state, "session_id": session_id, "epoch": 1, "kind": 1, "index": 0, "codewords": codewords });
    let wrong = s.fresh(32);
    let holding = s.ask("scka_receive", part(&other, &wrong))?.text("state")?;
    s.refuse("scka_receive", part(&holding, &key), "AgreementFailed")?;
    s.note("codewords 0 to 37 of the key, of which the first is ignored");
    s.ask("scka_receive", part(&other, &key)).map(drop)
}
