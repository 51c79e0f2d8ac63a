//! The erasure code (spec section 6.2): any 35 different codewords give the object back, and no 34.

use std::collections::BTreeSet;

use marline::hazmat::erasure::{Decoder, Object};

use crate::planted;

/// The input is the object's beginning and, in pairs of bytes, the indices of the codewords in the order they arrive.
pub fn check(input: &[u8]) {
    let mut content = [0; 1120];
    let length = input.len().min(content.len());
    content[..length].copy_from_slice(&input[..length]);
    let object = Object::<35>::new([&content[..1088], &content[1088..]]);
    let mut decoder = Decoder::<35>::new();
    let given = input
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut held = BTreeSet::new();
    for index in given.chain(7..) {
        // A codeword that is there already changes nothing; asked once in a while, it costs much.
        if !held.insert(index) {
            continue;
        }
        let mut codeword = object.codeword(index);
        if planted() && index % 16 == 9 {
            codeword[0] ^= 1; // The control: a wrong codeword.
        }
        let whole = decoder.complete(index, &codeword);
        if held.len() == 35 {
            assert!(whole.is_some_and(|whole| whole.as_bytes() == content));
            return;
        }
        assert!(whole.is_none());
        decoder.add(index, &codeword);
        decoder.add(index, &codeword);
    }
}
