//! Files in messages: a message holds at most 16 MiB, so a file is cut in pieces, each with a small head inside the
//! encryption.
//!
//! ```text
//! struct { uint8 version = 1; uint8 last; opaque transfer[16]; uint64 offset; opaque data[rest]; } Piece;
//! ```
//!
//! `last` is 1 for the last piece of a file and 0 otherwise; `transfer` is drawn for each file; `offset` counts
//! the bytes before the piece. Order and completeness are checked, so a lost piece cannot go unnoticed.

use crate::error::{Error, Result};

/// Bytes of a file in one message.
pub const PIECE: usize = 1 << 20;
const HEAD: usize = 26;

/// A piece of a file.
pub struct Piece<'a> {
    /// Whether the file ends here.
    pub last: bool,
    /// Which file.
    pub transfer: [u8; 16],
    /// Where in the file.
    pub offset: u64,
    /// The bytes.
    pub data: &'a [u8],
}

impl<'a> Piece<'a> {
    /// The plaintext of its message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.data.len());
        out.extend([1, u8::from(self.last)]);
        out.extend(self.transfer);
        out.extend(self.offset.to_be_bytes());
        out.extend(self.data);
        out
    }

    /// Reads a plaintext.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self> {
        let parse = || {
            let (&[1, last], rest) = bytes.split_first_chunk::<2>()? else {
                return None;
            };
            let (transfer, rest) = rest.split_first_chunk::<16>()?;
            let (offset, data) = rest.split_first_chunk::<8>()?;
            (last <= 1).then_some(Self {
                last: last == 1,
                transfer: *transfer,
                offset: u64::from_be_bytes(*offset),
                data,
            })
        };
        parse().ok_or(Error::Input("decrypted, but it is no piece of a file"))
    }
}

/// Where a file that arrives stands.
#[derive(Default)]
pub struct Progress(Option<([u8; 16], u64)>);

impl Progress {
    /// Takes the next piece in; whether the file is complete now.
    pub fn advance(&mut self, piece: &Piece<'_>) -> Result<bool> {
        let expected = self.0.unwrap_or((piece.transfer, 0));
        if expected != (piece.transfer, piece.offset) {
            return Err(Error::Input(
                "a piece of the file is missing or out of order",
            ));
        }
        let end = piece.offset.checked_add(piece.data.len() as u64);
        let end = end.ok_or(Error::Input("a file cannot be that long"))?;
        self.0 = (!piece.last).then_some((piece.transfer, end));
        Ok(piece.last)
    }

    /// Whether a file has begun and not ended.
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(last: bool, transfer: u8, offset: u64) -> Piece<'static> {
        Piece {
            last,
            transfer: [transfer; 16],
            offset,
            data: b"abc",
        }
    }

    #[test]
    fn pieces_are_exact_to_the_byte() {
        let bytes = piece(true, 7, 0x0102).to_bytes();
        let mut expected = vec![1, 1];
        expected.extend([7; 16]);
        expected.extend(*b"\0\0\0\0\0\0\x01\x02abc");
        assert_eq!(bytes, expected);
        assert_eq!(Piece::from_bytes(&bytes).unwrap().data, b"abc");
        for bad in [&bytes[..25], b"", b"\x02\x01", b"\x01\x02"] {
            assert!(Piece::from_bytes(bad).is_err());
        }
    }

    #[test]
    fn a_missing_repeated_or_foreign_piece_is_refused() {
        for wrong in [piece(true, 1, 6), piece(true, 1, 0), piece(true, 2, 3)] {
            let mut progress = Progress::default();
            assert!(!progress.advance(&piece(false, 1, 0)).unwrap());
            assert!(progress.is_open());
            assert!(progress.advance(&wrong).is_err());
        }
        assert!(Progress::default().advance(&piece(true, 1, 3)).is_err());
        let mut progress = Progress::default();
        assert!(!progress.advance(&piece(false, 1, 0)).unwrap());
        assert!(progress.advance(&piece(true, 1, 3)).unwrap());
        assert!(!progress.is_open());
        assert!(progress.advance(&piece(true, 2, 0)).unwrap());
    }
}
