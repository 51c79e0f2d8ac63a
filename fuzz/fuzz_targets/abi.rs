//! The C ABI, called by a careless program.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| marline_fuzz::abi::run(input));
