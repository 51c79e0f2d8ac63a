//! Randomness as data.

use std::collections::VecDeque;
use std::fmt;

use rand_core::{TryCryptoRng, TryRng};
use shake::{ExtendableOutput, Shake128, Shake128Reader, Update, XofReader};

/// A script of draws: each must have the length that is asked for, in order, and none may be left over.
pub struct Script {
    left: VecDeque<Vec<u8>>,
    fault: Option<String>,
}

/// The script does not fit. The library reports it as a failure of its generator.
#[derive(Debug)]
pub struct Misfit;

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the draws do not fit")
    }
}

impl std::error::Error for Misfit {}

impl Script {
    /// A script of these draws.
    pub fn new(draws: Vec<Vec<u8>>) -> Self {
        Self {
            left: draws.into(),
            fault: None,
        }
    }

    /// What went wrong while drawing, if anything.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Draws that nobody asked for.
    pub fn left_over(&self) -> usize {
        self.left.len()
    }
}

impl TryRng for Script {
    type Error = Misfit;

    fn try_next_u32(&mut self) -> Result<u32, Misfit> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)
            .map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Misfit> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)
            .map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Misfit> {
        let draw = self.left.pop_front();
        match draw {
            Some(draw) if draw.len() == out.len() => {
                out.copy_from_slice(&draw);
                return Ok(());
            }
            Some(draw) => {
                self.fault = Some(format!(
                    "a draw has {} bytes, {} wanted",
                    draw.len(),
                    out.len()
                ))
            }
            None => self.fault = Some(format!("out of draws, {} bytes wanted", out.len())),
        }
        Err(Misfit)
    }
}

impl TryCryptoRng for Script {}

/// A reproducible stream: SHAKE128 of a name.
pub struct Stream(Shake128Reader);

impl Stream {
    /// The stream of a name.
    pub fn new(name: &str) -> Self {
        let mut state = Shake128::default();
        state.update(name.as_bytes());
        Self(state.finalize_xof())
    }

    /// The next bytes.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read(&mut bytes);
        bytes
    }

    /// A number below `bound` (at least 1), uniform enough for scripts.
    pub fn below(&mut self, bound: u32) -> u32 {
        let mut bytes = [0; 4];
        self.0.read(&mut bytes);
        u32::from_le_bytes(bytes) % bound.max(1)
    }
}
