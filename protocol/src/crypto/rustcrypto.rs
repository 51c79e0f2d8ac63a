//! Provider `rustcrypto`: pure Rust, `no_std`. Bytes in, bytes out; the typed modules do the checking.

use alloc::boxed::Box;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use ed25519_dalek::Signer as _;
use ml_dsa::MlDsa65;
use x25519_dalek::x25519;

use crate::secret::Secret;

/// `X25519(secret, 9)`.
pub(super) fn x25519_public(secret: &Secret<32>) -> [u8; 32] {
    // Wiped on drop.
    let secret = x25519_dalek::StaticSecret::from(*secret.expose());
    x25519_dalek::PublicKey::from(&secret).to_bytes()
}

/// `X25519(secret, public)`.
pub(super) fn x25519_agree(secret: &Secret<32>, public: &[u8; 32]) -> Secret<32> {
    Secret::take(&mut x25519(*secret.expose(), *public))
}

pub(super) fn ed25519_public(seed: &Secret<32>) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(seed.expose())
        .verifying_key()
        .to_bytes()
}

pub(super) fn ed25519_sign(seed: &Secret<32>, message: &[u8]) -> [u8; 64] {
    ed25519_dalek::SigningKey::from_bytes(seed.expose())
        .sign(message)
        .to_bytes()
}

/// Whether the bytes are a point that is not of small order.
pub(super) fn ed25519_accepts(public: &[u8; 32]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(public).is_ok_and(|key| !key.is_weak())
}

/// Cofactorless verification that also refuses points of small order.
pub(super) fn ed25519_verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    ed25519_dalek::VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

pub(super) fn mldsa65_public(seed: &Secret<32>) -> Box<[u8; 1952]> {
    let key = ml_dsa::SigningKey::<MlDsa65>::from_seed(&(*seed.expose()).into());
    Box::new(
        ml_dsa::signature::Keypair::verifying_key(&key)
            .encode()
            .into(),
    )
}

/// Hedged signing with an empty context: `M' = 0 ‖ 0 ‖ M` (FIPS 204 algorithm 2).
pub(super) fn mldsa65_sign(seed: &Secret<32>, message: &[u8], rnd: &[u8; 32]) -> Box<[u8; 3309]> {
    let key = ml_dsa::ExpandedSigningKey::<MlDsa65>::from_seed(&(*seed.expose()).into());
    Box::new(
        key.sign_internal(&[&[0, 0], message], &(*rnd).into())
            .encode()
            .into(),
    )
}

pub(super) fn mldsa65_verify(public: &[u8; 1952], message: &[u8], signature: &[u8; 3309]) -> bool {
    let key = ml_dsa::VerifyingKey::<MlDsa65>::decode(&(*public).into());
    ml_dsa::Signature::decode(&(*signature).into())
        .is_some_and(|signature| key.verify_with_context(message, &[], &signature))
}

/// The tag; `None` for more than 256 GiB.
pub(super) fn aead_seal(
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

pub(super) fn aead_open(
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
        pub(super) mod $name {
            use alloc::boxed::Box;

            use ml_kem::{Decapsulate, KeyExport, $set};

            use crate::secret::Secret;

            #[derive(Clone)]
            pub(in crate::crypto) struct Encapsulation(Box<$set::EncapsulationKey>);
            pub(in crate::crypto) struct Decapsulation(Box<$set::DecapsulationKey>);

            impl Encapsulation {
                /// Runs the modulus check of FIPS 203 section 7.2.
                pub(in crate::crypto) fn parse(bytes: &[u8; $ek]) -> Option<Self> {
                    let key = $set::EncapsulationKey::new(&(*bytes).into()).ok()?;
                    Some(Self(Box::new(key)))
                }

                pub(in crate::crypto) fn encapsulate(
                    &self,
                    m: &Secret<32>,
                ) -> (Box<[u8; $ct]>, Secret<32>) {
                    let (ct, shared) = self.0.encapsulate_deterministic(&(*m.expose()).into());
                    (Box::new(ct.into()), Secret::take(&mut shared.into()))
                }
            }

            impl Decapsulation {
                pub(in crate::crypto) fn from_seed(seed: &Secret<64>) -> Self {
                    let key = $set::DecapsulationKey::from_seed((*seed.expose()).into());
                    Self(Box::new(key))
                }

                pub(in crate::crypto) fn public(&self) -> [u8; $ek] {
                    self.0.encapsulation_key().to_bytes().into()
                }

                pub(in crate::crypto) fn decapsulate(&self, ct: &[u8; $ct]) -> Secret<32> {
                    Secret::take(&mut self.0.decapsulate(&(*ct).into()).into())
                }
            }
        }
    };
}
ml_kem!(kem768, ml_kem_768, 1184, 1088);
ml_kem!(kem1024, ml_kem_1024, 1568, 1568);
