//! The erasure code: any codewords, in any order.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| marline_fuzz::erasure::check(input));
