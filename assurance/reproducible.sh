#!/usr/bin/env bash
# Is the C library the same bytes, wherever it is built? The committed tree is built twice, from fresh clones in two
# places, with target directories, Cargo homes and time zones of their own, and compared: with AWS-LC, and --portable.
#
#   assurance/reproducible.sh
#
# Needs what ffi/install.sh needs, and git. Exit status: 0 the same, 1 they differ.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build PLACE: both variants of a fresh clone, into PLACE/aws-lc and PLACE/portable.
build() {
  local place=$work/$1
  git clone -q "$root" "$place/tree"
  CARGO_TARGET_DIR=$place/target "$place/tree/ffi/install.sh" --prefix "$place/aws-lc"
  CARGO_TARGET_DIR=$place/target "$place/tree/ffi/install.sh" --prefix "$place/portable" --portable
}

build one
# Another Cargo home, so that the crates' sources are unpacked somewhere else; what was downloaded is used again.
home=${CARGO_HOME:-$HOME/.cargo} other=$work/another/home
mkdir -p "$other/registry"
for kept in registry/cache registry/index config.toml; do
  [ ! -e "$home/$kept" ] || ln -s "$home/$kept" "$other/$kept"
done
CARGO_HOME=$other TZ=Pacific/Kiritimati build another/place-with-a-longer-name

rc=0
for file in {aws-lc,portable}/lib/libmarline.{so,a}; do
  one=$work/one/$file other=$work/another/place-with-a-longer-name/$file
  sha256sum <"$one" | sed "s| *-|  $file|"
  cmp "$one" "$other" || rc=1
  # Nobody's home is in what is shipped.
  ! grep -qaF -e "$work" -e "$home" "$one" || { echo "$file: a path of this machine is in it"; rc=1; }
done
[ "$rc" -ne 0 ] || echo "both builds are the same bytes"
exit "$rc"
