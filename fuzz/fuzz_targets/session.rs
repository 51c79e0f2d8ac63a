//! Two sessions and everything that can happen to them.
#![no_main]

use marline_fuzz::session::{Run, run};

libfuzzer_sys::fuzz_target!(|input: Run| run(&input));
