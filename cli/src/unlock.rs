//! Passphrases: from the terminal, a file or a file descriptor; never an argument, which other users can see.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use marline_device::{Argon2Params, Unlock};
use zeroize::Zeroizing;

use crate::args::Cli;
use crate::error::{Error, Result};

/// No passphrase is longer.
const MAX_LENGTH: u64 = 4096;

/// For a device that exists.
pub fn existing(cli: &Cli) -> Result<Unlock> {
    let passphrase = match scripted(cli)? {
        Some(passphrase) => passphrase,
        None => ask("Passphrase: ")?,
    };
    Ok(unlock(&passphrase))
}

/// For a new device: asked twice, not empty.
pub fn fresh(cli: &Cli) -> Result<Unlock> {
    let passphrase = match scripted(cli)? {
        Some(passphrase) => passphrase,
        None => {
            let passphrase = ask("New passphrase: ")?;
            if *passphrase != *ask("Again: ")? {
                return Err(Error::Ask("the passphrases differ"));
            }
            passphrase
        }
    };
    if passphrase.is_empty() {
        return Err(Error::Ask("an empty passphrase protects nothing"));
    }
    Ok(unlock(&passphrase))
}

fn unlock(passphrase: &str) -> Unlock {
    Unlock::Passphrase(passphrase.as_bytes().to_vec(), Argon2Params::default())
}

fn scripted(cli: &Cli) -> Result<Option<Zeroizing<String>>> {
    match (cli.passphrase_fd, &cli.passphrase_file) {
        (Some(fd), _) => first_line(&PathBuf::from(format!("/dev/fd/{fd}"))).map(Some),
        (None, Some(path)) => first_line(path).map(Some),
        (None, None) => Ok(None),
    }
}

fn first_line(path: &Path) -> Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(std::fs::File::open(path)?.take(MAX_LENGTH)).read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

fn ask(prompt: &str) -> Result<Zeroizing<String>> {
    // Standard input may be the data: the terminal is asked directly.
    let answer = rpassword::prompt_password(prompt);
    answer.map(Zeroizing::new).map_err(|error| {
        if std::io::stdin().is_terminal() {
            error.into()
        } else {
            Error::Ask(
                "no terminal to ask for the passphrase: use --passphrase-file or --passphrase-fd",
            )
        }
    })
}
