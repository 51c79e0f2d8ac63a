//! `cargo run --release -p marline-benches -- report`: what Marline's operations cost, on this machine, now.

mod page;
mod plots;
mod report;
mod tables;

use std::path::PathBuf;
use std::{env, fs, process};

use clap::{Args, Parser, Subcommand};
use marline_benches::Outcome;
use marline_benches::measure::{Effort, PROVIDER, measure};

/// What Marline's operations cost.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure with both providers and write DIRECTORY/report.md and index.html.
    Report(Options),
    /// Measure with the provider that this program was built with, and write the figures only.
    Measure(Options),
}

#[derive(Args)]
struct Options {
    /// Where to write.
    #[arg(long, default_value = "target/report")]
    directory: PathBuf,
    /// A look whether everything works: figures worth nothing, and this program's provider only.
    #[arg(long)]
    quick: bool,
    /// A conversation of 1,000,000 messages instead of 100,000.
    #[arg(long)]
    full: bool,
    /// Measure nothing: write the report of the figures that `measure` has left in DIRECTORY.
    #[arg(long)]
    measured: bool,
}

impl Options {
    fn effort(&self) -> Effort {
        Effort {
            rounds: if self.quick { 1 } else { 25 },
            sample: if self.quick { 1e5 } else { 5e6 },
            messages: match (self.quick, self.full) {
                (true, _) => 1_000,
                (_, true) => 1_000_000,
                _ => 100_000,
            },
        }
    }
}

/// Builds this program with the other provider and lets it measure; whether that worked.
fn measure_other(options: &Options) -> Outcome<bool> {
    let Some(cargo) = env::var_os("CARGO") else {
        return Ok(false);
    };
    let mut command = process::Command::new(cargo);
    command.args([
        "run",
        "--release",
        "-p",
        "marline-benches",
        "--features",
        "aws-lc",
        "--",
        "measure",
    ]);
    command.arg("--directory").arg(&options.directory);
    if options.full {
        command.arg("--full");
    }
    Ok(command.status()?.success())
}

fn main() -> Outcome<()> {
    match Arguments::parse().command {
        Command::Measure(options) => {
            fs::create_dir_all(&options.directory)?;
            measure(&options.directory, options.effort())
        }
        Command::Report(options) => {
            fs::create_dir_all(&options.directory)?;
            let load_before = report::load();
            let mut providers = vec![PROVIDER];
            if options.measured {
                let there = |name: &&str| report::is_measured(&options.directory, name);
                providers = ["rustcrypto", "aws-lc"].into_iter().filter(there).collect();
                return report::write(&options.directory, &providers, load_before, options.quick);
            }
            // Builds first: this program is to measure on the quieter machine.
            if PROVIDER == "rustcrypto" && !options.quick && measure_other(&options)? {
                providers.push("aws-lc");
            }
            measure(&options.directory, options.effort())?;
            report::write(&options.directory, &providers, load_before, options.quick)
        }
    }
}
