//! ML-KEM (FIPS 203): 1024 in prekeys, 768 in the ratchet (M-PR-03, M-PR-04).

/// One parameter set.
macro_rules! kem {
    ($(#[$doc:meta])* $name:ident, $ek:literal, $ct:literal) => {
        $(#[$doc])*
        pub mod $name {
            use alloc::boxed::Box;

            use crate::crypto::provider::$name as provider;
            use crate::declassify::declassify;
            use crate::error::{Error, Result};
            use crate::secret::Secret;
            use crate::wire::codec::{Decode, Encode, Reader, Sink};

            /// Bytes of an encapsulation key.
            pub const KEY_LEN: usize = $ek;
            /// Bytes of a ciphertext.
            pub const CIPHERTEXT_LEN: usize = $ct;
            /// A ciphertext.
            pub type Ciphertext = Box<[u8; CIPHERTEXT_LEN]>;

            /// An encapsulation key that passed the modulus check of FIPS 203 section 7.2.
            #[derive(Clone)]
            pub struct EncapsulationKey {
                bytes: Box<[u8; KEY_LEN]>,
                parsed: provider::Encapsulation,
            }

            impl EncapsulationKey {
                /// Checks bytes from outside.
                ///
                /// # Errors
                /// [`Error::Malformed`] when a coefficient is not below q.
                pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Result<Self> {
                    let parsed = provider::Encapsulation::parse(bytes).ok_or(Error::Malformed)?;
                    Ok(Self { bytes: Box::new(*bytes), parsed })
                }

                /// The encoded key.
                pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
                    &self.bytes
                }

                /// `Encaps(ek, m)`: a ciphertext and the shared secret.
                pub fn encapsulate(&self, m: &Secret<32>) -> (Ciphertext, Secret<32>) {
                    self.parsed.encapsulate(m)
                }
            }

            /// A decapsulation key: the seed is what is stored, the expanded form is made when needed.
            pub struct DecapsulationKey {
                seed: Secret<64>,
                expanded: Option<provider::Decapsulation>,
            }

            impl DecapsulationKey {
                /// The key of a seed `d ‖ z`, and its encapsulation key.
                pub fn generate(seed: Secret<64>) -> (Self, Box<[u8; KEY_LEN]>) {
                    let expanded = provider::Decapsulation::from_seed(&seed);
                    let mut public = Box::new(expanded.public());
                    declassify(&mut *public, "a public key");
                    (Self { seed, expanded: Some(expanded) }, public)
                }

                /// The key of a seed, expanded only when used.
                pub fn from_seed(seed: Secret<64>) -> Self {
                    Self { seed, expanded: None }
                }

                /// `Decaps`: never fails; a wrong ciphertext gives an unrelated secret.
                pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT_LEN]) -> Secret<32> {
                    match &self.expanded {
                        Some(key) => key.decapsulate(ciphertext),
                        None => provider::Decapsulation::from_seed(&self.seed).decapsulate(ciphertext),
                    }
                }
            }

            impl Encode for EncapsulationKey {
                fn encode(&self, out: &mut impl Sink) {
                    self.bytes.encode(out);
                }
            }

            impl Decode for EncapsulationKey {
                fn decode(input: &mut Reader<'_>) -> Result<Self> {
                    Self::from_bytes(input.array()?)
                }
            }

            impl Encode for DecapsulationKey {
                fn encode(&self, out: &mut impl Sink) {
                    self.seed.encode(out);
                }
            }

            impl Decode for DecapsulationKey {
                fn decode(input: &mut Reader<'_>) -> Result<Self> {
                    Secret::decode(input).map(Self::from_seed)
                }
            }
        }
    };
}

kem!(
    /// ML-KEM-768, in the ratchet.
    kem768, 1184, 1088
);
kem!(
    /// ML-KEM-1024, in prekeys.
    kem1024, 1568, 1568
);

#[cfg(test)]
mod tests {
    use sha3::{Digest, Sha3_256, Sha3_512};

    use super::kem768;
    use crate::secret::Secret;

    /// FIPS 203, algorithm 17. The key, t = 0 and rho = 0, is one without key generation, which takes Miri minutes.
    #[test]
    fn the_shared_secret_is_the_hash_of_m_and_the_key() {
        let bytes = [0; kem768::KEY_LEN];
        let key = kem768::EncapsulationKey::from_bytes(&bytes).unwrap();
        let (_, shared) = key.encapsulate(&Secret::take(&mut [7; 32]));
        let both = Sha3_512::new()
            .chain_update([7; 32])
            .chain_update(Sha3_256::digest(bytes))
            .finalize();
        assert_eq!(shared.expose()[..], both[..32]);
    }
}
