//! Randomness that can be played again: for work that is done twice and must come to the same bytes.

use std::io;

use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::randomness::Os;

/// Records what it draws from the operating system. After [`Tape::rewind`] it gives the same, and then goes on with fresh
/// randomness.
#[derive(Default)]
pub(crate) struct Tape {
    /// Each draw by itself: a vector that grows would leave copies behind.
    drawn: Vec<Zeroizing<Vec<u8>>>,
    /// The next draw to give again; none while it records.
    replay: Option<usize>,
}

impl Tape {
    /// Starts from the first draw again.
    pub(crate) fn rewind(&mut self) {
        self.replay = Some(0);
    }
}

impl TryRng for Tape {
    type Error = io::Error;

    fn try_next_u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> io::Result<()> {
        if let Some(at) = self.replay
            && let Some(drawn) = self.drawn.get(at)
        {
            if drawn.len() != to.len() {
                return Err(io::Error::other("another draw than the recorded one"));
            }
            to.copy_from_slice(drawn);
            self.replay = Some(at.saturating_add(1));
            return Ok(());
        }
        Os.try_fill_bytes(to).map_err(io::Error::other)?;
        if self.replay.is_none() {
            self.drawn.push(Zeroizing::new(to.to_vec()));
        }
        Ok(())
    }
}

impl TryCryptoRng for Tape {}
