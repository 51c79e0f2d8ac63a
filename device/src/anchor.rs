//! A generation kept outside of the file, by which an older copy of the file is recognized.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::vault::Vault;

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

    /// The generation last seen; 0 when there is no anchor. A damaged one, or another device's, tells nothing
    /// and is [`Error::Rollback`]: whoever could exchange it could also hide a rollback. One of which a power cut left
    /// nothing is as good as deleted.
    pub(crate) fn read(&self, device: &Path, vault: &Vault) -> Result<u64> {
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
        let generation = u64::from_be_bytes(*generation);
        if tag == vault.anchor_tag(generation)? {
            Ok(generation)
        } else {
            Err(Error::Rollback)
        }
    }

    /// Records a generation. It is written after the commit it belongs to, so a crash between the two leaves an
    /// older anchor, which accepts the file.
    pub(crate) fn write(&self, device: &Path, vault: &Vault, generation: u64) -> Result<()> {
        let Some(path) = self.path(device) else {
            return Ok(());
        };
        let bytes = [
            &generation.to_be_bytes()[..],
            &vault.anchor_tag(generation)?,
        ]
        .concat();
        // Renamed into place, so that a crash leaves the old one or the new one. Two processes use two names.
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(format!(".{}", std::process::id()));
        std::fs::write(&fresh, bytes)?;
        Ok(std::fs::rename(&fresh, path)?)
    }
}
