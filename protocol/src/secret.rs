//! The one secret type: wiped on drop; it cannot be printed, copied, or compared by accident.

use alloc::vec::Vec;
use core::array;
use core::ops::{Deref, DerefMut};

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use crate::declassify::declassify;
use crate::error::{Error, Result};

/// `Debug` that shows the type's name and nothing else.
macro_rules! opaque_debug {
    ($($name:ident $(<$t:ident>)?),* $(,)?) => {$(
        impl $(<$t>)? core::fmt::Debug for $name $(<$t>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
pub(crate) use opaque_debug;

/// `N` secret bytes. Aligned, so that they are moved as whole registers: the error in a `Result` shares none with them.
#[repr(align(16))]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes over secret bytes; the caller's copy is wiped.
    pub fn take(bytes: &mut [u8; N]) -> Self {
        let secret = Self(*bytes);
        wipe(bytes);
        secret
    }

    /// Fills a new secret in place.
    pub fn fill(with: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self([0; N]);
        with(&mut secret.0);
        secret
    }

    /// Zeros, to be filled in their place.
    pub(crate) fn zero() -> Self {
        Self([0; N])
    }

    /// `N` fresh bytes.
    ///
    /// # Errors
    /// [`Error::Randomness`] when the generator fails.
    pub fn random<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self> {
        let mut secret = Self([0; N]);
        rng.try_fill_bytes(&mut secret.0)
            .map_err(|_| Error::Randomness)?;
        Ok(secret)
    }

    /// The bytes. Every use can be found by this name.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be written where they are: a secret that is moved leaves a copy behind.
    pub(crate) fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// A second copy, wiped on its own. There is no `Clone`: every copy can be found by this name.
    pub(crate) fn duplicate(&self) -> Self {
        Self::fill(|out| out.copy_from_slice(&self.0))
    }

    /// Comparison in constant time.
    pub fn equals(&self, other: &[u8; N]) -> bool {
        let mut equal = [self.0.ct_eq(other).unwrap_u8()];
        declassify(&mut equal, "the outcome of a comparison");
        equal == [1]
    }

    /// Cuts key material into `K` keys of 32 bytes.
    pub(crate) fn split<const K: usize>(&self) -> [Secret<32>; K] {
        const { assert!(N == 32 * K) };
        let mut parts = self.0.chunks_exact(32);
        array::from_fn(|_| {
            Secret::fill(|out| {
                if let Some(part) = parts.next() {
                    out.copy_from_slice(part);
                }
            })
        })
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl<const N: usize> ZeroizeOnDrop for Secret<N> {}

/// Secret bytes of any number, wiped on drop.
#[derive(Default)]
pub(crate) struct Wiped(Vec<u8>);

impl Wiped {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Wiped {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        // What was truncated is still in the spare room.
        self.0.resize(self.0.capacity(), 0);
        wipe(&mut self.0);
    }
}

/// Overwrites secret bytes. `Zeroize` does that one volatile byte at a time, which for a message of 10 kB takes as long as its
/// decryption; its barrier keeps stores of any width.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    zeroize::optimization_barrier(bytes);
}

/// `N` fresh bytes that are not secret (nonces, salts).
///
/// # Errors
/// [`Error::Randomness`] when the generator fails.
pub(crate) fn random_bytes<const N: usize, R: TryCryptoRng + ?Sized>(
    rng: &mut R,
) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rng.try_fill_bytes(&mut bytes)
        .map_err(|_| Error::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_keeps_order_and_take_wipes() {
        let mut bytes = [0u8; 64];
        bytes[32] = 7;
        let [low, high] = Secret::take(&mut bytes).split::<2>();
        assert!(low.equals(&[0; 32]) && high.expose()[0] == 7);
        assert_eq!(bytes, [0; 64]);
    }
}
