//! The C ABI of Marline. The reference for its users is `include/marline.h`, which cbindgen makes of this
//! crate: the comments on the exported functions are written for C programmers.
//!
//! Layers: `boundary` is the only place with unsafe blocks: it turns what C gives into slices, guards and
//! outputs. The other modules are the exported functions, one line of protocol each.
#![allow(
    unsafe_code,
    reason = "exported functions are `unsafe extern \"C\"`; unsafe blocks are in `boundary` only, tests/unsafe_blocks.rs"
)]
#![allow(
    clippy::missing_safety_doc,
    clippy::too_many_arguments,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "the docs become Doxygen comments; parameters are flat so that every language can call"
)]

mod boundary;

pub mod account;
pub mod adopt;
pub mod buffer;
pub mod contact;
#[cfg(feature = "device")]
pub mod device;
pub mod events;
pub mod facts;
pub mod handles;
pub mod pending;
pub mod prekey;
pub mod session;
pub mod signing;
pub mod status;
#[cfg(feature = "dangerous_testing")]
pub mod testing;
pub mod trust;
pub mod version;

pub mod options;
mod randomness;
mod tape;
