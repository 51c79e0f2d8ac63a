# The protocol crate without default features, and a proof that std is nowhere below it.
cargo build -p marline --no-default-features --locked

# A crate that brings its own panic handler cannot be compiled together with std, which has one. So this
# compiles exactly if no crate below `marline` links std, and needs no bare-metal target to show it.
probe() {
  printf '#![no_std]\n%s\nuse marline as _;\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n' "$1" |
    rustc --edition 2024 --crate-name probe --crate-type rlib --emit metadata -o "$probe_dir/libprobe.rmeta" \
      -L dependency="$CARGO_TARGET_DIR/debug/deps" --extern marline="$CARGO_TARGET_DIR/debug/libmarline.rlib" - 2>"$probe_dir/stderr"
}
probe_dir=$(mktemp -d)
trap 'rm -rf "$probe_dir"' EXIT
probe '' || { cat "$probe_dir/stderr"; echo "std is linked below marline"; exit 1; }
if probe 'extern crate std;' || ! grep -q 'duplicate lang item\|found duplicate' "$probe_dir/stderr"; then
  echo "the control did not fail as it must: the check proves nothing"
  exit 1
fi
echo "no std below marline (control: with std the probe is refused)"

bare=$(rustup target list --installed 2>/dev/null | grep -E 'none|^wasm32v1-' || true)
[ -n "$bare" ] || { skipped "no target without std is installed; built for the host only"; exit 0; }
for target in $bare; do
  cargo build -p marline --no-default-features --locked --target "$target"
done
