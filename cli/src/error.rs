//! What goes wrong, the exit code that says so to scripts, and what to do about it.

use std::io;
use std::path::PathBuf;

use marline_device::{Error as Device, ProtocolError as Protocol};

/// Result with this tool's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The device says so.
    #[error(transparent)]
    Device(#[from] Device),
    /// There is no device yet.
    #[error("no device at {0}")]
    NoDevice(PathBuf),
    /// Reading or writing files and pipes.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Input that is no stream of messages, or a plaintext that is no piece of a file.
    #[error("{0}")]
    Input(&'static str),
    /// Nothing new in the input.
    #[error("already received")]
    Duplicate,
    /// The safety numbers differ.
    #[error("the safety numbers differ: somebody may be in between")]
    Mismatch,
    /// No terminal to ask on.
    #[error("{0}")]
    Ask(&'static str),
}

/// The table of `marline --help` and `docs/device.md`.
pub const EXIT_CODES: &str = "Exit codes:
  0  done
  1  any other failure
  2  wrong usage
  3  authentication: forged, corrupt, not for this device, or the safety numbers differ
  4  already received
  5  a fresh bundle of the peer is needed, or of this device for the peer
  6  the contact shows another identity: accept or reject it
  7  rollback: the device or a bundle is older than one seen before
  8  storage: disk full, read only, damaged, in use
  9  wrong passphrase";

impl Error {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Device(Device::Protocol(error)) => match error {
                Protocol::Authentication | Protocol::Malformed | Protocol::Version => 3,
                Protocol::Duplicate => 4,
                Protocol::UnknownPrekey
                | Protocol::PrekeyUsed
                | Protocol::Expired
                | Protocol::NoSession
                | Protocol::AgreementFailed => 5,
                Protocol::IdentityChanged => 6,
                Protocol::Rollback => 7,
                _ => 1,
            },
            Self::Device(Device::Rollback) => 7,
            Self::Device(
                Device::DiskFull
                | Device::ReadOnly
                | Device::Corrupt
                | Device::Busy
                | Device::Schema
                | Device::Storage(_),
            ) => 8,
            Self::Device(Device::WrongKey) => 9,
            Self::Input(_) | Self::Mismatch => 3,
            Self::Duplicate => 4,
            _ => 1,
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoDevice(_) => "make one: marline init",
            Self::Device(Device::Protocol(Protocol::NoSession | Protocol::Expired)) => {
                "get a fresh bundle of the contact: marline contact add BUNDLE"
            }
            Self::Device(Device::Protocol(Protocol::AgreementFailed)) => {
                "get a fresh bundle of the contact, add it, and: marline send --reset CONTACT"
            }
            Self::Device(Device::Protocol(Protocol::UnknownPrekey | Protocol::PrekeyUsed)) => {
                "the sender needs a fresh bundle of this device: marline publish"
            }
            Self::Device(Device::Protocol(Protocol::IdentityChanged)) => {
                "look who it is, then: marline contact accept NAME, or: marline contact reject NAME"
            }
            Self::Device(Device::Rollback) => {
                "this file is older than the one used last; if you restored it: marline restore FILE"
            }
            _ => return None,
        })
    }
}
