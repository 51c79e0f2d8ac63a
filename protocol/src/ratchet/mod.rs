//! The ratchets (spec sections 5 and 6): classical, sparse post-quantum, and their composition.

pub mod chain;
pub mod double;
pub mod scka;
pub mod sparse;
pub mod triple;

use crate::error::{Error, Result};
use crate::wire::codec::{Decode, Encode, Reader, Sink};

/// Which side of the handshake a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Role {
    /// Sent the first message.
    Initiator = 0,
    /// Accepted it.
    Responder = 1,
}

impl Role {
    /// The `direction` byte of messages this side sends.
    pub(crate) fn sends(self) -> u8 {
        self as u8
    }

    /// The `direction` byte of messages this side receives.
    pub(crate) fn receives(self) -> u8 {
        1 - self as u8
    }
}

impl Encode for Role {
    fn encode(&self, out: &mut impl Sink) {
        (*self as u8).encode(out);
    }
}

impl Decode for Role {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        match u8::decode(input)? {
            0 => Ok(Self::Initiator),
            1 => Ok(Self::Responder),
            _ => Err(Error::Malformed),
        }
    }
}
