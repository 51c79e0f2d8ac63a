//! `marline-vectors`: see `vectors/README.md`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{stdin, stdout};
use std::process::ExitCode;
use std::thread;

use clap::{Parser, Subcommand};
use marline_vectors::check::check;
use marline_vectors::cross::{accumulate, cross};
use marline_vectors::driver::{Driver, serve};
use marline_vectors::format::Outcome;
use marline_vectors::process::Process;
use marline_vectors::set;

/// Test vectors of the Marline protocol.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write vectors/v1, the manifest and the traceability table.
    Generate,
    /// Replay every vector against this implementation.
    Check,
    /// Replay every vector against any implementation: a child process that speaks the driver protocol.
    Conform {
        /// Program and arguments, separated by spaces.
        #[arg(long)]
        driver: String,
        /// Only files whose names begin so.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Play pseudo-random sessions live between this implementation and another, in both directions.
    Cross {
        /// Program and arguments of the other's driver, separated by spaces.
        #[arg(long)]
        driver: String,
        /// Sessions in each direction.
        #[arg(long, default_value_t = 1000)]
        sessions: u64,
    },
    /// Compare the accumulated hash of pseudo-random sessions with the committed one.
    Accumulate {
        /// A number of sessions in vectors/accumulated.json.
        #[arg(long, default_value_t = 10_000)]
        sessions: u64,
    },
    /// Be a driver: JSON lines from standard input to standard output.
    Drive,
}

fn run(command: Command) -> Outcome<bool> {
    match command {
        Command::Generate => {
            set::write(&set::directory())?;
            Ok(true)
        }
        Command::Check => {
            let files = set::read(&set::directory())?;
            let report = check(&files, &mut Driver::default())?;
            println!("provider: {}", marline::hazmat::provider::NAME);
            print!("{}", report.table());
            Ok(report.passed())
        }
        Command::Conform { driver, only } => {
            let mut files = set::read(&set::directory())?;
            files.retain(|named| named.name.starts_with(&only));
            let mut process = Process::start(&driver)?;
            let report = check(&files, &mut process)?;
            print!("{}", report.table());
            Ok(report.passed())
        }
        Command::Cross { driver, sessions } => both_directions(&driver, sessions),
        Command::Accumulate { sessions } => {
            let (sum, committed) = (
                accumulate(sessions)?,
                set::accumulated(&set::directory(), sessions)?,
            );
            println!("{sessions} sessions: {sum}");
            if committed.as_ref() == Some(&sum) {
                return Ok(true);
            }
            println!(
                "committed: {}",
                committed.as_deref().unwrap_or("no such number")
            );
            Ok(false)
        }
        Command::Drive => serve(stdin().lock(), stdout().lock()).map(|()| true),
    }
}

/// Both directions at once, each with a driver of its own.
fn both_directions(driver: &str, sessions: u64) -> Outcome<bool> {
    let direction = |ours_first: bool| -> Outcome<usize> {
        let (mut ours, mut theirs) = (Driver::default(), Process::start(driver)?);
        if ours_first {
            cross(&mut ours, &mut theirs, sessions)
        } else {
            cross(&mut theirs, &mut ours, sessions)
        }
    };
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| direction(true));
        (direction(false), first.join())
    });
    let results = [
        ("they initiate, we answer", first),
        (
            "we initiate, they answer",
            second.unwrap_or_else(|_| Err("panicked".into())),
        ),
    ];
    let mut passed = true;
    for (name, result) in results {
        match result {
            Ok(answers) => println!("{name}: {sessions} sessions, {answers} answers agree"),
            Err(reason) => {
                println!("{name}: FAILED: {reason}");
                passed = false;
            }
        }
    }
    Ok(passed)
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("marline-vectors: {reason}");
            ExitCode::FAILURE
        }
    }
}
