//! The initial message (spec section 4.1).

use alloc::vec::Vec;

use super::message::Slots;
use crate::crypto::dh;
use crate::crypto::kem::kem1024;
use crate::error::{Error, Result};
use crate::identity::{HybridSignature, IdentityKey, Subject};
use crate::limits::VERSION;
use crate::wire::codec::{Decode, Encode, Reader, Sink, bytes16, structure};

/// Type byte of an initial message.
pub const TYPE_INITIAL: u8 = 1;

/// Which prekeys a handshake uses; the absence of a one-time prekey is explicit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrekeyIds {
    /// Id of the signed prekey.
    pub signed: u32,
    /// Id of the one-time prekey.
    pub onetime: Option<u32>,
}
structure!(PrekeyIds { signed, onetime });

/// Everything of an initial message before its first ratchet message.
pub struct FirstFlight {
    /// The prekeys used.
    pub prekeys: PrekeyIds,
    /// Codewords in each message of the session.
    pub slots: Slots,
    /// The initiator's ephemeral key `EK`.
    pub ephemeral: dh::PublicKey,
    /// The ML-KEM-1024 ciphertext.
    pub ciphertext: kem1024::Ciphertext,
    /// The sealed identity.
    pub sealed: Vec<u8>,
}

/// The plaintext of [`FirstFlight::sealed`].
pub struct Sealed {
    /// Who initiates.
    pub identity: IdentityKey,
    /// What it calls itself.
    pub subject: Subject,
    /// Signature over the handshake.
    pub signature: HybridSignature,
}
structure!(Sealed {
    identity,
    subject,
    signature
});

impl Encode for FirstFlight {
    fn encode(&self, out: &mut impl Sink) {
        out.put(&[VERSION, TYPE_INITIAL]);
        self.prekeys.encode(out);
        self.slots.encode(out);
        self.ephemeral.encode(out);
        self.ciphertext.encode(out);
        bytes16::encode(&self.sealed, out);
    }
}

impl Decode for FirstFlight {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        input.version()?;
        if u8::decode(input)? != TYPE_INITIAL {
            return Err(Error::Malformed);
        }
        Ok(Self {
            prekeys: Decode::decode(input)?,
            slots: Decode::decode(input)?,
            ephemeral: Decode::decode(input)?,
            ciphertext: Decode::decode(input)?,
            sealed: bytes16::decode(input)?,
        })
    }
}

/// An initial message cut in two: the flight, and the ratchet message that takes the rest.
pub struct InitialMessage<'a> {
    /// The flight.
    pub flight: FirstFlight,
    /// The flight's encoding.
    pub flight_bytes: &'a [u8],
    /// The first ratchet message.
    pub message: &'a [u8],
}

impl<'a> InitialMessage<'a> {
    /// Decodes an initial message.
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Malformed`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self> {
        let mut input = Reader::new(bytes);
        let flight = FirstFlight::decode(&mut input)?;
        let message = input.rest();
        let (flight_bytes, _) = bytes.split_at(bytes.len().saturating_sub(message.len()));
        Ok(Self {
            flight,
            flight_bytes,
            message,
        })
    }
}
