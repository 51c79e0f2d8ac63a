//! Two devices, real files, a bad channel, and a thief.
//!
//! `cargo run --release --example conversation -- FILE...` sends the files as messages over a channel that
//! drops, delays and duplicates, and shows what it cost; half-way somebody copies the receiver's state.
#![allow(clippy::print_stdout)]

mod channel;
mod report;
mod run;
mod thief;

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use marline::Slots;

/// What is sent when no file is given.
const DEFAULT: &[u8] = include_bytes!("../../../LICENSE-APACHE");

/// Two accounts exchange real files over a channel that drops, reorders and duplicates.
#[derive(Parser)]
struct Options {
    /// Files to send; the text of the Apache licence when there is none.
    files: Vec<PathBuf>,
    /// Share of messages that are lost, 0 to 0.9.
    #[arg(long, default_value_t = 0.10)]
    drop: f64,
    /// Share of messages that are delayed past later ones.
    #[arg(long, default_value_t = 0.10)]
    reorder: f64,
    /// Share of messages that arrive twice.
    #[arg(long, default_value_t = 0.05)]
    duplicate: f64,
    /// Bytes of a file in one message.
    #[arg(long, default_value_t = 32)]
    piece: usize,
    /// Codewords per message: 1 (constrained), 4 (standard) to 38 (immediate).
    #[arg(long, default_value_t = 4)]
    slots: u8,
    /// Seed of the channel; random when not given. Keys are random always.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let seed = options
        .seed
        .unwrap_or_else(|| getrandom::u64().unwrap_or_default());
    let rates = channel::Rates::new(options.drop, options.reorder, options.duplicate)?;
    let mut files = Vec::new();
    for path in &options.files {
        files.push((path.display().to_string(), std::fs::read(path)?));
    }
    if files.is_empty() {
        files.push(("LICENSE-APACHE".into(), DEFAULT.to_vec()));
    }
    println!(
        "channel: {:.0} % dropped, {:.0} % delayed, {:.0} % twice, seed {seed}",
        options.drop * 100.0,
        options.reorder * 100.0,
        options.duplicate * 100.0,
    );
    let outcome = run::run(
        &files,
        rates,
        seed,
        options.piece.max(1),
        Slots::new(options.slots)?,
    )?;
    report::print(&files, &outcome);
    if outcome.intact {
        Ok(())
    } else {
        Err("a file arrived damaged".into())
    }
}
