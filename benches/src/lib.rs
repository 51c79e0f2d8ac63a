//! What Marline's operations cost: each beside its primitives alone, and beside peers.

pub mod cost;
pub mod exposure;
pub mod measure;
pub mod operations;
mod pair;
pub mod primitives;
pub mod sizes;

pub use pair::Pair;

/// Unix seconds, as an application's clock would give them.
pub const NOW: u64 = 1_800_000_000;

/// Whatever goes wrong ends a measurement.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
