//! A generation kept outside of the file, by which an older copy of the file is recognized.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::vault::{Point, Vault};

/// A generation and its tag.
const LENGTH: usize = 8 + 32;

/// Where the device's newest generation is kept besides the file itself.
///
/// It shows that the *file* was restored or exchanged. It cannot show that the file and the anchor were restored
/// together (a snapshot of the whole machine): for that, keep [`crate::Device::generation`] where a snapshot does not
/// reach, and give it as [`crate::Options::minimum_generation`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Anchor {
    /// In a small file beside it, `<path>.anchor`.
    #[default]
    Beside,
    /// In this file: another disk, a place that backups leave out.
    At(PathBuf),
    /// Nowhere.
    None,
}

impl Anchor {
    fn path(&self, device: &Path) -> Option<PathBuf> {
        match self {
            Self::Beside => {
                let mut path = device.as_os_str().to_owned();
                path.push(".anchor");
                Some(path.into())
            }
            Self::At(path) => Some(path.clone()),
            Self::None => None,
        }
    }

    /// Refuses an anchor where the device's own files are: writing it would destroy them.
    ///
    /// # Errors
    /// [`Error::Exists`].
    pub(crate) fn check(&self, device: &Path) -> Result<()> {
        let Some(anchor) = self.path(device).map(|path| resolved(&path)) else {
            return Ok(());
        };
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut own = resolved(device).into_os_string();
            own.push(suffix);
            if resolved(Path::new(&own)) == anchor {
                return Err(Error::Exists);
            }
        }
        Ok(())
    }

    /// The generation last seen of the lineage of `now`; 0 when there is no anchor. A damaged one, or one of another
    /// lineage or device, tells nothing and is [`Error::Rollback`]: whoever could exchange it could also hide a rollback.
    /// One of which a power cut left nothing is as good as deleted.
    pub(crate) fn read(&self, device: &Path, vault: &Vault, now: &Point) -> Result<u64> {
        let Some(path) = self.path(device) else {
            return Ok(0);
        };
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            other => other?,
        };
        if bytes.is_empty() || bytes.iter().all(|byte| *byte == 0) && bytes.len() == LENGTH {
            return Ok(0);
        }
        let (generation, tag) = bytes.split_first_chunk::<8>().ok_or(Error::Rollback)?;
        let seen = Point {
            generation: u64::from_be_bytes(*generation),
            lineage: now.lineage,
        };
        if tag == vault.anchor_tag(&seen)? {
            Ok(seen.generation)
        } else {
            Err(Error::Rollback)
        }
    }

    /// Records a generation, unless a newer one of its lineage is there: another process was faster. It is written after
    /// the commit it belongs to, so a crash between the two leaves an older anchor, which accepts the file.
    pub(crate) fn write(&self, device: &Path, vault: &Vault, now: &Point) -> Result<()> {
        let Some(path) = self.path(device) else {
            return Ok(());
        };
        if matches!(self.read(device, vault, now), Ok(seen) if seen >= now.generation) {
            return Ok(());
        }
        let bytes = [&now.generation.to_be_bytes()[..], &vault.anchor_tag(now)?].concat();
        // Renamed into place, so that a crash leaves the old one or the new one. Two processes use two names.
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(format!(".{}", std::process::id()));
        std::fs::write(&fresh, bytes)?;
        Ok(std::fs::rename(&fresh, path)?)
    }
}

/// The file that a path leads to, or would if there were one.
fn resolved(path: &Path) -> PathBuf {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let made = || Some(parent.canonicalize().ok()?.join(path.file_name()?));
    let there = path.canonicalize().ok();
    there.or_else(made).unwrap_or_else(|| path.to_owned())
}
