//! Hashing with labels (spec section 1.3): `H`, `PRF`, `EXTRACT`, `EXPAND`.
//!
//! HKDF runs over the `SimpleHmac` of the `hmac` crate, which does not wipe its padded key when it is
//! dropped (RustCrypto/MACs#255). It lives on the stack of `extract` and `expand` only; chains and
//! message keys go through SHAKE256, whose state is wiped.

use hkdf::{SimpleHkdf, SimpleHkdfExtract};
use sha3::{Digest, Sha3_256};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

use crate::error::{Error, Result};
use crate::labels::Label;
use crate::limits::MAX_EXPORT;
use crate::secret::Secret;

/// 32 bytes of SHA3-256.
pub type Hash = [u8; 32];

/// `H(name; f1, ..., fn) = SHA3-256(frame(name) ‖ uint32(len f1) ‖ f1 ‖ ...)`.
pub fn hash(label: Label, fields: &[&[u8]]) -> Hash {
    let (length, text) = label.frame();
    let mut state = Sha3_256::new_with_prefix(length);
    Digest::update(&mut state, text);
    for field in fields {
        // Fields are bounded by MAX_PADDED, far below 2^32.
        Digest::update(&mut state, (field.len() as u32).to_be_bytes());
        Digest::update(&mut state, field);
    }
    state.finalize().into()
}

/// `PRF(name, L; k, x1, ...) = SHAKE256(frame(name) ‖ k ‖ x1 ‖ ...)`, `L` bytes; every input of fixed width.
pub fn prf<const L: usize>(label: Label, inputs: &[&[u8]]) -> Secret<L> {
    let (length, text) = label.frame();
    let mut state = Shake256::default();
    state.update(&length);
    state.update(text);
    for input in inputs {
        state.update(input);
    }
    Secret::fill(|out| state.finalize_xof().read(out))
}

/// `EXTRACT(salt, ikm)`: HKDF-Extract with HMAC-SHA3-256; `ikm` in parts.
pub fn extract(salt: &[u8], ikm: &[&[u8]]) -> Secret<32> {
    let mut state = SimpleHkdfExtract::<Sha3_256>::new(Some(salt));
    for part in ikm {
        state.input_ikm(part);
    }
    let (prk, _) = state.finalize();
    Secret::take(&mut prk.into())
}

/// `EXPAND(prk, name, context, L) = HKDF-Expand(prk, frame(name) ‖ context, L)`; `context` in parts.
///
/// # Errors
/// [`Error::Limit`] when `okm` is longer than 8,160 bytes.
pub fn expand_into(
    prk: &Secret<32>,
    label: Label,
    context: [&[u8]; 2],
    okm: &mut [u8],
) -> Result<()> {
    let (length, text) = label.frame();
    let [first, second] = context;
    SimpleHkdf::<Sha3_256>::from_prk(prk.expose())
        .ok()
        .and_then(|hkdf| {
            hkdf.expand_multi_info(&[&length, text, first, second], okm)
                .ok()
        })
        .ok_or(Error::Limit)
}

/// [`expand_into`] for a fixed length.
pub fn expand<const L: usize>(prk: &Secret<32>, label: Label, context: [&[u8]; 2]) -> Secret<L> {
    // So that the call below cannot fail.
    const { assert!(L <= MAX_EXPORT) };
    Secret::fill(|okm| {
        let expanded = expand_into(prk, label, context, okm);
        debug_assert!(expanded.is_ok());
    })
}
