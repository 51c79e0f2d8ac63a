# Formatting, and clippy with the lint wall of Cargo.toml; a warning is an error.
rc=0
cargo fmt --all -- --check || rc=1
cargo clippy --workspace --all-targets --locked -- -D warnings || rc=1
exit "$rc"
