//! Versions and build flags.

use std::ffi::c_char;

/// Major version of the library that this header belongs to.
pub const MARLINE_VERSION_MAJOR: u32 = 0;
/// Minor version.
pub const MARLINE_VERSION_MINOR: u32 = 1;
/// Patch version.
pub const MARLINE_VERSION_PATCH: u32 = 0;
/// `major << 16 | minor << 8 | patch`.
pub const MARLINE_VERSION_NUMBER: u32 = 0x0000_0100;
/// Version of the ABI: it changes when a program built against an older header must be rebuilt.
pub const MARLINE_ABI_VERSION: u32 = 1;

/// Bit of `marline_build_flags`: a build for tests, whose randomness can be switched off. Never ship it.
pub const MARLINE_BUILD_DANGEROUS_TESTING: u32 = 1;

/// The library's version, such as "0.1.0".
///
/// @return a static NUL-terminated string, never NULL
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn marline_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The library's version as a number: compare it with MARLINE_VERSION_NUMBER.
///
/// @return `major << 16 | minor << 8 | patch`
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn marline_version_number() -> u32 {
    MARLINE_VERSION_NUMBER
}

/// The library's ABI version: compare it with MARLINE_ABI_VERSION.
///
/// @return the ABI version
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn marline_abi_version() -> u32 {
    MARLINE_ABI_VERSION
}

/// How the library was built: 0, or MARLINE_BUILD_... bits.
///
/// @return the bits
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn marline_build_flags() -> u32 {
    if cfg!(feature = "dangerous_testing") {
        MARLINE_BUILD_DANGEROUS_TESTING
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_the_packages_version() {
        let text =
            format!("{MARLINE_VERSION_MAJOR}.{MARLINE_VERSION_MINOR}.{MARLINE_VERSION_PATCH}");
        assert_eq!(text, env!("CARGO_PKG_VERSION"));
        let number =
            MARLINE_VERSION_MAJOR << 16 | MARLINE_VERSION_MINOR << 8 | MARLINE_VERSION_PATCH;
        assert_eq!(number, MARLINE_VERSION_NUMBER);
    }
}
