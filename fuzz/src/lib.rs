//! What the fuzz targets share. Each target is a few lines in `fuzz_targets/`; the rules that must hold are here.
#![allow(missing_docs)]

#[cfg(feature = "abi")]
pub mod abi;
pub mod decoders;
pub mod devices;
pub mod erasure;
pub mod session;

#[path = "../../protocol/tests/common/mod.rs"]
pub mod common;

/// Whether this run is a control: a fault is planted in what is tested, and the run must find it. `run --control`
/// sets it.
pub fn planted() -> bool {
    static PLANTED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *PLANTED.get_or_init(|| std::env::var_os("MARLINE_FUZZ_CONTROL").is_some())
}
