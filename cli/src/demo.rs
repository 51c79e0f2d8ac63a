//! A conversation of two devices on this machine, until it has healed.

use std::io::{self, Write};
use std::path::Path;

use marline_device::{Device, Options, Unlock};

use crate::error::Result;
use crate::now;

/// Messages until the first post-quantum epoch of an alternating conversation is complete, and some.
const MESSAGES: usize = 42;

/// `marline demo`
pub fn run() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("marline-demo-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let result = converse(&dir);
    let removed = std::fs::remove_dir_all(&dir);
    result?;
    Ok(removed?)
}

fn key() -> Result<Unlock> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|_| marline_device::Error::from(marline_device::ProtocolError::Randomness))?;
    Ok(Unlock::Key(key))
}

fn converse(dir: &Path) -> Result<()> {
    let mut out = io::stdout().lock();
    let options = Options::default();
    let mut alice = Device::create(dir.join("alice"), key()?, b"alice", options.clone())?;
    let mut bob = Device::create(dir.join("bob"), key()?, b"bob", options)?;
    writeln!(out, "two devices in {}", dir.display())?;
    let bundle = bob.publish(1, now())?.bundle(0)?;
    writeln!(out, "bob publishes a prekey bundle: {} bytes", bundle.len())?;
    alice.add_contact("bob", &bundle, now())?;
    writeln!(out, "alice adds bob: signature and prekey verified")?;

    let first = alice.send("bob", b"hello bob", now())?;
    let size = first.message.len();
    writeln!(
        out,
        "alice sends 9 bytes: {size} bytes with the handshake, nothing of it says who she is"
    )?;
    let incoming = bob.receive(&first.message, None, now())?;
    let text = incoming
        .plaintext()
        .unwrap_or_default()
        .escape_ascii()
        .to_string();
    writeln!(out, "bob reads \"{text}\" from {}", incoming.contact)?;
    let (alices, bobs) = (alice.id(), bob.id());
    writeln!(out, "both compare {}", alice.safety_number(&bobs))?;
    alice.set_verified("bob", bobs, true)?;
    bob.set_verified("alice", alices, true)?;

    let mut epoch = 0;
    for number in 2..=MESSAGES {
        let (from, to, name) = if number % 2 == 0 {
            (&mut bob, &mut alice, "alice")
        } else {
            (&mut alice, &mut bob, "bob")
        };
        let message = from.send(name, b"and so on", now())?;
        let incoming = to.receive(&message.message, None, now())?;
        from.mark_sent(message.id)?;
        to.acknowledge(incoming.id)?;
        if number == 2 {
            writeln!(
                out,
                "answered: {} bytes a message from now on",
                message.message.len()
            )?;
        }
        let reached = healed(&mut alice, "bob")?.min(healed(&mut bob, "alice")?);
        if reached > epoch {
            epoch = reached;
            writeln!(
                out,
                "message {number}: both have a fresh ML-KEM secret; a state stolen"
            )?;
            writeln!(
                out,
                "  before they began to agree on it does not open what follows"
            )?;
        }
    }
    writeln!(
        out,
        "{MESSAGES} messages, each on disk before it was released"
    )?;
    Ok(())
}

/// The newest post-quantum epoch that a device has completed with a contact.
fn healed(device: &mut Device, contact: &str) -> Result<u32> {
    let sessions = device.contact(contact)?.sessions;
    Ok(sessions.first().map_or(0, |facts| facts.epoch))
}
