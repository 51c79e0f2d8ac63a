//! ChaCha20-Poly1305 (RFC 8439), in place, 16-byte tag appended.

use alloc::vec::Vec;

use super::provider;
use crate::declassify::declassify;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Bytes a ciphertext is longer than its plaintext.
pub const TAG_LEN: usize = 16;
/// Bytes of a nonce.
pub const NONCE_LEN: usize = 12;
/// The nonce of keys that seal exactly one plaintext.
pub const ZERO_NONCE: [u8; NONCE_LEN] = [0; NONCE_LEN];

/// Encrypts what `buffer` holds from `start` on, and appends the tag.
///
/// # Errors
/// [`Error::Limit`] above 256 GiB, or when `start` is past the end.
pub fn seal(
    key: &Secret<32>,
    nonce: &[u8; NONCE_LEN],
    ad: &[u8],
    buffer: &mut Vec<u8>,
    start: usize,
) -> Result<()> {
    let text = buffer.get_mut(start..).ok_or(Error::Limit)?;
    let tag = provider::aead_seal(key, nonce, ad, text).ok_or(Error::Limit)?;
    buffer.extend_from_slice(&tag);
    Ok(())
}

/// Decrypts `buffer` in place and cuts the tag off.
///
/// # Errors
/// [`Error::Authentication`]; what the buffer then holds depends on the provider, is no plaintext, and must be dropped.
pub fn open(
    key: &Secret<32>,
    nonce: &[u8; NONCE_LEN],
    ad: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<()> {
    let (text, tag) = buffer.split_last_chunk_mut().ok_or(Error::Authentication)?;
    let mut authentic = [u8::from(provider::aead_open(key, nonce, ad, text, tag))];
    declassify(&mut authentic, "whether a tag is right");
    if authentic != [1] {
        return Err(Error::Authentication);
    }
    buffer.truncate(buffer.len().saturating_sub(TAG_LEN));
    Ok(())
}
