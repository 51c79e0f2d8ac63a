//! `marline-vectors`: see `vectors/README.md`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{stdin, stdout};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use marline_vectors::check::check;
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
            let report = check(&files, &mut Driver::default(), |driver| {
                *driver = Driver::default()
            })?;
            print!("{}", report.table());
            Ok(report.passed())
        }
        Command::Conform { driver, only } => {
            let mut files = set::read(&set::directory())?;
            files.retain(|named| named.name.starts_with(&only));
            let mut process = Process::start(&driver)?;
            let report = check(&files, &mut process, |_| {})?;
            print!("{}", report.table());
            Ok(report.passed())
        }
        Command::Drive => serve(stdin().lock(), stdout().lock()).map(|()| true),
    }
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
