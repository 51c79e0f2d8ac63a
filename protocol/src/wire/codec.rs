//! The codec (spec section 1.1): TLS presentation language, canonical, every decoder total.
//!
//! Our own hundred lines instead of a derive crate, because encoded state is secret: an encoder here
//! measures first and writes once into a buffer of the exact size, so no stray copy is left
//! behind, and it needs no `std`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::limits::VERSION;
use crate::secret::Secret;

/// Where encoded bytes go: a counter or a buffer.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for usize {
    fn put(&mut self, bytes: &[u8]) {
        *self = self.saturating_add(bytes.len());
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// What has an encoding.
pub trait Encode {
    /// Appends the encoding.
    fn encode(&self, out: &mut impl Sink);

    /// Length of the encoding in bytes.
    fn encoded_len(&self) -> usize {
        let mut length = 0usize;
        self.encode(&mut length);
        length
    }

    /// The encoding, in one allocation of its exact size.
    fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode(&mut out);
        out
    }

    /// The encoding of something secret.
    fn to_secret_vec(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.to_vec())
    }
}

/// What can be read back.
pub trait Decode: Sized {
    /// Reads one value.
    ///
    /// # Errors
    /// [`Error::Malformed`], or [`Error::Version`] for an unknown version.
    fn decode(input: &mut Reader<'_>) -> Result<Self>;

    /// Reads one value that must take all of `bytes`.
    ///
    /// # Errors
    /// As [`Decode::decode`]; [`Error::Malformed`] for bytes left over.
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut input = Reader::new(bytes);
        let value = Self::decode(&mut input)?;
        input.finish()?;
        Ok(value)
    }
}

/// Bytes still to be read.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(length).ok_or(Error::Malformed)?;
        self.0 = left;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let (taken, left) = self.0.split_first_chunk().ok_or(Error::Malformed)?;
        self.0 = left;
        Ok(taken)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    /// Number of bytes left.
    pub fn remaining(&self) -> usize {
        self.0.len()
    }

    /// The next byte, which must be the protocol version (M-EN-03).
    pub fn version(&mut self) -> Result<()> {
        if u8::decode(self)? == VERSION {
            Ok(())
        } else {
            Err(Error::Version)
        }
    }

    /// Checks that nothing is left over (M-EN-01).
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Malformed)
        }
    }
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Encode for $t {
            fn encode(&self, out: &mut impl Sink) {
                out.put(&self.to_be_bytes());
            }
        }
        impl Decode for $t {
            fn decode(input: &mut Reader<'_>) -> Result<Self> {
                Ok(Self::from_be_bytes(*input.array()?))
            }
        }
    )*};
}
integers!(u8, u16, u32, u64);

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut impl Sink) {
        out.put(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        input.array().copied()
    }
}

impl<const N: usize> Encode for Secret<N> {
    fn encode(&self, out: &mut impl Sink) {
        out.put(self.expose());
    }
}

impl<const N: usize> Decode for Secret<N> {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let bytes = input.array::<N>()?;
        Ok(Self::fill(|out| out.copy_from_slice(bytes)))
    }
}

impl Encode for bool {
    fn encode(&self, out: &mut impl Sink) {
        out.put(&[u8::from(*self)]);
    }
}

impl Decode for bool {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        match u8::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Error::Malformed),
        }
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, out: &mut impl Sink) {
        (**self).encode(out);
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        T::decode(input).map(Box::new)
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut impl Sink) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(if bool::decode(input)? {
            Some(T::decode(input)?)
        } else {
            None
        })
    }
}

macro_rules! list {
    ($list:ident, $t:ty) => {
        /// Lists with a count in this integer type. Callers keep them within its range.
        pub mod $list {
            use super::*;

            /// Appends the count and the elements.
            pub fn encode<'a, T: Encode + 'a>(
                items: impl IntoIterator<Item = &'a T, IntoIter: ExactSizeIterator>,
                out: &mut impl Sink,
            ) {
                let items = items.into_iter();
                (items.len() as $t).encode(out);
                items.for_each(|item| item.encode(out));
            }

            /// Reads the count and the elements. Every element takes at least one byte, and room is made for no more than
            /// the input's length, which bounds what a false count can make us allocate.
            pub fn decode<T: Decode>(input: &mut Reader<'_>) -> Result<Vec<T>> {
                let count = <$t>::decode(input)? as usize;
                if count > input.remaining() {
                    return Err(Error::Malformed);
                }
                let room = input.remaining() / size_of::<T>().max(1);
                let mut items = Vec::with_capacity(count.min(room));
                for _ in 0..count {
                    items.push(T::decode(input)?);
                }
                Ok(items)
            }
        }
    };
}
list!(list8, u8);
list!(list16, u16);
list!(list32, u32);

macro_rules! bytes {
    ($bytes:ident, $t:ty) => {
        /// Byte strings with their length in this integer type.
        pub mod $bytes {
            use super::*;

            /// Appends length and bytes.
            pub fn encode(bytes: &[u8], out: &mut impl Sink) {
                (bytes.len() as $t).encode(out);
                out.put(bytes);
            }

            /// Reads length and bytes.
            pub fn decode(input: &mut Reader<'_>) -> Result<Vec<u8>> {
                let length = <$t>::decode(input)? as usize;
                input.take(length).map(<[u8]>::to_vec)
            }
        }
    };
}
bytes!(bytes8, u8);
bytes!(bytes16, u16);

/// Implements [`Encode`] and [`Decode`] for a struct whose fields follow one another; `field: module`
/// names the form of a list or byte string.
macro_rules! structure {
    ($name:ident { $($field:ident $(: $form:ident)?),* $(,)? }) => {
        impl $crate::wire::codec::Encode for $name {
            fn encode(&self, out: &mut impl $crate::wire::codec::Sink) {
                $($crate::wire::codec::structure!(@encode self.$field, out $(, $form)?);)*
            }
        }
        impl $crate::wire::codec::Decode for $name {
            fn decode(input: &mut $crate::wire::codec::Reader<'_>) -> $crate::error::Result<Self> {
                Ok(Self { $($field: $crate::wire::codec::structure!(@decode input $(, $form)?)),* })
            }
        }
    };
    (@encode $value:expr, $out:ident) => { $crate::wire::codec::Encode::encode(&$value, $out) };
    (@encode $value:expr, $out:ident, $form:ident) => { $crate::wire::codec::$form::encode(&$value, $out) };
    (@decode $input:ident) => { $crate::wire::codec::Decode::decode($input)? };
    (@decode $input:ident, $form:ident) => { $crate::wire::codec::$form::decode($input)? };
}
pub(crate) use structure;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Sample {
        number: u32,
        flag: Option<u16>,
        name: Vec<u8>,
        list: Vec<u64>,
    }
    structure!(Sample {
        number,
        flag,
        name: bytes8,
        list: list16
    });

    #[test]
    fn round_trip_and_every_truncation() {
        let sample = Sample {
            number: 7,
            flag: Some(9),
            name: vec![1, 2],
            list: vec![3, 4],
        };
        let bytes = sample.to_vec();
        assert_eq!(bytes.capacity(), bytes.len());
        assert_eq!(Sample::from_bytes(&bytes), Ok(sample));
        for length in 0..bytes.len() {
            assert_eq!(Sample::from_bytes(&bytes[..length]), Err(Error::Malformed));
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Sample::from_bytes(&longer), Err(Error::Malformed));
    }

    #[test]
    fn booleans_and_options_are_canonical() {
        assert_eq!(bool::from_bytes(&[2]), Err(Error::Malformed));
        assert_eq!(<Option<u8>>::from_bytes(&[2, 0]), Err(Error::Malformed));
    }

    #[test]
    fn a_false_count_allocates_nothing() {
        let result: Result<Vec<u64>> = list32::decode(&mut Reader::new(&[255, 255, 255, 255, 0]));
        assert_eq!(result, Err(Error::Malformed));
    }
}
