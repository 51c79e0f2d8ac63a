#!/usr/bin/env bash
# Is the C library the same bytes, wherever it is built? The last commit is built twice, from clones in two places, with
# target directories, Cargo homes and time zones of their own: with AWS-LC, then --portable --bundled-sqlite.
#
#   assurance/reproducible.sh
#
# Needs what ffi/install.sh needs, and git. Exit status: 0 the same, 1 they differ (what was built is kept then).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home=${CARGO_HOME:-$HOME/.cargo}
work=$(mktemp -d)
one=$work/one other=$work/another/place-with-a-longer-name
git clone -q "$root" "$one/tree"
git clone -q "$one/tree" "$other/tree" # of the same commit, whatever happens to the first one's origin

# Another Cargo home, so that the crates' sources are unpacked somewhere else; what was downloaded is used again.
cargo fetch -q --locked --manifest-path "$one/tree/Cargo.toml"
mkdir -p "$other/home/registry"
for kept in registry/cache registry/index config.toml; do
  [ ! -e "$home/$kept" ] || ln -s "$home/$kept" "$other/home/$kept"
done

# build PLACE VARIANT [FLAGS…]
build() {
  local place=$1 variant=$2
  shift 2
  CARGO_TARGET_DIR=$place/target "$place/tree/ffi/install.sh" --prefix "$place/$variant" "$@"
}

rc=0
for variant in aws-lc portable; do
  flags=()
  [ "$variant" = aws-lc ] || flags=(--portable --bundled-sqlite)
  build "$one" "$variant" "${flags[@]}" &
  CARGO_HOME=$other/home TZ=Pacific/Kiritimati build "$other" "$variant" "${flags[@]}"
  wait "$!"
  for library in libmarline.so libmarline.a; do
    file=$variant/lib/$library
    sha256sum <"$one/$file" | sed "s| *-|  $file|"
    cmp "$one/$file" "$other/$file" || rc=1
    ! grep -qaF -e "$work" -e "$home" "$one/$file" || { echo "$file: a path of this machine is in it"; rc=1; }
  done
done
if [ "$rc" -eq 0 ]; then
  echo "the same bytes in both places"
  rm -rf "$work"
else
  echo "they differ: $work"
fi
exit "$rc"
