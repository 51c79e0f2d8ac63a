//! `marline`: post-quantum end-to-end encrypted conversations from the shell, over any transport.
//!
//! Files and pipes in, files and pipes out; nothing here opens a network connection. `docs/device.md` has the
//! formats and the exit codes.
#![forbid(unsafe_code)]

mod args;
mod contacts;
mod demo;
mod error;
mod keys;
mod messages;
mod stream;
mod transfer;
mod unlock;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{CommandFactory, Parser};
use marline_device::{Device, Options};

use args::{Cli, Command};
use error::{Error, Result};

/// The time, in Unix seconds. A clock before 1970 is 0.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// One line to the person at the terminal, on standard error: standard output belongs to the data.
fn note(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn open(cli: &Cli) -> Result<Device> {
    let path = cli.device_path()?;
    if !path.exists() {
        return Err(Error::NoDevice(path));
    }
    let unlock = unlock::existing(cli)?;
    Ok(Device::open(path, unlock, Options::default())?)
}

fn run(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Init { name } => keys::init(cli, name),
        Command::Publish { count, armor, dir } => {
            keys::publish(&mut open(cli)?, *count, *armor, dir.as_deref())
        }
        Command::Contact { command } => contacts::run(&mut open(cli)?, command),
        Command::Send(options) => messages::send(&mut open(cli)?, options),
        Command::Receive(options) => messages::receive(&mut open(cli)?, options),
        Command::Status => keys::status(&mut open(cli)?),
        Command::Maintain { dir } => keys::maintain(&mut open(cli)?, dir),
        Command::ExportBackup { file } => {
            open(cli)?.backup(file)?;
            note(format_args!(
                "backup written to {}; same passphrase",
                file.display()
            ));
            Ok(())
        }
        Command::Restore { file } => keys::restore(cli, file),
        Command::Demo => demo::run(),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "marline", &mut io::stdout());
            Ok(())
        }
        Command::Man { dir } => {
            std::fs::create_dir_all(dir)?;
            Ok(clap_mangen::generate_to(Cli::command(), dir)?)
        }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(format_args!("marline: {error}"));
            if let Some(hint) = error.hint() {
                note(format_args!("         {hint}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}
