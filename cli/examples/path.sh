# For the examples: `marline` from the PATH, else built here.
if ! command -v marline >/dev/null; then
  root=$(dirname "$0")/../..
  cargo build --release --locked --manifest-path "$root/Cargo.toml" -p marline-cli
  built=$(cargo metadata --no-deps --format-version 1 --manifest-path "$root/Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  PATH=$built/release:$PATH
fi
