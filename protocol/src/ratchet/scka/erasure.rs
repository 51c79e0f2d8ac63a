//! Erasure code (spec section 6.1): systematic Reed-Solomon over GF(2^16), any k codewords suffice.
//!
//! Our own small Lagrange interpolation: the code is part of the protocol to the byte, and the libraries
//! for it fix other layouts. It handles public values, and takes no table look-ups all the same.
#![allow(clippy::indexing_slicing)] // Arrays of fixed size, indices from loops over those sizes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::error::{Error, Result};
use crate::wire::codec::{Decode, Encode, Reader, Sink, list8, structure};
use crate::wire::message::CODEWORD_LEN;

/// 32 bytes of an object, or of its continuation.
pub type Codeword = [u8; CODEWORD_LEN];
/// Sixteen field elements.
type Elements = [u16; CODEWORD_LEN / 2];

/// The field polynomial x^16 + x^12 + x^3 + x + 1 without its top bit.
const POLYNOMIAL: u16 = 0x100b;

/// `x * a` in the field.
const fn times_x(a: u16) -> u16 {
    (a << 1) ^ (POLYNOMIAL & (a >> 15).wrapping_neg())
}

/// Product in the field.
const fn mul(mut a: u16, b: u16) -> u16 {
    let (mut product, mut bit) = (0, 0);
    while bit < 16 {
        product ^= a & ((b >> bit) & 1).wrapping_neg();
        a = times_x(a);
        bit += 1;
    }
    product
}

/// Inverse in the field: `a^(2^16 − 2)`.
const fn inverse(a: u16) -> u16 {
    let (mut power, mut result, mut i) = (a, 1, 1);
    while i < 16 {
        power = mul(power, power);
        result = mul(result, power);
        i += 1;
    }
    result
}

/// `1 / Π_{m≠j} (x_j − x_m)` for each point.
const fn weights<const K: usize>(points: &[u16; K]) -> [u16; K] {
    let mut weights = [1; K];
    let mut j = 0;
    while j < K {
        let mut m = 0;
        while m < K {
            if m != j {
                weights[j] = mul(weights[j], points[j] ^ points[m]);
            }
            m += 1;
        }
        weights[j] = inverse(weights[j]);
        j += 1;
    }
    weights
}

/// Lagrange coefficients at `x`: `Π_{m≠j} (x − x_m)` times the weight, by running products from both ends.
fn coefficients<const K: usize>(points: &[u16; K], weights: &[u16; K], x: u16) -> [u16; K] {
    let mut coefficients = *weights;
    let (mut before, mut after) = (1, 1);
    for j in 0..K {
        coefficients[j] = mul(coefficients[j], before);
        before = mul(before, x ^ points[j]);
    }
    for j in (0..K).rev() {
        coefficients[j] = mul(coefficients[j], after);
        after = mul(after, x ^ points[j]);
    }
    coefficients
}

fn elements(codeword: &Codeword) -> Elements {
    let mut elements = Elements::default();
    for (element, bytes) in elements.iter_mut().zip(codeword.as_chunks().0) {
        *element = u16::from_be_bytes(*bytes);
    }
    elements
}

fn bytes(elements: &Elements) -> Codeword {
    let mut codeword = [0; CODEWORD_LEN];
    for (bytes, element) in codeword.as_chunks_mut().0.iter_mut().zip(elements) {
        *bytes = element.to_be_bytes();
    }
    codeword
}

/// The value at `x` of the polynomials through the codewords at the points: `Σ coefficient * codeword`, bit by bit
/// of the coefficients from the highest, so that only the sum is ever multiplied by x.
fn interpolate<'a, const K: usize>(
    points: &[u16; K],
    weights: &[u16; K],
    codewords: impl Iterator<Item = &'a Codeword>,
    x: u16,
) -> Codeword {
    let mut values = [Elements::default(); K];
    values
        .iter_mut()
        .zip(codewords)
        .for_each(|(to, codeword)| *to = elements(codeword));
    let coefficients = coefficients(points, weights, x);
    let mut sum = Elements::default();
    for bit in (0..16).rev() {
        sum = sum.map(times_x);
        for (coefficient, value) in coefficients.iter().zip(&values) {
            let mask = ((coefficient >> bit) & 1).wrapping_neg();
            sum.iter_mut()
                .zip(value)
                .for_each(|(sum, element)| *sum ^= element & mask);
        }
    }
    bytes(&sum)
}

/// An object of `K` codewords.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object<const K: usize>(Box<[Codeword; K]>);

impl<const K: usize> Object<K> {
    const POINTS: [u16; K] = {
        let (mut points, mut i) = ([0; K], 0);
        while i < K {
            points[i] = i as u16;
            i += 1;
        }
        points
    };
    const WEIGHTS: [u16; K] = weights(&Self::POINTS);

    /// An object from its parts, `32 K` bytes together.
    pub fn new(parts: [&[u8]; 2]) -> Self {
        debug_assert_eq!(parts[0].len() + parts[1].len(), K * CODEWORD_LEN);
        let mut object = Box::new([[0; CODEWORD_LEN]; K]);
        let bytes = parts[0].iter().chain(parts[1]);
        object
            .as_flattened_mut()
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        Self(object)
    }

    /// The object's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    /// Codeword `index`.
    pub fn codeword(&self, index: u16) -> Codeword {
        match self.0.get(usize::from(index)) {
            Some(codeword) => *codeword,
            None => interpolate(&Self::POINTS, &Self::WEIGHTS, self.0.iter(), index),
        }
    }

    /// The codewords from `index` on that fill `length` bytes, indices modulo 65536.
    pub fn codewords(&self, index: u16, length: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(length);
        let count = (length / CODEWORD_LEN) as u16;
        (0..count).for_each(|i| out.extend_from_slice(&self.codeword(index.wrapping_add(i))));
        out
    }
}

impl<const K: usize> Encode for Object<K> {
    fn encode(&self, out: &mut impl Sink) {
        out.put(self.as_bytes());
    }
}

impl<const K: usize> Decode for Object<K> {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(Self::new([input.take(K * CODEWORD_LEN)?, &[]]))
    }
}

/// A codeword and its index.
#[derive(Clone, Copy)]
struct Held {
    index: u16,
    codeword: Codeword,
}
structure!(Held { index, codeword });

/// Fewer than `K` codewords of an object, by ascending index.
#[derive(Default)]
pub struct Decoder<const K: usize>(Vec<Held>);

impl<const K: usize> Decoder<K> {
    /// No codewords yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The object that `codewords` from `index` on would complete; `None` when more are needed.
    pub fn complete(&self, index: u16, codewords: &[u8]) -> Option<Object<K>> {
        if self.0.len() + codewords.len() / CODEWORD_LEN < K {
            return None;
        }
        let mut all = Self(self.0.clone());
        all.add(index, codewords);
        let held: &[Held; K] = all.0.as_slice().try_into().ok()?;
        Some(rebuild(held))
    }

    /// Keeps codewords: the first for an index, and never more than `K` (M-EC-01).
    pub fn add(&mut self, index: u16, codewords: &[u8]) {
        self.0.reserve_exact(K.saturating_sub(self.0.len()));
        for (i, codeword) in (0u16..).zip(codewords.as_chunks().0) {
            let index = index.wrapping_add(i);
            if let Err(at) = self.0.binary_search_by_key(&index, |held| held.index)
                && self.0.len() < K
            {
                self.0.insert(
                    at,
                    Held {
                        index,
                        codeword: *codeword,
                    },
                );
            }
        }
    }
}

/// The object of `K` codewords with distinct, ascending indices.
fn rebuild<const K: usize>(held: &[Held; K]) -> Object<K> {
    let points = held.map(|held| held.index);
    let mut object = Box::new([[0; CODEWORD_LEN]; K]);
    let mut missing = [true; K];
    for held in held {
        if let Some(codeword) = object.get_mut(usize::from(held.index)) {
            *codeword = held.codeword;
            missing[usize::from(held.index)] = false;
        }
    }
    if missing.contains(&true) {
        let weights = weights(&points);
        for (x, codeword) in (0u16..)
            .zip(object.iter_mut())
            .filter(|(x, _)| missing[usize::from(*x)])
        {
            *codeword = interpolate(&points, &weights, held.iter().map(|held| &held.codeword), x);
        }
    }
    Object(object)
}

impl<const K: usize> Encode for Decoder<K> {
    fn encode(&self, out: &mut impl Sink) {
        list8::encode(&self.0, out);
    }
}

impl<const K: usize> Decode for Decoder<K> {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let held: Vec<Held> = list8::decode(input)?;
        let valid = held.len() < K && held.is_sorted_by(|a, b| a.index < b.index);
        if valid {
            Ok(Self(held))
        } else {
            Err(Error::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The field by long division: slow and obviously right.
    fn mul_by_division(a: u16, b: u16) -> u16 {
        let mut product = 0u32;
        for bit in 0..16 {
            if b >> bit & 1 == 1 {
                product ^= u32::from(a) << bit;
            }
        }
        for bit in (16..32).rev() {
            if product >> bit & 1 == 1 {
                product ^= 0x1100b << (bit - 16);
            }
        }
        product as u16
    }

    fn object<const K: usize>(seed: u8) -> Object<K> {
        let bytes: Vec<u8> = (0..K * 32).map(|i| (i * 7) as u8 ^ seed).collect();
        Object::new([&bytes, &[]])
    }

    #[test]
    fn d2_k_minus_one_codewords_yield_nothing_and_duplicates_do_not_count() {
        let object = object::<4>(3);
        let mut decoder = Decoder::<4>::new();
        for _ in 0..5 {
            decoder.add(100, &object.codewords(100, 96));
            assert!(decoder.complete(101, &object.codewords(101, 64)).is_none());
        }
        // The first codeword for an index wins.
        decoder.add(100, &[0xff; 32]);
        assert_eq!(
            decoder.complete(65_535, &object.codeword(65_535)),
            Some(object)
        );
    }

    #[test]
    fn indices_wrap_around() {
        let object = object::<4>(9);
        let codewords = object.codewords(65_534, 128);
        assert_eq!(codewords[64..96], object.as_bytes()[..32]);
        assert_eq!(Decoder::new().complete(65_534, &codewords), Some(object));
    }

    proptest! {
        #[test]
        fn field_laws(a: u16, b: u16) {
            prop_assert_eq!(mul(a, b), mul_by_division(a, b));
            prop_assert_eq!(mul(inverse(a), a), u16::from(a != 0));
        }

        #[test]
        fn any_k_codewords_rebuild(seed: u8, mut indices in prop::collection::btree_set(any::<u16>(), 35)) {
            let object = object::<35>(seed);
            let mut decoder = Decoder::<35>::new();
            let last = indices.pop_last().unwrap();
            indices.iter().for_each(|i| decoder.add(*i, &object.codeword(*i)));
            prop_assert!(decoder.complete(0, &[]).is_none());
            prop_assert_eq!(decoder.complete(last, &object.codeword(last)), Some(object));
        }
    }
}
