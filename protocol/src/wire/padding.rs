//! Padding (spec section 5.4): `plaintext ‖ 0x80 ‖ zeros`, inside the AEAD.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use crate::declassify::declassify;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// How a sender hides the length of its plaintext. The receiver need not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Padding {
    /// One byte only: lengths are visible.
    None,
    /// To lengths of few significant bits, at most 12 % more, and not below `floor` bytes
    /// (Padmé, PURBs, PETS 2019).
    Padme {
        /// Smallest padded length in bytes.
        floor: u16,
    },
    /// To a multiple of this many bytes (1 and up; 0 counts as 1).
    Block(u16),
}

impl Default for Padding {
    /// Padmé with a floor of 64 bytes.
    fn default() -> Self {
        Self::Padme { floor: 64 }
    }
}

impl Padding {
    /// Padded length in bytes of a plaintext of `length` bytes.
    pub fn padded_len(self, length: usize) -> usize {
        let length = length.saturating_add(1);
        match self {
            Self::None => length,
            Self::Padme { floor } => padme(length.max(floor.into())),
            Self::Block(block) => length.next_multiple_of(usize::from(block.max(1))),
        }
    }

    /// Appends plaintext and padding.
    pub(crate) fn pad(self, plaintext: &[u8], out: &mut Vec<u8>) {
        let end = out.len().saturating_add(self.padded_len(plaintext.len()));
        out.extend_from_slice(plaintext);
        out.push(0x80);
        out.resize(end, 0);
    }
}

/// Rounds up so that only the top bits of the length's binary form vary.
fn padme(length: usize) -> usize {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let digits = exponent.checked_ilog2().map_or(0, |log| log + 1);
    length.next_multiple_of(1 << (exponent - digits.min(exponent)))
}

/// Length of the plaintext in a padded one; time depends on the padded length only (M-MS-04).
pub(crate) fn unpadded_len(padded: &[u8]) -> Result<usize> {
    let (mut block, mut word) = (Secret::<128>::zero(), Secret::<8>::zero());
    let block_end = last_nonzero(padded, block.expose_mut());
    let word_end = last_nonzero(block.expose(), word.expose_mut());
    let word = u64::from_be_bytes(*word.expose());
    let zeros = (word.trailing_zeros() / 8 % 8) as usize;
    let mut marked = [((word >> (8 * zeros)) & 0xff).ct_eq(&0x80).unwrap_u8()];
    declassify(&mut marked, "whether there is padding");
    // One decision: an authentication failure like any other.
    if marked == [1] {
        let after = block.expose().len() - word_end + zeros;
        let mut length = (block_end - after - 1).to_ne_bytes();
        declassify(&mut length, "the length of an authentic plaintext");
        Ok(usize::from_ne_bytes(length))
    } else {
        Err(Error::Authentication)
    }
}

/// Adds to `last`, which is zero, the last `N` bytes that are not all zero, counted in steps of `N` from the end; where they end. By
/// masks. What is missing at the front counts as zeros. Not inlined: it would leave parts of the bytes on its caller's stack.
#[inline(never)]
fn last_nonzero<const N: usize>(bytes: &[u8], last: &mut [u8; N]) -> usize {
    let (front, chunks) = bytes.as_rchunks::<N>();
    let mut first = Secret::zero();
    let (_, place) = first.expose_mut().split_at_mut(N - front.len());
    place.copy_from_slice(front);
    let (mut end, mut found) = (0, 0u8);
    for (i, chunk) in chunks.iter().rev().chain([first.expose()]).enumerate() {
        let any = chunk.iter().fold(0, |any, byte| any | byte);
        let nonzero = ((any | any.wrapping_neg()) >> 7).wrapping_neg();
        let take = nonzero & !found;
        last.iter_mut()
            .zip(chunk)
            .for_each(|(last, byte)| *last |= byte & take);
        end |= (bytes.len() - N * i) & usize::from(take & 1).wrapping_neg();
        found |= nonzero;
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn e2_padme_gives_the_published_lengths() {
        // By hand from the definition in the paper.
        for (length, padded) in [
            (1, 1),
            (2, 2),
            (9, 10),
            (64, 64),
            (65, 72),
            (100, 104),
            (1000, 1024),
            (1025, 1088),
        ] {
            assert_eq!(padme(length), padded, "{length}");
        }
    }

    #[test]
    fn c14_padding_without_marker_is_an_authentication_failure() {
        for bad in [&[][..], &[0, 0], &[0x80, 1], &[1]] {
            assert_eq!(unpadded_len(bad), Err(Error::Authentication));
        }
        assert_eq!(unpadded_len(&[0x80]), Ok(0));
        assert_eq!(unpadded_len(&[0x80, 0x80, 0]), Ok(1));
    }

    proptest! {
        #[test]
        fn what_ends_with_the_marker_is_unpadded(
            mut padded in proptest::collection::vec(prop_oneof![Just(0u8), Just(0x80), any::<u8>()], 0..200),
            zeros in 0usize..200,
        ) {
            padded.resize(padded.len() + zeros, 0);
            let plaintext = match padded.iter().rposition(|byte| *byte != 0) {
                Some(last) if padded[last] == 0x80 => Ok(last),
                _ => Err(Error::Authentication),
            };
            prop_assert_eq!(unpadded_len(&padded), plaintext);
        }

        #[test]
        fn pad_then_unpad(plaintext: Vec<u8>, block: u16, floor: u16) {
            for padding in [Padding::None, Padding::Block(block), Padding::Padme { floor }] {
                let mut out = Vec::new();
                padding.pad(&plaintext, &mut out);
                prop_assert_eq!(out.len(), padding.padded_len(plaintext.len()));
                prop_assert_eq!(unpadded_len(&out), Ok(plaintext.len()));
            }
        }
    }
}
