//! The primitives: one small typed module each, over one provider (spec section 1.2).
//!
//! Nothing outside this folder names a primitive crate. Bytes from outside become types here once,
//! and those types cannot hold an unchecked value.

pub mod aead;
pub mod dh;
pub mod hash;
pub mod kem;
mod rustcrypto;
pub mod sign;

use rustcrypto as provider;
