//! Everything that comes over the network.
#![no_main]

use marline_fuzz::decoders::{WIRE, check};

libfuzzer_sys::fuzz_target!(|input: &[u8]| check(&WIRE, input));
