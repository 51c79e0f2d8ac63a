//! The primitives: one small typed module each, over one provider (spec section 1.2). Both providers have the same
//! functions and give the same bytes; `tests/providers.rs` holds one against the other.
//!
//! Nothing outside this folder names a primitive crate. Bytes from outside become types here once,
//! and those types cannot hold an unchecked value.

pub mod aead;
#[cfg(feature = "aws-lc")]
pub mod awslc;
pub mod dh;
pub mod hash;
pub mod kem;
// What AWS-LC replaces is there for the tests then, through `hazmat`.
#[cfg_attr(feature = "aws-lc", allow(dead_code))]
pub mod rustcrypto;
pub mod sign;

#[cfg(feature = "aws-lc")]
pub use awslc as provider;
#[cfg(not(feature = "aws-lc"))]
pub use rustcrypto as provider;
