//! The attack checklist: `tests/README.md` says which test answers which row.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing
)]

#[path = "../common/mod.rs"]
mod common;

mod attacker;
mod craft;
mod notation;
mod structures;

mod a_kem;
mod a_points;
mod b_bundle;
mod b_handshake;
mod c_limits;
mod c_messages;
mod c_secrets;
mod c_states;
mod d_agreement;
mod d_objects;
mod e_content;
mod independent;
mod table;
