//! Two devices from their first handshake on, and everything that can happen to them.
#![no_main]

use marline_fuzz::devices::{Run, run};

libfuzzer_sys::fuzz_target!(|input: Run| run(&input));
