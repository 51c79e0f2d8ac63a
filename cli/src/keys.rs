//! The device itself: making it, publishing, upkeep, status, restoring.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use marline_device::{Device, Error as DeviceError, Options, Publication};

use crate::args::Cli;
use crate::contacts::{hex, short};
use crate::error::Result;
use crate::stream::{self, BUNDLE};
use crate::{note, now, unlock};

/// `marline init`
pub fn init(cli: &Cli, name: &str) -> Result<()> {
    let path = cli.device_path()?;
    if path.exists() {
        return Err(DeviceError::Exists.into());
    }
    let unlock = unlock::fresh(cli)?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let device = Device::create(&path, unlock, name.as_bytes(), Options::default())?;
    note(format_args!(
        "device {} in {}",
        short(&device.id()),
        path.display()
    ));
    Ok(())
}

/// `marline publish`
pub fn publish(
    device: &mut Device,
    count: Option<u16>,
    armor: bool,
    dir: Option<&Path>,
) -> Result<()> {
    let count = count.unwrap_or(if dir.is_some() { 100 } else { 1 });
    let publication = device.publish(count, now())?;
    match dir {
        Some(dir) => write_bundles(&publication, dir, armor)?,
        None => io::stdout().write_all(&bundle_bytes(publication.bundle(0)?, armor)?)?,
    }
    Ok(device.mark_published()?)
}

fn bundle_bytes(bundle: Vec<u8>, armor: bool) -> Result<Vec<u8>> {
    if armor {
        Ok(stream::armor(BUNDLE, &bundle)?.into_bytes())
    } else {
        Ok(bundle)
    }
}

fn write_bundles(publication: &Publication, dir: &Path, armor: bool) -> Result<()> {
    fs::create_dir_all(dir)?;
    for index in 0..publication.one_time.len() {
        let bundle = bundle_bytes(publication.bundle(index)?, armor)?;
        fs::write(dir.join(format!("{:04}.bundle", index + 1)), bundle)?;
    }
    let last = bundle_bytes(publication.last_resort_bundle(), armor)?;
    fs::write(dir.join("last-resort.bundle"), last)?;
    let count = publication.one_time.len();
    note(format_args!(
        "{count} one-time bundles and last-resort.bundle in {}",
        dir.display()
    ));
    Ok(())
}

/// `marline maintain`
pub fn maintain(device: &mut Device, dir: &Path) -> Result<()> {
    let report = device.maintain(now())?;
    // Also one that an earlier run made and did not get out.
    if let Some(publication) = device.unpublished()? {
        write_bundles(&publication, dir, false)?;
        device.mark_published()?;
    }
    let done = match report.reason {
        None => "no new prekeys needed".to_string(),
        Some(task) => format!("published: {task:?}"),
    };
    note(format_args!(
        "{done}; {} old publications deleted; {} contacts looked through",
        report.deleted, report.contacts
    ));
    Ok(())
}

/// `marline status`
pub fn status(device: &mut Device) -> Result<()> {
    let status = device.status(now())?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "device      {} \"{}\"",
        hex(&device.id()),
        status.subject.escape_ascii()
    )?;
    writeln!(out, "prekeys     {} one-time left", status.one_time_prekeys)?;
    writeln!(
        out,
        "waiting     {} to send, {} to read",
        status.outbox, status.inbox
    )?;
    for task in &status.due {
        writeln!(out, "due         {task:?}: marline maintain DIR")?;
    }
    if status.unpublished {
        writeln!(
            out,
            "due         bundles that nobody has: marline maintain DIR"
        )?;
    }
    for contact in device.contacts()? {
        let trust = if contact.verified {
            "verified"
        } else {
            "not verified"
        };
        writeln!(
            out,
            "contact     {} {} {trust}",
            contact.name,
            short(&contact.identity)
        )?;
        if let Some(other) = contact.changed {
            writeln!(
                out,
                "  CHANGED   shows {}: nothing is sent until you decide",
                short(&other)
            )?;
        }
        for facts in &contact.sessions {
            writeln!(
                out,
                "  session   epoch {}, {} messages since it healed{}{}",
                facts.epoch,
                facts.messages_since_epoch,
                if facts.peer_has_answered {
                    ""
                } else {
                    ", not answered yet"
                },
                if facts.failed { ", ENDED" } else { "" },
            )?;
        }
    }
    Ok(())
}

/// `marline restore`
pub fn restore(cli: &Cli, file: &Path) -> Result<()> {
    let path = cli.device_path()?;
    let unlock = unlock::existing(cli)?;
    if path != file {
        if path.exists() {
            return Err(DeviceError::Exists.into());
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(file, &path)?;
    }
    let restored = Device::open_restored(&path, unlock, Options::default(), now());
    match restored {
        Ok(_) => {
            note("restored; sessions start anew: publish, and add a fresh bundle of each contact");
            Ok(())
        }
        Err(error) => {
            if path != file {
                let _ = fs::remove_file(&path);
            }
            Err(error.into())
        }
    }
}
