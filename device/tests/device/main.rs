//! What a device promises: conversations, inbox and outbox, damage, rollback, schema, names.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

mod batch;
mod contacts;
mod conversations;
mod frozen;
#[cfg(unix)]
mod limits;
mod review;
mod storage;

use std::fs;
use std::path::{Path, PathBuf};

use marline_device::{
    Anchor, Argon2Params, Device, Durability, Error, Event, Options, ProtocolError, Publication,
    SendOptions, Trust, Unlock,
};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn create(&self, name: &str) -> Device {
        let options = Options::default();
        Device::create(self.path(name), key(), name.as_bytes(), options).unwrap()
    }

    fn open(&self, name: &str) -> Result<Device, Error> {
        Device::open(self.path(name), key(), Options::default())
    }

    /// Two devices, the first with the second as a contact, and the second's publication.
    fn pair(&self) -> (Device, Device, Publication) {
        let (mut a, mut b) = (self.create("a"), self.create("b"));
        let publication = b.publish(8, NOW).unwrap();
        a.add_contact("b", &publication.bundle(0).unwrap(), NOW)
            .unwrap();
        (a, b, publication)
    }
}

fn key() -> Unlock {
    Unlock::Key([7; 32])
}

fn say(from: &mut Device, to: &str, receiver: &mut Device, text: &[u8]) {
    let out = from.send(to, text, NOW).unwrap();
    let incoming = receiver.receive(&out.message, None, NOW).unwrap();
    assert_eq!(incoming.plaintext(), Some(text));
    from.mark_sent(out.id).unwrap();
    receiver.acknowledge(incoming.id).unwrap();
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}
