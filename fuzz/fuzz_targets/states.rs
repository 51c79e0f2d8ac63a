//! Everything that comes from a store.
#![no_main]

use marline_fuzz::decoders::{STATES, check};

libfuzzer_sys::fuzz_target!(|input: &[u8]| check(&STATES, input));
