//! GF(2^16) (spec section 6.1), in loops that compilers make vector instructions of. No tables, no branches.
#![allow(clippy::indexing_slicing)] // Arrays of fixed size, indices from loops over those sizes.

use super::erasure::Codeword;
use crate::wire::message::CODEWORD_LEN;

/// Sixteen field elements.
pub(super) type Elements = [u16; CODEWORD_LEN / 2];

/// The field polynomial x^16 + x^12 + x^3 + x + 1 without its top bit.
const POLYNOMIAL: u16 = 0x100b;

/// `x * a` in the field.
pub(super) const fn times_x(a: u16) -> u16 {
    (a << 1) ^ (POLYNOMIAL & (a >> 15).wrapping_neg())
}

/// Product in the field.
pub(super) const fn mul(mut a: u16, b: u16) -> u16 {
    let (mut product, mut bit) = (0, 0);
    while bit < 16 {
        product ^= a & ((b >> bit) & 1).wrapping_neg();
        a = times_x(a);
        bit += 1;
    }
    product
}

/// Products in the field, place by place.
pub(super) const fn mul_each<const N: usize>(a: &[u16; N], b: &[u16; N]) -> [u16; N] {
    let (mut products, mut i) = ([0; N], 0);
    while i < N {
        products[i] = mul(a[i], b[i]);
        i += 1;
    }
    products
}

/// Inverses in the field: `a^(2^16 − 2)`; 0 for 0.
pub(super) const fn inverse_each<const N: usize>(a: &[u16; N]) -> [u16; N] {
    // `a^(2^n − 1)` for n of 1, 2, 3, 5, 10 and 15: each the one before, squared n − m times, by the one of n − m.
    let two = mul_each(&square_each(a, 1), a);
    let three = mul_each(&square_each(&two, 1), a);
    let five = mul_each(&square_each(&three, 2), &two);
    let ten = mul_each(&square_each(&five, 5), &five);
    let fifteen = mul_each(&square_each(&ten, 5), &five);
    square_each(&fifteen, 1)
}

/// `a^(2^times)`, place by place.
const fn square_each<const N: usize>(a: &[u16; N], times: usize) -> [u16; N] {
    let (mut power, mut i) = (*a, 0);
    while i < times {
        power = mul_each(&power, &power);
        i += 1;
    }
    power
}

/// A codeword as field elements, big endian.
pub(super) fn elements(codeword: &Codeword) -> Elements {
    let mut elements = Elements::default();
    for (element, bytes) in elements.iter_mut().zip(codeword.as_chunks().0) {
        *element = u16::from_be_bytes(*bytes);
    }
    elements
}

/// Field elements as a codeword.
pub(super) fn bytes(elements: &Elements) -> Codeword {
    let mut codeword = [0; CODEWORD_LEN];
    for (bytes, element) in codeword.as_chunks_mut().0.iter_mut().zip(elements) {
        *bytes = element.to_be_bytes();
    }
    codeword
}

/// Sums in the field, place by place.
pub(super) fn sum(a: &Elements, b: &Elements) -> Elements {
    core::array::from_fn(|i| a[i] ^ b[i])
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

    proptest! {
        #[test]
        fn field_laws(a: u16, b: u16) {
            prop_assert_eq!(mul(a, b), mul_by_division(a, b));
            prop_assert_eq!(mul_each(&inverse_each(&[a]), &[a]), [u16::from(a != 0)]);
        }
    }
}
