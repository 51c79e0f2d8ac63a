//! Erasure code (spec section 6.1): systematic Reed-Solomon over GF(2^16), any k codewords suffice.
//!
//! Our own small Lagrange interpolation: the code is part of the protocol to the byte, and the libraries
//! for it fix other layouts. The barycentric form: a codeword at `x` is `Π (x − x_m) · Σ_j weight_j / (x − x_j) · value_j`.
//!
//! Objects are public keys and ciphertexts. Even so, nothing here looks up or branches by their content: the only look-ups
//! (`Subsets`) are by coefficients, which follow from indices alone.
#![allow(clippy::indexing_slicing)] // Arrays of fixed size; indices from loops over it, or masked to it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::array::from_fn;

use super::field::{Elements, bytes, elements, inverse_each, mul, mul_each, sum, times_x};
use crate::error::{Error, Result};
use crate::wire::codec::{Decode, Encode, Reader, Sink, list8, structure};
use crate::wire::message::CODEWORD_LEN;

/// 32 bytes of an object, or of its continuation.
pub type Codeword = [u8; CODEWORD_LEN];
/// One field element for each codeword of an object, and zeros up to a whole number of vector registers.
type Row = [u16; 40];
/// Four numbers, bits in turn: entry `b` has bit `b` of each.
type Interleaved = [u8; 16];

/// `1 / Π_{m≠j} (x_j − x_m)` for each point.
const fn weights<const K: usize>(points: &[u16; K]) -> Row {
    const { assert!(K <= 40) };
    let (mut weights, mut m) = ([0; 40], 0);
    while m < K {
        weights[m] = 1;
        m += 1;
    }
    m = 0;
    while m < K {
        let (mut differences, mut j) = ([0; 40], 0);
        while j < K {
            differences[j] = if j == m { 1 } else { points[j] ^ points[m] };
            j += 1;
        }
        weights = mul_each(&weights, &differences);
        m += 1;
    }
    inverse_each(&weights)
}

/// The codewords of an object by their weights, and every sum of some of four neighbours: entry `s` of ten is the sum of
/// those whose bit is set in `s`.
struct Subsets([[Elements; 16]; 10]);

impl Subsets {
    fn new<'a>(codewords: impl Iterator<Item = &'a Codeword>, weights: &Row) -> Self {
        let mut weighted = codewords
            .zip(weights)
            .map(|(codeword, weight)| mul_each(&elements(codeword), &[*weight; 16]));
        Self(from_fn(|_| {
            let [a, b, c, d] = from_fn(|_| weighted.next().unwrap_or_default());
            let low = [[0; 16], a, b, sum(&a, &b)];
            let high = [[0; 16], c, d, sum(&c, &d)];
            from_fn(|s| sum(&low[s & 3], &high[s >> 2]))
        }))
    }

    /// `Σ coefficient * codeword`, bit by bit of the coefficients from the highest, so that only the sum is ever
    /// multiplied by x.
    fn sum(&self, coefficients: &[Interleaved; 10]) -> Elements {
        let mut total = Elements::default();
        for bit in (0..16).rev() {
            total = total.map(times_x);
            for (sums, four) in self.0.iter().zip(coefficients) {
                total = sum(&total, &sums[usize::from(four[bit] & 15)]);
            }
        }
        total
    }

    /// The value at `x` of the polynomials through the codewords: `product` is `Π (x − x_m)`, `inverses` are
    /// `1 / (x − x_j)`.
    fn interpolate(&self, product: u16, inverses: &[Interleaved; 10]) -> Codeword {
        bytes(&mul_each(&self.sum(inverses), &[product; 16]))
    }
}

/// Numbers by fours: place `i` of each four gets its number `i ^ change`.
fn interleave<const N: usize, const FOURS: usize>(
    numbers: &[u16; N],
    change: usize,
) -> [Interleaved; FOURS] {
    const { assert!(N == 4 * FOURS) };
    from_fn(|four| {
        let [a, b, c, d] = from_fn(|i| numbers[4 * four + (i ^ change)]);
        let bit = |number: u16, bit: usize| (number >> bit & 1) as u8;
        from_fn(|i| bit(a, i) | bit(b, i) << 1 | bit(c, i) << 2 | bit(d, i) << 3)
    })
}

/// What the codewords of 64 neighbouring indices have in common. The points 0 to K − 1 are below 64 too, so that the
/// differences `x − j` of all of them are the 64 numbers of the block.
struct Block<const K: usize> {
    first: u16,
    /// `Π_{m<K} (x − m)` for each `x` of the block.
    products: [u16; 64],
    /// `1 / x` for each `x` of the block, with each `change`: interleaving is for 64 codewords, not for each.
    inverses: [[Interleaved; 16]; 4],
}

impl<const K: usize> Block<K> {
    fn around(index: u16) -> Self {
        let first = index & !63;
        let block: [u16; 64] = from_fn(|i| first ^ i as u16);
        // Points 0 to 31 give all x that differ in the low five bits only the same product.
        let whole = K as u16 & !31;
        let halves =
            [first, first ^ 32].map(|x| (0..whole).fold(1, |product, m| mul(product, x ^ m)));
        let products = (whole..K as u16).fold(from_fn(|i| halves[i / 32]), |products, m| {
            mul_each(&products, &block.map(|x| x ^ m))
        });
        let inverses = inverse_each(&block);
        Self {
            first,
            products,
            inverses: from_fn(|change| interleave(&inverses, change)),
        }
    }

    fn contains(&self, index: u16) -> bool {
        index & !63 == self.first
    }

    fn product(&self, x: u16) -> u16 {
        self.products[usize::from(x & 63)]
    }

    /// `1 / (x − j)` for each point.
    fn inverses(&self, x: u16) -> [Interleaved; 10] {
        let x = usize::from(x);
        from_fn(|four| self.inverses[x & 3][((x / 4) ^ four) & 15])
    }
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
    const WEIGHTS: Row = weights(&Self::POINTS);

    /// An object from its parts, `32 K` bytes together.
    pub fn new(parts: [&[u8]; 2]) -> Self {
        debug_assert_eq!(parts[0].len() + parts[1].len(), K * CODEWORD_LEN);
        let mut object = Box::new([[0; CODEWORD_LEN]; K]);
        // One part at a time: chained, they would be copied byte by byte.
        for (start, part) in [(0, parts[0]), (parts[0].len(), parts[1])] {
            let bytes = object.as_flattened_mut().iter_mut().skip(start);
            bytes.zip(part).for_each(|(to, from)| *to = *from);
        }
        Self(object)
    }

    /// The object's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    /// Codeword `index`.
    #[cfg(any(test, feature = "hazmat"))]
    pub fn codeword(&self, index: u16) -> Codeword {
        let mut codeword = [0; CODEWORD_LEN];
        self.codewords_into(&mut None, index, &mut codeword);
        codeword
    }

    /// The codewords from `index` on that fill `length` bytes, indices modulo 65536.
    #[cfg(any(test, feature = "hazmat"))]
    pub fn codewords(&self, index: u16, length: usize) -> Vec<u8> {
        let mut out = alloc::vec![0; length];
        self.codewords_into(&mut None, index, &mut out);
        out
    }

    /// Fills `out` with the codewords from `index` on; `parity` is what they were last made with, or nothing yet.
    fn codewords_into(&self, parity: &mut Option<Box<Parity<K>>>, index: u16, out: &mut [u8]) {
        for (i, out) in (0u16..).zip(out.as_chunks_mut().0) {
            let index = index.wrapping_add(i);
            *out = match self.0.get(usize::from(index)) {
                Some(codeword) => *codeword,
                None => parity
                    .get_or_insert_with(|| Box::new(Parity::new(self, index)))
                    .codeword(index),
            }
        }
    }
}

/// What makes codewords beyond an object's own: 6 kB, for as long as they are sent.
struct Parity<const K: usize> {
    subsets: Subsets,
    block: Block<K>,
}

impl<const K: usize> Parity<K> {
    fn new(object: &Object<K>, index: u16) -> Self {
        Self {
            subsets: Subsets::new(object.0.iter(), &Object::<K>::WEIGHTS),
            block: Block::around(index),
        }
    }

    fn codeword(&mut self, index: u16) -> Codeword {
        if !self.block.contains(index) {
            self.block = Block::around(index);
        }
        let inverses = self.block.inverses(index);
        self.subsets
            .interpolate(self.block.product(index), &inverses)
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

/// An object on its way: codewords one after another.
pub struct Encoder<const K: usize> {
    object: Object<K>,
    next: u16,
    /// Not part of the state: made when it is needed.
    parity: Option<Box<Parity<K>>>,
}

impl<const K: usize> Encoder<K> {
    /// From codeword 0 on.
    pub fn new(object: Object<K>) -> Self {
        Self {
            object,
            next: 0,
            parity: None,
        }
    }

    /// What is sent.
    pub fn object(&self) -> &Object<K> {
        &self.object
    }

    /// The next codewords, `length` bytes of them, and the index of the first.
    pub fn take(&mut self, length: usize) -> (u16, Vec<u8>) {
        let mut out = alloc::vec![0; length];
        self.object
            .codewords_into(&mut self.parity, self.next, &mut out);
        let next = self.next.wrapping_add((length / CODEWORD_LEN) as u16);
        (core::mem::replace(&mut self.next, next), out)
    }
}

impl<const K: usize> Encode for Encoder<K> {
    fn encode(&self, out: &mut impl Sink) {
        self.object.encode(out);
        self.next.encode(out);
    }
}

impl<const K: usize> Decode for Encoder<K> {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            object: Decode::decode(input)?,
            next: Decode::decode(input)?,
            parity: None,
        })
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
    let mut object = Box::new([[0; CODEWORD_LEN]; K]);
    let mut missing = [true; K];
    for held in held {
        if let Some(codeword) = object.get_mut(usize::from(held.index)) {
            *codeword = held.codeword;
            missing[usize::from(held.index)] = false;
        }
    }
    if missing.contains(&true) {
        let points = held.map(|held| held.index);
        let weights = weights(&points);
        let subsets = Subsets::new(held.iter().map(|held| &held.codeword), &weights);
        for (x, codeword) in (0u16..)
            .zip(object.iter_mut())
            .filter(|(x, _)| missing[usize::from(*x)])
        {
            let mut differences: Row = [0; 40];
            differences
                .iter_mut()
                .zip(points)
                .for_each(|(to, point)| *to = x ^ point);
            let product = points
                .iter()
                .fold(1, |product, point| mul(product, x ^ point));
            let inverses = inverse_each(&differences);
            *codeword = subsets.interpolate(product, &interleave(&inverses, 0));
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

    fn object<const K: usize>(seed: u8) -> Object<K> {
        let bytes: Vec<u8> = (0..K * 32).map(|i| (i * 7) as u8 ^ seed).collect();
        Object::new([&bytes, &[]])
    }

    #[test]
    fn d2_k_minus_one_codewords_yield_nothing_and_duplicates_do_not_count() {
        let object = object::<4>(3);
        let codewords = object.codewords(100, 96);
        let mut decoder = Decoder::<4>::new();
        for _ in 0..5 {
            decoder.add(100, &codewords);
            assert!(decoder.complete(101, &codewords[32..]).is_none());
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

    #[test]
    #[cfg_attr(miri, ignore = "tables of 35 codewords take it minutes")]
    fn codewords_do_not_depend_on_those_sent_before() {
        let object = object::<35>(5);
        // Across the blocks of 64 that share their tables: one bit of the block changes, or all do.
        for first in [63, 127, 4_095, 16_383, 32_767] {
            let mut encoder = Encoder::new(object.clone());
            encoder.next = first;
            let alone = [first, first + 1].map(|index| object.codeword(index));
            assert_eq!(encoder.take(64), (first, alone.concat()));
            assert_eq!(encoder.next, first + 2);
        }
    }

    proptest! {
        #[test]
        #[cfg_attr(miri, ignore = "tables of 35 codewords take it minutes")]
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
