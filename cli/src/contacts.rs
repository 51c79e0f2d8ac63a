//! Contacts.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use marline_device::{Device, Event, IdentityId};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use crate::args::ContactCommand;
use crate::error::{Error, Result};
use crate::stream::{self, BUNDLE};
use crate::{note, now};

/// No bundle is longer, in text.
const MAX_BUNDLE: u64 = 65_536;

/// An identity in full.
pub fn hex(id: &IdentityId) -> String {
    id.as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Enough of an identity to tell it apart.
pub fn short(id: &IdentityId) -> String {
    hex(id).chars().take(16).collect()
}

/// `marline contact …`
pub fn run(device: &mut Device, command: &ContactCommand) -> Result<()> {
    match command {
        ContactCommand::Add { bundle, name } => add(device, bundle, name.as_deref()),
        ContactCommand::List => list(device),
        ContactCommand::Verify { name, matches } => verify(device, name, matches.as_deref()),
        ContactCommand::Accept { name } => {
            let changed = device.contact(name)?.changed;
            let identity = changed.ok_or(Error::Ask("the contact's identity has not changed"))?;
            device.acknowledge_identity(name, identity)?;
            note(format_args!(
                "{name} is {} from now on, not verified",
                short(&identity)
            ));
            Ok(())
        }
        ContactCommand::Reject { name } => {
            device.reject_identity(name)?;
            note(format_args!(
                "{name} stays {}",
                short(&device.contact(name)?.identity)
            ));
            Ok(())
        }
    }
}

fn add(device: &mut Device, path: &Path, name: Option<&str>) -> Result<()> {
    let stdin = path == Path::new("-");
    let name = match (name, path.file_stem().and_then(|stem| stem.to_str())) {
        (Some(name), _) => name,
        (None, Some(stem)) if !stdin => stem,
        _ => return Err(Error::Ask("what is the contact's name? use --name")),
    };
    let mut bundle = Vec::new();
    if stdin {
        io::stdin().take(MAX_BUNDLE).read_to_end(&mut bundle)?;
    } else {
        std::fs::File::open(path)?
            .take(MAX_BUNDLE)
            .read_to_end(&mut bundle)?;
    }
    if bundle.starts_with(b"-----") {
        bundle = stream::unarmor(BUNDLE, &bundle)?;
    }
    let added = device.add_contact(name, &bundle, now())?;
    if let Some(Event::IdentityChanged { from, to }) = added.event {
        note(format_args!(
            "{name} was {} and shows {} now",
            short(&from),
            short(&to)
        ));
        return Err(
            marline_device::Error::from(marline_device::ProtocolError::IdentityChanged).into(),
        );
    }
    let what = if added.new {
        "added"
    } else {
        "has a fresh bundle"
    };
    note(format_args!("{name} {what}: {}", short(&added.identity)));
    Ok(())
}

fn list(device: &mut Device) -> Result<()> {
    let mut contacts = device.contacts()?;
    contacts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = io::stdout().lock();
    for contact in contacts {
        let trust = match (contact.changed, contact.verified) {
            (Some(_), _) => "changed",
            (None, true) => "verified",
            (None, false) => "not verified",
        };
        writeln!(out, "{}\t{}\t{trust}", contact.name, hex(&contact.identity))?;
    }
    Ok(())
}

fn verify(device: &mut Device, name: &str, matches: Option<&str>) -> Result<()> {
    let identity = device.contact(name)?.identity;
    let number = device.safety_number(&identity);
    if let Some(theirs) = matches {
        let theirs: String = theirs.chars().filter(|c| !c.is_whitespace()).collect();
        if theirs != number.digits() {
            return Err(Error::Mismatch);
        }
        device.set_verified(name, identity, true)?;
        note(format_args!("{name} is verified"));
        return Ok(());
    }
    let mut out = io::stdout().lock();
    if let Ok(code) = QrCode::new(number.qr()) {
        writeln!(out, "{}", code.render::<Dense1x2>().build())?;
    }
    writeln!(out, "{number}")?;
    out.flush()?;
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    note(format_args!("Does {name} see the same number? [y/N]"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        device.set_verified(name, identity, true)?;
        note(format_args!("{name} is verified"));
        Ok(())
    } else {
        Err(Error::Mismatch)
    }
}
