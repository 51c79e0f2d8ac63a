//! What a call through the C ABI costs over the Rust call: `cargo run --release -p marline-ffi --example overhead`.
//! Encrypts 100 bytes in turns of both kinds and prints the medians and their difference.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unsafe_code
)]

use std::ptr;
use std::time::Instant;

use getrandom::SysRng;
use marline::Account;
use marline_ffi::{buffer, session};

const NOW: u64 = 1_800_000_000;
const TURNS: usize = 400;
const CALLS: u32 = 50;

fn main() {
    let rng = &mut SysRng;
    let mut bob = Account::generate("bob", rng).unwrap();
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let mut alice = Account::generate("alice", rng).unwrap();
    let (mut rust, first) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
    let mut accepted = bob.accept(&first, NOW).unwrap();
    let _hello = rust
        .decrypt(&accepted.session.encrypt(b"", rng).unwrap())
        .unwrap();

    let key = [7u8; 32];
    let sealed = rust
        .export(&marline::StateKey::new(&mut key.clone()), rng)
        .unwrap();
    let mut c = ptr::null_mut();
    // SAFETY: all pointers are valid for their lengths.
    let status = unsafe {
        session::marline_session_import(
            key.as_ptr(),
            32,
            sealed.as_ptr(),
            sealed.len(),
            0,
            &mut c,
            ptr::null_mut(),
        )
    };
    assert_eq!(status, 0);

    let plaintext = [1u8; 100];
    let (mut in_rust, mut through_c) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let start = Instant::now();
        for _ in 0..CALLS {
            drop(rust.encrypt(&plaintext, rng).unwrap());
        }
        in_rust.push(start.elapsed() / CALLS);
        let start = Instant::now();
        for _ in 0..CALLS {
            let mut out = ptr::null_mut();
            // SAFETY: as above; the session is this thread's.
            unsafe {
                let (none, all) = (ptr::null(), plaintext.as_ptr());
                let err = ptr::null_mut();
                let options = ptr::null();
                session::marline_session_encrypt(c, all, 100, none, 0, options, &mut out, err);
                buffer::marline_buffer_free(out);
            }
        }
        through_c.push(start.elapsed() / CALLS);
    }
    in_rust.sort();
    through_c.sort();
    let (rust, c) = (in_rust[TURNS / 2], through_c[TURNS / 2]);
    let more = c.as_secs_f64() - rust.as_secs_f64();
    println!(
        "Rust {rust:?}, through C {c:?}: {:+.0} ns, {:+.1} % (to be at most 1000 ns and 3 %)",
        1e9 * more,
        100.0 * more / rust.as_secs_f64()
    );
}
