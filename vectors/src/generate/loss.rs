//! Scripts: messages that are lost, late, or come twice; the limits of what is kept for them.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::people::{DAY, NOW};
use super::ratchet::sessions;
use crate::format::{Event, Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Scripts,
        "Loss, reordering and duplicates; skipped keys, their number and their age.",
    );
    b.case(
        "loss-reorder",
        "M-DR-03 M-DR-06 M-RX-07",
        "Five messages backwards, then each of them again.",
        |s| {
            sessions(s, 4, 1)?;
            let sent: Vec<String> = (0..5)
                .map(|i| s.send("a", &i.to_string()))
                .collect::<Outcome<_>>()?;
            for message in sent.iter().rev() {
                s.event(Event::Reorder);
                s.ask("decrypt", json!({ "session": "b", "message": message }))?;
            }
            sent.iter()
                .try_for_each(|message| s.bounce(Event::Duplicate, "b", message, "Duplicate"))
        },
    )?;
    b.case(
        "loss-across-chains",
        "M-DR-03 M-DR-07 M-RX-02 M-RX-04",
        "Messages of a chain that has been retired: one that was jumped over by pn, one twice.",
        |s| {
            sessions(s, 4, 1)?;
            let (one, two, three) = (s.send("a", "1")?, s.send("a", "2")?, s.send("a", "3")?);
            s.deliver("b", &one)?;
            s.pass("b", "a", "answer")?;
            s.pass("a", "b", "next chain")?;
            s.event(Event::Reorder);
            s.ask("decrypt", json!({ "session": "b", "message": three }))?;
            s.bounce(Event::Duplicate, "b", &three, "Duplicate")?;
            s.bounce(Event::Duplicate, "b", &one, "Duplicate")?;
            s.event(Event::Reorder);
            s.ask("decrypt", json!({ "session": "b", "message": two }))
                .map(drop)
        },
    )?;
    b.case(
        "loss-dropped",
        "M-DR-03 M-SC-02",
        "Every second message is lost; the agreement goes on all the same.",
        |s| {
            sessions(s, 4, 0)?;
            for i in 0..12 {
                for (from, to) in [("b", "a"), ("a", "b")] {
                    s.send(from, "lost")?;
                    s.happens(Event::Drop, "the message is lost");
                    s.pass(from, to, &i.to_string())?;
                }
            }
            Ok(())
        },
    )?;
    b.case("loss-nine-chains", "M-DR-07 M-DR-06", "A message of the oldest of eight retired chains is taken; with the next chain it is no longer known.", nine_chains)?;
    b.case("loss-jump", "M-DR-04 M-DR-05", "25,000 keys may be jumped over in each ratchet, 25,001 not in either; the 2,000 newest are kept.", jump)?;
    b.case(
        "loss-jump-two-chains",
        "M-DR-04",
        "The jumps in the retiring and in the new chain count together.",
        |s| {
            sessions(s, 1, 2)?;
            // b's next message begins a new chain: pn says how long the last was.
            s.send("b", "lost")?;
            s.happens(Event::Drop, "the message is lost");
            let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
            let forged = s
                .anatomy("b")?
                .craft(nonce, |m| (m.pn, m.n) = (m.pn + 12_500, 12_501))?;
            s.bounce(Event::Deliver, "a", &hex::encode(forged), "TooFarAhead")
        },
    )?;
    b.case("loss-age", "M-DR-05 M-DR-06 M-SP-05", "Skipped keys get a day when `maintain` first sees them, and go 30 days later with everything below them.", age)?;
    b.case(
        "loss-clock-back",
        "M-DR-05",
        "A clock that went back deletes nothing.",
        |s| {
            sessions(s, 4, 1)?;
            let late = s.send("a", "late")?;
            s.pass("a", "b", "in time")?;
            s.event(Event::Maintain);
            for now in [NOW, NOW - 10 * DAY, NOW - 400 * DAY, NOW + 29 * DAY] {
                s.ask("maintain", json!({ "session": "b", "now": now }))?;
            }
            s.deliver("b", &late).map(drop)
        },
    )?;
    b.finish()
}

fn nine_chains(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 1, 1)?;
    let mut late = Vec::new();
    for chain in 1..=9 {
        // Chain 2 has no skipped keys: that changes nothing.
        if chain != 2 {
            late.push([s.send("a", "late")?, s.send("a", "later")?]);
        }
        s.pass("a", "b", &format!("chain {chain}"))?;
        s.pass("b", "a", "turn")?;
    }
    s.note("chain 9 is the current one, chains 8 to 1 are retired, that of the handshake is gone");
    let [[late_1, later_1], [_, later_3]] = late.get(..2).ok_or("chains")? else {
        return Err("chains".into());
    };
    s.event(Event::Reorder);
    s.ask("decrypt", json!({ "session": "b", "message": late_1 }))?;
    s.pass("a", "b", "chain 10")?;
    s.note("chain 1 goes with its skipped key");
    s.bounce(Event::Reorder, "b", later_1, "Authentication")?;
    s.event(Event::Reorder);
    s.ask("decrypt", json!({ "session": "b", "message": later_3 }))
        .map(drop)
}

fn jump(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 1, 1)?;
    s.pass("a", "b", "hello")?;
    let anatomy = s.anatomy("a")?;
    let craft = |s: &mut Scene<'_>, n: u32, pq_n: u32| -> Outcome<String> {
        let nonce = s.stream().take(12).try_into().map_err(|_| "nonce")?;
        Ok(hex::encode(anatomy.craft(nonce, |m| {
            (m.n, m.pq_n) = (m.n + n, m.pq_n + pq_n)
        })?))
    };
    for (n, pq_n) in [
        (25_001, 0),
        (0, 25_001),
        (25_001, 25_001),
        (2_000_000_000, 0),
    ] {
        let far = craft(s, n, pq_n)?;
        s.bounce(Event::Deliver, "b", &far, "TooFarAhead")?;
    }
    let kept = craft(s, 25_000 - 2_000, 25_000 - 2_000)?;
    let gone = craft(s, 25_000 - 2_001, 25_000 - 2_001)?;
    let just = craft(s, 25_000, 25_000)?;
    s.deliver("b", &just)?;
    s.bounce(Event::Reorder, "b", &gone, "TooOld")?;
    s.deliver("b", &kept)?;
    s.bounce(Event::Duplicate, "b", &kept, "Duplicate")?;
    s.bounce(Event::Duplicate, "b", &just, "Duplicate")
}

fn age(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 4, 1)?;
    let early = [s.send("a", "0")?, s.send("a", "1")?];
    s.pass("a", "b", "2")?;
    let maintain = |s: &mut Scene<'_>, now: u64| {
        s.event(Event::Maintain);
        s.ask("maintain", json!({ "session": "b", "now": now }))
            .map(drop)
    };
    maintain(s, NOW)?;
    let later = s.send("a", "3")?;
    s.pass("a", "b", "4")?;
    maintain(s, NOW + DAY)?;
    maintain(s, NOW + 29 * DAY)?;
    let [first, second] = early;
    s.deliver("b", &second)?;
    maintain(s, NOW + 30 * DAY)?;
    s.bounce(Event::Reorder, "b", &first, "TooOld")?;
    s.deliver("b", &later)?;
    maintain(s, NOW + 300 * DAY)
}
