//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::error::{EXIT_CODES, Error, Result};

/// Post-quantum end-to-end encrypted conversations, over any transport.
///
/// A device is a file. Bundles go to whoever wants to write to you; messages go over any transport, as files or through
/// pipes. Nothing here opens a network connection.
#[derive(Parser)]
#[command(name = "marline", version, after_help = "Exit codes: --help", after_long_help = EXIT_CODES)]
pub struct Cli {
    /// The device's file [default: marline/device in the user's data directory]
    #[arg(long, global = true, value_name = "FILE", env = "MARLINE_DEVICE")]
    pub device: Option<PathBuf>,
    /// Read the passphrase from the first line of this file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "MARLINE_PASSPHRASE_FILE"
    )]
    pub passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this open file descriptor
    #[arg(
        long,
        global = true,
        value_name = "N",
        conflicts_with = "passphrase_file"
    )]
    pub passphrase_fd: Option<u32>,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Make a device: an identity in a new file, under a passphrase
    Init {
        /// The name to claim towards others: an address, anything
        name: String,
    },
    /// Make prekeys for others to start conversations with
    ///
    /// Without DIR one bundle goes to standard output: give it to one person. With DIR a bundle for each of COUNT people
    /// is written there, and last-resort.bundle for any number, with less protection of first messages.
    Publish {
        /// One-time prekeys (1 to 1024) [default: 1, with DIR 100]
        #[arg(long)]
        count: Option<u16>,
        /// Text instead of binary
        #[arg(long)]
        armor: bool,
        /// Where to put the bundles
        dir: Option<PathBuf>,
    },
    /// Add, verify and look at contacts
    Contact {
        #[command(subcommand)]
        command: ContactCommand,
    },
    /// Encrypt a file for a contact
    Send(SendArgs),
    /// Decrypt what a contact sent
    Receive(ReceiveArgs),
    /// Show contacts, sessions, prekeys left, and what waits
    Status,
    /// Do what is due: publish, replenish, delete old keys
    Maintain {
        /// Where to put new bundles, should there be any
        dir: PathBuf,
    },
    /// Write an encrypted copy of the device
    ExportBackup {
        /// The new file
        file: PathBuf,
    },
    /// Make a device from a backup: identity and contacts stay, sessions start anew
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Show a conversation of two devices on this machine
    Demo,
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write man pages
    Man {
        /// Where to put them
        dir: PathBuf,
    },
}

/// What to do with contacts.
#[derive(Subcommand)]
pub enum ContactCommand {
    /// Add a contact from its bundle, or give a fresh bundle to one
    Add {
        /// The bundle's file; - for standard input
        bundle: PathBuf,
        /// The contact's name here [default: the bundle's file name without its ending]
        #[arg(long)]
        name: Option<String>,
    },
    /// List contacts
    List,
    /// Compare safety numbers with a contact
    Verify {
        /// The contact
        name: String,
        /// The 60 digits the contact sees, for scripts; without, you are asked
        #[arg(long, value_name = "DIGITS")]
        matches: Option<String>,
    },
    /// Go on with the identity the contact shows now
    Accept {
        /// The contact
        name: String,
    },
    /// Stay with the identity known before
    Reject {
        /// The contact
        name: String,
    },
}

/// How to send.
#[derive(Args)]
pub struct SendArgs {
    /// The contact
    #[arg(required_unless_present = "pending")]
    pub contact: Option<String>,
    /// The file [default: standard input]
    pub file: Option<PathBuf>,
    /// Where to put the messages [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Text instead of binary
    #[arg(long)]
    pub armor: bool,
    /// One message without a length before it, for transports that keep messages apart; at most 1 MiB of input
    #[arg(long, conflicts_with = "armor")]
    pub raw: bool,
    /// Give up the session and start another first; needs a fresh bundle of the contact
    #[arg(long)]
    pub reset: bool,
    /// Write what was encrypted before and may not have been sent
    #[arg(long, conflicts_with_all = ["contact", "file", "reset", "raw"])]
    pub pending: bool,
}

/// How to receive.
#[derive(Args)]
pub struct ReceiveArgs {
    /// The messages, binary, text or raw [default: standard input]
    pub file: Option<PathBuf>,
    /// Where to put the decrypted file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The contact it comes from, which saves trying all of them
    #[arg(long, value_name = "CONTACT")]
    pub from: Option<String>,
    /// The input is one message without a length before it
    #[arg(long)]
    pub raw: bool,
}

impl Cli {
    /// The device's file.
    pub fn device_path(&self) -> Result<PathBuf> {
        if let Some(path) = &self.device {
            return Ok(path.clone());
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let data = set("XDG_DATA_HOME").map(PathBuf::from);
        let home = || set("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let data = data.or_else(home);
        let data = data.ok_or(Error::Ask("no home directory: use --device"))?;
        Ok(data.join("marline").join("device"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
