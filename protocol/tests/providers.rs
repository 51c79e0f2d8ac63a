//! The provider `aws-lc` against `rustcrypto`, one primitive after the other: on random input, the same bytes; on edge
//! input (points of small order, other spellings, tampered and truncated forms, Wycheproof, CCTV), the same refusals.
//!
//! Without the feature `aws-lc` there is one provider, and only the first test remains.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use marline::hazmat::provider;

/// Which provider a build runs on is the feature's doing and nothing else's: CI runs this with each.
#[test]
fn the_feature_chooses_the_provider() {
    let expected = if cfg!(feature = "aws-lc") {
        "aws-lc"
    } else {
        "rustcrypto"
    };
    assert_eq!(provider::NAME, expected);
    if let Ok(wanted) = std::env::var("MARLINE_PROVIDER") {
        assert_eq!(provider::NAME, wanted, "this build has another provider");
    }
}

#[cfg(feature = "aws-lc")]
#[path = "providers/differential.rs"]
mod differential;
