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

/// What an event means by `which`, of the newest first: one of the last four, or seldom any.
pub fn choose(newest_first: &[usize], which: u8) -> Option<usize> {
    let many = newest_first.len();
    let among = if which < 192 { many.min(4) } else { many };
    newest_first
        .get(usize::from(which).checked_rem(among)?)
        .copied()
}

/// One bit of a message is another.
pub fn flip(bytes: &mut [u8], at: u16, bit: u8) {
    let at = usize::from(at) % bytes.len();
    bytes[at] ^= 1 << (bit % 8);
}

/// A message goes on as another one does.
pub fn splice(bytes: &mut Vec<u8>, other: &[u8], at: u16) {
    let at = usize::from(at) % bytes.len();
    bytes.truncate(at);
    bytes.extend(other.iter().skip(at));
}
