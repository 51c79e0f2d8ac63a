//! External test vectors: the primitives as this crate calls them. `tests/README.md` says what is run and what not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]
#![allow(dead_code)] // Of the helpers, the attack checklist uses more.

#[path = "../common/mod.rs"]
mod common;

#[path = "../attacks/attacker.rs"]
mod attacker;
#[path = "../attacks/craft.rs"]
mod craft;
#[path = "../attacks/notation.rs"]
mod notation;
#[path = "../attacks/structures.rs"]
mod structures;

mod cctv;
mod wycheproof;
