//! Sparse continuous key agreement (spec section 6): the published interface, and `ChunkedKem`.

mod chunked;
pub mod erasure;
mod field;

pub use chunked::{Authenticator, ChunkedKem};

use rand_core::TryCryptoRng;

use crate::error::Result;
use crate::secret::Secret;
use crate::wire::message::Piece;

/// A key that both sides agree on, for one epoch.
pub struct EpochKey {
    /// The epoch; each one above the last.
    pub epoch: u32,
    /// The key.
    pub key: Secret<32>,
}

/// What sending gives.
pub struct Sent {
    /// Goes into the header.
    pub piece: Piece,
    /// The newest epoch whose key the peer is known to have: the message is sent under it.
    pub sending_epoch: u32,
    /// A key that became known by this send.
    pub output: Option<EpochKey>,
}

/// Sparse continuous key agreement as in "How to Compare Bandwidth Constrained Two-Party Secure
/// Messaging Protocols" (USENIX Security 2025) and Double Ratchet revision 4, section 5.
pub trait Scka {
    /// The epoch that the next message will be sent under: the newest that the peer is known to have.
    fn sending_epoch(&self) -> u32;

    /// Makes the next message's piece. Draws what it needs before it changes anything.
    ///
    /// # Errors
    /// [`crate::Error::Randomness`]; nothing has changed then.
    fn send<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<Sent>;

    /// Takes an authenticated piece.
    ///
    /// # Errors
    /// [`crate::Error::AgreementFailed`]; nothing has changed then, and the agreement must not go on.
    fn receive(&mut self, piece: &Piece) -> Result<Option<EpochKey>>;
}
