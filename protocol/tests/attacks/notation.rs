//! Section 1 of the specification once more, on the primitive crates alone: nothing of `marline` is used
//! here, so that a wrong label or order in it cannot agree with itself.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hkdf::{SimpleHkdf, SimpleHkdfExtract};
use sha3::{Digest, Sha3_256};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

/// 32 bytes.
pub type Key = [u8; 32];

/// `frame(name)`.
pub fn frame(name: &str) -> Vec<u8> {
    let label = format!("marline/1 {name}");
    [&[label.len() as u8], label.as_bytes()].concat()
}

/// `H(name; fields)`.
pub fn h(name: &str, fields: &[&[u8]]) -> Key {
    let mut input = frame(name);
    for field in fields {
        input.extend_from_slice(&(field.len() as u32).to_be_bytes());
        input.extend_from_slice(field);
    }
    Sha3_256::digest(input).into()
}

/// `PRF(name, L; inputs)`.
pub fn prf<const L: usize>(name: &str, inputs: &[&[u8]]) -> [u8; L] {
    let mut state = Shake256::default();
    state.update(&frame(name));
    state.update(&inputs.concat());
    let mut out = [0; L];
    state.finalize_xof().read(&mut out);
    out
}

/// `EXTRACT(salt, ikm)`.
pub fn extract(salt: &[u8], ikm: &[&[u8]]) -> Key {
    let mut state = SimpleHkdfExtract::<Sha3_256>::new(Some(salt));
    state.input_ikm(&ikm.concat());
    state.finalize().0.into()
}

/// `EXPAND(prk, name, context, 32 K)` as `K` keys.
pub fn expand<const K: usize>(prk: &Key, name: &str, context: &[u8]) -> [Key; K] {
    let mut okm = vec![0; 32 * K];
    let info = [frame(name).as_slice(), context].concat();
    let hkdf = SimpleHkdf::<Sha3_256>::from_prk(prk).unwrap();
    hkdf.expand(&info, &mut okm).unwrap();
    std::array::from_fn(|i| okm[32 * i..][..32].try_into().unwrap())
}

/// Two keys out of one `PRF`: a chain step.
pub fn prf_pair(name: &str, inputs: &[&[u8]]) -> (Key, Key) {
    let okm: [u8; 64] = prf(name, inputs);
    (okm[..32].try_into().unwrap(), okm[32..].try_into().unwrap())
}

/// `AEAD`, tag appended.
pub fn seal(key: &Key, nonce: &[u8; 12], ad: &[u8], text: &[u8]) -> Vec<u8> {
    let payload = Payload { msg: text, aad: ad };
    ChaCha20Poly1305::new(key.into())
        .encrypt(nonce.into(), payload)
        .unwrap()
}

/// The plaintext of [`seal`].
pub fn open(key: &Key, nonce: &[u8; 12], ad: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let payload = Payload { msg: text, aad: ad };
    ChaCha20Poly1305::new(key.into())
        .decrypt(nonce.into(), payload)
        .ok()
}

/// `X25519(secret, public)`, unchecked.
pub fn x25519(secret: &Key, public: &Key) -> Key {
    x25519_dalek::x25519(*secret, *public)
}

/// `X25519(secret, 9)`.
pub fn x25519_public(secret: &Key) -> Key {
    let mut nine = [0; 32];
    nine[0] = 9;
    x25519(secret, &nine)
}

/// Bytes of a hexadecimal constant.
pub fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..][..2], 16).unwrap())
}
