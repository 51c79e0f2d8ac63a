# Formatting, and clippy with the lint wall of Cargo.toml; a warning is an error.
rc=0
cargo fmt --all -- --check || rc=1
cargo clippy --workspace --all-targets --locked -- -D warnings || rc=1
# Other parts build these together with more, where one may live on features that another asks for.
cargo check -q --locked -p marline --all-targets || rc=1
cargo check -q --locked -p marline-vectors --features aws-lc || rc=1
exit "$rc"
