//! A Marline device that keeps its state: identity, prekeys, contacts and undelivered messages in one encrypted
//! file, behind calls that return only after the state is on disk.
//!
//! What is fixed in the code, so that an application cannot get it wrong:
//!
//! * **Order.** Every call computes, persists, and then releases: no ciphertext and no plaintext leaves before the state that
//!   belongs to it is committed.
//! * **Nothing is lost.** A ciphertext stays in the outbox until [`Device::mark_sent`], a plaintext in the inbox until
//!   [`Device::acknowledge`]: after a crash both are still there. The same message given to [`Device::receive`] again yields
//!   the same plaintext until it is acknowledged.
//! * **One state.** Every change is a transaction that compares and swaps generations, so two processes on one file never
//!   encrypt from one state.
//! * **Going back shows.** A generation is kept beside the file (see [`Options::anchor`]): an older file is
//!   [`Error::Rollback`]. [`Device::open_restored`] makes such a copy safe to go on with.
//!
//! ```
//! use marline_device::{Device, Options, Unlock};
//!
//! # fn main() -> Result<(), marline_device::Error> {
//! # let dir = std::env::temp_dir().join(format!("marline-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir).ok();
//! let now = 1_800_000_000; // Unix seconds, from the application's clock
//! let options = Options::default();
//! let mut bob = Device::create(dir.join("bob"), Unlock::Key([1; 32]), b"bob", options.clone())?;
//! let publication = bob.publish(20, now)?; // for any directory
//!
//! let mut alice = Device::create(dir.join("alice"), Unlock::Key([2; 32]), b"alice", options)?;
//! alice.add_contact("bob", &publication.bundle(0)?, now)?;
//! let outgoing = alice.send("bob", b"hello", now)?; // on disk already
//! alice.mark_sent(outgoing.id)?;
//!
//! let incoming = bob.receive(&outgoing.message, None, now)?;
//! assert_eq!(incoming.plaintext(), Some(&b"hello"[..]));
//! bob.acknowledge(incoming.id)?;
//! # drop((alice, bob));
//! # std::fs::remove_dir_all(dir).ok();
//! # Ok(())
//! # }
//! ```
//!
//! `docs/device.md` has the life cycle, the file format and what a thief of the file learns.
#![forbid(unsafe_code)]

mod anchor;
mod contacts;
mod device;
mod error;
mod events;
mod lifecycle;
mod messages;
mod receive;
mod records;
mod sqlite;
mod store;
mod vault;

pub use anchor::Anchor;
pub use contacts::{Added, ContactInfo};
pub use device::{Device, Options};
pub use error::{Error, Result};
pub use lifecycle::{Maintenance, Publication, Status};
pub use messages::{Incoming, Outgoing, SendOptions};
pub use sqlite::{Durability, Sqlite};
pub use store::{Kind, Row, RowKey, Store, Transaction};
pub use vault::{Argon2Params, Unlock};

pub use marline::{Error as ProtocolError, Event, Facts, IdentityId, Padding, SafetyNumber, Trust};
