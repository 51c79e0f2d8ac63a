//! `marline-vectors`: see `vectors/README.md`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{stdin, stdout};
use std::process::ExitCode;
use std::thread;

use clap::{Parser, Subcommand};
use marline_vectors::check::check;
use marline_vectors::cross::{Pair, accumulate, cross};
use marline_vectors::cross_contacts::Contacts;
use marline_vectors::driver::{Driver, serve};
use marline_vectors::format::Outcome;
use marline_vectors::process::Process;
use marline_vectors::runner::Implementation;
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
    /// Play pseudo-random sessions and contacts live between this implementation and another, in both directions.
    Cross {
        /// Program and arguments of the other's driver, separated by spaces.
        #[arg(long)]
        driver: String,
        /// Sessions in each direction.
        #[arg(long, default_value_t = 1000)]
        sessions: u64,
        /// Contacts in each direction.
        #[arg(long, default_value_t = 200)]
        contacts: u64,
    },
    /// Compare the accumulated hashes of pseudo-random sessions and contacts with the committed ones.
    Accumulate {
        /// A number of sessions in vectors/accumulated.json.
        #[arg(long, default_value_t = 10_000)]
        sessions: u64,
        /// A number of contacts in it.
        #[arg(long, default_value_t = 200)]
        contacts: u64,
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
        Command::Cross {
            driver,
            sessions,
            contacts,
        } => Ok([
            both_directions(&driver, "sessions", sessions)?,
            both_directions(&driver, "contacts", contacts)?,
        ] == [true; 2]),
        Command::Accumulate { sessions, contacts } => Ok([
            accumulated("sessions", sessions)?,
            accumulated("contacts", contacts)?,
        ] == [true; 2]),
        Command::Drive => serve(stdin().lock(), stdout().lock()).map(|()| true),
    }
}

/// The hash of so many plays of the Rust code with itself, against the committed one.
fn accumulated(what: &str, count: u64) -> Outcome<bool> {
    let (mut one, mut other) = (Driver::default(), Driver::default());
    let sum = if what == "contacts" {
        accumulate(&mut Contacts::new(&mut one, &mut other), count)?
    } else {
        accumulate(&mut Pair::new(&mut one, &mut other), count)?
    };
    println!("{count} {what}: {sum}");
    let committed = set::accumulated(&set::directory(), what, count)?;
    if committed.as_ref() == Some(&sum) {
        return Ok(true);
    }
    let committed = committed.as_deref().unwrap_or("no such number");
    println!("committed: {committed}");
    Ok(false)
}

/// Both directions at once, each with a driver of its own.
fn both_directions(driver: &str, what: &str, count: u64) -> Outcome<bool> {
    let direction = |ours_first: bool| -> Outcome<usize> {
        let (mut ours, mut theirs) = (Driver::default(), Process::start(driver)?);
        let (mut one, mut other) = (Driver::default(), Driver::default());
        let sides: [&mut dyn Implementation; 2] = if ours_first {
            [&mut ours, &mut theirs]
        } else {
            [&mut theirs, &mut ours]
        };
        let [first, second] = sides;
        if what == "contacts" {
            let mut expected = Contacts::new(&mut one, &mut other);
            cross(&mut expected, &mut Contacts::new(first, second), count)
        } else {
            let mut expected = Pair::new(&mut one, &mut other);
            cross(&mut expected, &mut Pair::new(first, second), count)
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
            Ok(answers) => println!("{name}: {count} {what}, {answers} answers agree"),
            Err(reason) => {
                println!("{name}: {what}: FAILED: {reason}");
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
