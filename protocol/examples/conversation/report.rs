//! The tables.

use std::time::Duration;

use comfy_table::{Table, presets};

use crate::run::{Outcome, Side};
use crate::thief::Power;

fn micros(time: Duration, count: usize) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6 / count.max(1) as f64)
}

/// Prints what the conversation cost and what the thieves got.
pub fn print(files: &[(String, Vec<u8>)], outcome: &Outcome) {
    let [forth, back] = &outcome.sides;
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["", "sender", "receiver"]);
    let mut row = |name: &str, cells: [String; 2]| {
        let [sender, receiver] = cells;
        table.add_row([name.into(), sender, receiver]);
    };
    let each = |f: &dyn Fn(&Side) -> String| [f(forth), f(back)];
    row("messages sent", each(&|side| side.sent.to_string()));
    row(
        "bytes of plaintext",
        each(&|side| side.plaintext.to_string()),
    );
    row(
        "overhead per message once answered, bytes",
        each(&|side| (side.overhead / side.plain.max(1)).to_string()),
    );
    row(
        "messages with a first flight (7 kB) before",
        each(&|side| (side.sent - side.plain).to_string()),
    );
    row(
        "dropped, delayed, duplicated",
        outcome.lost.map(|(a, b, c)| format!("{a}, {b}, {c}")),
    );
    row("messages accepted", each(&|side| side.accepted.to_string()));
    row(
        "jumped over, keys kept",
        each(&|side| side.skipped.to_string()),
    );
    row(
        "came late and were recovered",
        each(&|side| side.recovered.to_string()),
    );
    row(
        "refused: delivered before, or too late",
        each(&|side| side.duplicates.to_string()),
    );
    let [initiate, accept] = outcome.handshake.map(|time| micros(time, 1));
    row("handshake", [initiate, accept]);
    row(
        "time per encryption",
        each(&|side| micros(side.encrypting, side.sent)),
    );
    row(
        "time per decryption",
        each(&|side| micros(side.decrypting, side.accepted + side.duplicates)),
    );
    println!("{table}");

    let accepted = forth.accepted + back.accepted;
    match accepted.checked_div(outcome.epoch as usize) {
        Some(per_epoch) => println!(
            "post-quantum epochs completed: {}, one in {per_epoch} accepted messages ({} codewords in each)",
            outcome.epoch,
            outcome.slots.get(),
        ),
        None => println!("post-quantum epochs completed: 0 (too few messages)"),
    }
    thieves(outcome);
    for (name, content) in files {
        let verdict = if outcome.intact {
            "byte for byte the same"
        } else {
            "DAMAGED"
        };
        println!("{name}: {} bytes, {verdict}", content.len());
    }
}

fn thieves(outcome: &Outcome) {
    if outcome.thieves.is_empty() {
        return;
    }
    let after = outcome.received - outcome.stolen_at;
    println!(
        "receiver's state copied after message {} of {}; what the thief reads of the {after} after it:",
        outcome.stolen_at, outcome.received
    );
    for thief in &outcome.thieves {
        let who = match thief.power {
            Power::None => "with the copy alone",
            Power::BreaksX25519 => "who also breaks X25519",
            Power::BreaksMlKem => "who also breaks ML-KEM",
        };
        match thief.read.last() {
            Some(last) if *last >= after => {
                println!("  {who}: {} messages, not healed yet", thief.read.len())
            }
            Some(last) => {
                println!(
                    "  {who}: {} messages, nothing from message {} on",
                    thief.read.len(),
                    last + 1
                );
            }
            None => println!("  {who}: nothing"),
        }
    }
}
