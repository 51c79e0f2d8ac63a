//! Provider `rustcrypto`: pure Rust, `no_std`. Bytes in, bytes out; the typed modules do the checking.

use alloc::boxed::Box;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use ed25519_dalek::Signer as _;
use ml_dsa::MlDsa65;
use x25519_dalek::x25519;

use crate::secret::Secret;

/// The name that tests and tools print.
#[cfg(feature = "hazmat")]
pub const NAME: &str = "rustcrypto";

/// What makes later agreements with one secret key cheaper: nothing here, the ladder starts from the bytes.
pub enum X25519Ready {}

/// The public key, and what makes later agreements cheaper.
pub fn x25519_ready(secret: &Secret<32>) -> (Option<X25519Ready>, [u8; 32]) {
    (None, x25519_public(secret))
}

/// `X25519(secret, 9)`.
pub fn x25519_public(secret: &Secret<32>) -> [u8; 32] {
    // Wiped on drop.
    let secret = x25519_dalek::StaticSecret::from(*secret.expose());
    x25519_dalek::PublicKey::from(&secret).to_bytes()
}

/// `X25519(secret, public)`: zero for a point of small order.
pub fn x25519_agree(secret: &Secret<32>, _: Option<&X25519Ready>, public: &[u8; 32]) -> Secret<32> {
    Secret::take(&mut x25519(*secret.expose(), *public))
}

/// The public key of a seed.
pub fn ed25519_public(seed: &Secret<32>) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(seed.expose())
        .verifying_key()
        .to_bytes()
}

/// `Sign(seed, message)`, deterministic as RFC 8032 says.
pub fn ed25519_sign(seed: &Secret<32>, message: &[u8]) -> [u8; 64] {
    ed25519_dalek::SigningKey::from_bytes(seed.expose())
        .sign(message)
        .to_bytes()
}

/// Whether the bytes are a point that is not of small order.
pub fn ed25519_accepts(public: &[u8; 32]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(public).is_ok_and(|key| !key.is_weak())
}

/// Cofactorless verification that also refuses points of small order.
pub fn ed25519_verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    ed25519_dalek::VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// The public key of a seed.
pub fn mldsa65_public(seed: &Secret<32>) -> Box<[u8; 1952]> {
    let key = ml_dsa::SigningKey::<MlDsa65>::from_seed(&(*seed.expose()).into());
    Box::new(
        ml_dsa::signature::Keypair::verifying_key(&key)
            .encode()
            .into(),
    )
}

/// Hedged signing with an empty context: `M' = 0 ‖ 0 ‖ M` (FIPS 204 algorithm 2).
pub fn mldsa65_sign(seed: &Secret<32>, message: &[u8], rnd: &[u8; 32]) -> Box<[u8; 3309]> {
    let key = ml_dsa::ExpandedSigningKey::<MlDsa65>::from_seed(&(*seed.expose()).into());
    Box::new(
        key.sign_internal(&[&[0, 0], message], &(*rnd).into())
            .encode()
            .into(),
    )
}

/// Verification with an empty context (FIPS 204 algorithm 3).
pub fn mldsa65_verify(public: &[u8; 1952], message: &[u8], signature: &[u8; 3309]) -> bool {
    let key = ml_dsa::VerifyingKey::<MlDsa65>::decode(&(*public).into());
    ml_dsa::Signature::decode(&(*signature).into())
        .is_some_and(|signature| key.verify_with_context(message, &[], &signature))
}

/// The tag; `None` for more than 256 GiB.
pub fn aead_seal(
    key: &Secret<32>,
    nonce: &[u8; 12],
    ad: &[u8],
    text: &mut [u8],
) -> Option<[u8; 16]> {
    ChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(nonce.into(), ad, InOutBuf::from(text))
        .ok()
        .map(Into::into)
}

/// Whether the tag is right; `text` is the plaintext then.
pub fn aead_open(
    key: &Secret<32>,
    nonce: &[u8; 12],
    ad: &[u8],
    text: &mut [u8],
    tag: &[u8; 16],
) -> bool {
    ChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(nonce.into(), ad, InOutBuf::from(text), tag.into())
        .is_ok()
}

/// One ML-KEM parameter set: keys as they are used, kept parsed.
macro_rules! ml_kem {
    ($name:ident, $set:ident, $ek:literal, $ct:literal) => {
        #[doc = concat!(stringify!($set), ": keys as they are used, kept parsed.")]
        pub mod $name {
            use alloc::boxed::Box;

            #[cfg(feature = "aws-lc")]
            #[allow(deprecated)]
            use ml_kem::ExpandedKeyEncoding;
            use ml_kem::{Decapsulate, KeyExport, $set};
            #[cfg(feature = "aws-lc")]
            use zeroize::Zeroizing;

            use crate::secret::Secret;

            /// An encapsulation key.
            #[derive(Clone)]
            pub struct Encapsulation(Box<$set::EncapsulationKey>);
            /// A decapsulation key.
            pub struct Decapsulation(Box<$set::DecapsulationKey>);

            impl Encapsulation {
                /// Runs the modulus check of FIPS 203 section 7.2.
                pub fn parse(bytes: &[u8; $ek]) -> Option<Self> {
                    let key = $set::EncapsulationKey::new(&(*bytes).into()).ok()?;
                    Some(Self(Box::new(key)))
                }

                /// `Encaps(ek, m)`.
                pub fn encapsulate(&self, m: &Secret<32>) -> (Box<[u8; $ct]>, Secret<32>) {
                    let (ct, shared) = self.0.encapsulate_deterministic(&(*m.expose()).into());
                    (Box::new(ct.into()), Secret::take(&mut shared.into()))
                }
            }

            impl Decapsulation {
                /// `KeyGen(d, z)`.
                pub fn from_seed(seed: &Secret<64>) -> Self {
                    let key = $set::DecapsulationKey::from_seed((*seed.expose()).into());
                    Self(Box::new(key))
                }

                /// The encapsulation key.
                pub fn public(&self) -> [u8; $ek] {
                    self.0.encapsulation_key().to_bytes().into()
                }

                /// The expanded key, which other implementations start from: FIPS 203 section 7.1.
                #[cfg(feature = "aws-lc")]
                #[allow(deprecated)] // As a form to store, and we store seeds.
                pub(in crate::crypto) fn expanded(
                    &self,
                ) -> Zeroizing<$set::ExpandedDecapsulationKey> {
                    Zeroizing::new(self.0.to_expanded_bytes())
                }

                /// `Decaps(dk, ct)`.
                pub fn decapsulate(&self, ct: &[u8; $ct]) -> Secret<32> {
                    Secret::take(&mut self.0.decapsulate(&(*ct).into()).into())
                }
            }
        }
    };
}
ml_kem!(kem768, ml_kem_768, 1184, 1088);
ml_kem!(kem1024, ml_kem_1024, 1568, 1568);
