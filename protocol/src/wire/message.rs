//! The ratchet message and its header (spec section 5.4).

use alloc::vec::Vec;

use crate::crypto::aead::{NONCE_LEN, TAG_LEN};
use crate::crypto::dh;
use crate::error::{Error, Result};
use crate::limits::{MAX_NUMBER, MAX_PADDED, VERSION};
use crate::wire::codec::{Decode, Encode, Reader, Sink};

/// Type byte of a ratchet message.
pub const TYPE_MESSAGE: u8 = 2;
/// Bytes of a codeword.
pub const CODEWORD_LEN: usize = 32;
/// Version, type and nonce.
const PREFIX_LEN: usize = 2 + NONCE_LEN;
/// A header without its codewords.
const HEADER_LEN: usize = 51;

/// Codewords in every message of a session, 1 to 38: how fast the post-quantum ratchet turns, and what it costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slots(u8);

impl Slots {
    /// 32 bytes a message; a new epoch every 145 messages of ping-pong.
    pub const CONSTRAINED: Self = Self(1);
    /// 128 bytes a message; a new epoch every 37 messages of ping-pong.
    pub const STANDARD: Self = Self(4);
    /// 1,216 bytes a message; a new epoch every 3 messages of ping-pong.
    pub const IMMEDIATE: Self = Self(38);

    /// A number of codewords, 1 to 38.
    ///
    /// # Errors
    /// [`Error::Limit`] for any other.
    pub fn new(slots: u8) -> Result<Self> {
        if (1..=38).contains(&slots) {
            Ok(Self(slots))
        } else {
            Err(Error::Limit)
        }
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }

    /// Bytes of codewords in a message.
    pub fn codeword_bytes(self) -> usize {
        usize::from(self.0) * CODEWORD_LEN
    }

    /// Bytes by which a message is longer than its padded plaintext.
    pub fn overhead(self) -> usize {
        self.body_start() + TAG_LEN
    }

    /// Where the body begins in a message.
    pub(crate) fn body_start(self) -> usize {
        PREFIX_LEN + self.header_ct_len()
    }

    fn header_ct_len(self) -> usize {
        HEADER_LEN + self.codeword_bytes() + TAG_LEN
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl Encode for Slots {
    fn encode(&self, out: &mut impl Sink) {
        self.0.encode(out);
    }
}

impl Decode for Slots {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Self::new(u8::decode(input)?).map_err(|_| Error::Malformed)
    }
}

/// What the codewords of a message belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Nothing: index and codewords are zero.
    None = 0,
    /// A key object.
    Key = 1,
    /// A ciphertext object.
    Ciphertext = 2,
}

/// The SCKA's part of a header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The sender's SCKA epoch.
    pub epoch: u32,
    /// What the codewords belong to.
    pub kind: Kind,
    /// Index of the first codeword; the others follow, modulo 65536.
    pub index: u16,
    /// The codewords, `32 * slots` bytes.
    pub codewords: Vec<u8>,
}

/// A decrypted header.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The sender's ratchet key.
    pub dh: dh::PublicKey,
    /// Messages in the sender's previous chain.
    pub pn: u32,
    /// Number in the classical chain.
    pub n: u32,
    /// Number in the post-quantum chain.
    pub pq_n: u32,
    /// The SCKA's part.
    pub piece: Piece,
}

impl Encode for Header {
    fn encode(&self, out: &mut impl Sink) {
        self.dh.encode(out);
        self.pn.encode(out);
        self.n.encode(out);
        self.pq_n.encode(out);
        self.piece.epoch.encode(out);
        (self.piece.kind as u8).encode(out);
        self.piece.index.encode(out);
        out.put(&self.piece.codewords);
    }
}

impl Decode for Header {
    /// Refuses what M-RX-03 and M-SP-04 name. The codewords take the rest: the caller knows the length.
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let header = Self {
            dh: Decode::decode(input)?,
            pn: number(input)?,
            n: number(input)?,
            pq_n: number(input)?,
            piece: Piece {
                epoch: number(input)?,
                kind: match u8::decode(input)? {
                    0 => Kind::None,
                    1 => Kind::Key,
                    2 => Kind::Ciphertext,
                    _ => return Err(Error::Malformed),
                },
                index: Decode::decode(input)?,
                codewords: input.rest().to_vec(),
            },
        };
        let piece = &header.piece;
        let zero = piece.index == 0 && piece.codewords.iter().all(|byte| *byte == 0);
        if piece.epoch == 0 || (piece.kind == Kind::None && !zero) {
            return Err(Error::Malformed);
        }
        Ok(header)
    }
}

/// A message number, below 2^31 (M-DR-08).
fn number(input: &mut Reader<'_>) -> Result<u32> {
    match u32::decode(input)? {
        number if number < MAX_NUMBER => Ok(number),
        _ => Err(Error::Malformed),
    }
}

/// A message cut into its parts.
pub struct Parts<'a> {
    /// The nonce of both ciphertexts.
    pub nonce: &'a [u8; NONCE_LEN],
    /// The encrypted header.
    pub header_ct: &'a [u8],
    /// The encrypted body.
    pub body_ct: &'a [u8],
    /// Every byte before the body.
    pub before_body: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Cuts a message of a session with `slots` (M-RX-01).
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Malformed`].
    pub fn from_bytes(bytes: &'a [u8], slots: Slots) -> Result<Self> {
        let mut input = Reader::new(bytes);
        input.version()?;
        if u8::decode(&mut input)? != TYPE_MESSAGE {
            return Err(Error::Malformed);
        }
        let nonce = input.array()?;
        let header_ct = input.take(slots.header_ct_len())?;
        let body_ct = input.rest();
        // At least the marker of the padding, at most what a sender may make.
        if !(1 + TAG_LEN..=MAX_PADDED + TAG_LEN).contains(&body_ct.len()) {
            return Err(Error::Malformed);
        }
        let (before_body, _) = bytes.split_at(bytes.len().saturating_sub(body_ct.len()));
        Ok(Self {
            nonce,
            header_ct,
            body_ct,
            before_body,
        })
    }
}

/// `version ‖ type ‖ nonce`: how every message starts.
pub fn prefix(nonce: &[u8; NONCE_LEN]) -> [u8; PREFIX_LEN] {
    let mut prefix = [0; PREFIX_LEN];
    let bytes = [VERSION, TYPE_MESSAGE].into_iter().chain(*nonce);
    prefix
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = from);
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overheads_are_as_promised() {
        assert_eq!(Slots::CONSTRAINED.overhead(), 129);
        assert_eq!(Slots::STANDARD.overhead(), 225);
        assert_eq!(Slots::IMMEDIATE.overhead(), 1313);
    }

    #[test]
    fn m_rx_01_a_body_is_at_most_32_mib_and_its_tag() {
        let mut message = alloc::vec![0; Slots::CONSTRAINED.overhead() + MAX_PADDED + 1];
        message[..2].copy_from_slice(&[VERSION, TYPE_MESSAGE]);
        let refusal = |message: &[u8]| Parts::from_bytes(message, Slots::CONSTRAINED).err();
        assert_eq!(refusal(&message), Some(Error::Malformed));
        message.pop();
        assert_eq!(refusal(&message), None);
    }
}
