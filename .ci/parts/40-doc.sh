# The documentation builds without a warning: no dead link, no undocumented public item.
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
