//! `marline-vectors`: see `vectors/README.md`.
fn main() {}
