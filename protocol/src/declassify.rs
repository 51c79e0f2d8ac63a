//! Where a value computed from secrets becomes public, with the reason. In an ordinary build this is nothing; under `--cfg
//! marline_ct` the harness in `assurance/ct` is told, which marks all secrets and watches that no branch and no
//! address depends on anything else. A `cfg` and not a feature: no dependency can switch it on.
#![allow(
    unexpected_cfgs,
    reason = "`marline_ct` is set by the harness alone, with RUSTFLAGS"
)]

#[cfg(marline_ct)]
extern crate std;

/// What the harness installs: it marks the bytes as public and counts the reason.
#[cfg(marline_ct)]
pub static HOOK: std::sync::OnceLock<fn(&mut [u8], &'static str)> = std::sync::OnceLock::new();

/// `bytes` are public from here on, because of `why`. They are taken by `&mut`, so that what is compared afterwards is read
/// again and not kept in a register.
#[inline(always)]
pub(crate) fn declassify(bytes: &mut [u8], why: &'static str) {
    #[cfg(marline_ct)]
    if let Some(hook) = HOOK.get() {
        hook(bytes, why);
    }
    #[cfg(not(marline_ct))]
    let _ = (bytes, why);
}
