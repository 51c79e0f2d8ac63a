//! What a contact puts before the application's bytes, inside the encryption (spec section 10.1).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::wire::codec::{Decode, Encode, Reader, Sink};

/// The plaintext of a message of a contact.
pub enum Frame<'a> {
    /// A message of a session whose initiator has been answered.
    Data {
        /// The application's bytes.
        payload: &'a [u8],
    },
    /// A message under the first flight: it brings the session's rank.
    Opening {
        /// The session's rank.
        rank: u64,
        /// The application's bytes.
        payload: &'a [u8],
    },
    /// The first message of a session that replaces one the initiator has given up.
    Reset {
        /// The session's rank.
        rank: u64,
    },
}

impl<'a> Frame<'a> {
    /// Most bytes a frame adds.
    pub const OVERHEAD: usize = 9;

    /// Reads a frame.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self> {
        let mut input = Reader::new(bytes);
        let frame = match u8::decode(&mut input)? {
            0 => Self::Data {
                payload: input.rest(),
            },
            1 => Self::Opening {
                rank: u64::decode(&mut input)?,
                payload: input.rest(),
            },
            2 => Self::Reset {
                rank: u64::decode(&mut input)?,
            },
            _ => return Err(Error::Malformed),
        };
        input.finish()?;
        Ok(frame)
    }

    /// The bytes to encrypt.
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        self.to_secret_vec()
    }
}

impl Encode for Frame<'_> {
    fn encode(&self, out: &mut impl Sink) {
        match self {
            Self::Data { payload } => {
                0u8.encode(out);
                out.put(payload);
            }
            Self::Opening { rank, payload } => {
                1u8.encode(out);
                rank.encode(out);
                out.put(payload);
            }
            Self::Reset { rank } => {
                2u8.encode(out);
                rank.encode(out);
            }
        }
    }
}
