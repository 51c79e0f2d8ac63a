//! Doors for vectors, benches and fuzzing: the parts, with randomness as an argument. No check is weaker
//! here, and nothing of it is part of the API.

macro_rules! doors {
    ($($name:ident = $($path:ident)::+;)*) => {$(
        #[allow(missing_docs)]
        pub mod $name {
            pub use crate::$($path)::+::*;
        }
    )*};
}

doors! {
    aead = crypto::aead;
    codec = wire::codec;
    dh = crypto::dh;
    erasure = ratchet::scka::erasure;
    frame = wire::frame;
    hash = crypto::hash;
    initial = wire::initial;
    kem1024 = crypto::kem::kem1024;
    kem768 = crypto::kem::kem768;
    labels = labels;
    manifest = prekey::manifest;
    message = wire::message;
    portable = crypto::rustcrypto;
    prekey = prekey;
    provider = crypto::provider;
    scka = ratchet::scka;
    sign = crypto::sign;
    tree = prekey::tree;
}

use alloc::vec::Vec;

use crate::error::Result;
use crate::identity::{HybridSignature, IdentityKey, SigningInput};
use crate::wire::padding::{Padding, unpadded_len};

/// The signed input of a hybrid signature (spec section 2.2): `purpose` is one of the two `SIGN_` labels.
pub fn signing_input(purpose: labels::Label, message: &[u8]) -> SigningInput {
    SigningInput::new(purpose, &[message])
}

/// Verifies a hybrid signature (M-ID-02).
///
/// # Errors
/// [`crate::Error::Authentication`] unless both halves verify.
pub fn verify(key: &IdentityKey, input: &SigningInput, signature: &HybridSignature) -> Result<()> {
    key.verify(input, signature)
}

/// The padded plaintext (spec section 5.4).
pub fn pad(padding: Padding, plaintext: &[u8]) -> Vec<u8> {
    let mut padded = Vec::new();
    padding.pad(plaintext, &mut padded);
    padded
}

/// The length of the plaintext in a padded one (M-MS-04).
///
/// # Errors
/// [`crate::Error::Authentication`] without a marker.
pub fn unpad(padded: &[u8]) -> Result<usize> {
    unpadded_len(padded)
}
