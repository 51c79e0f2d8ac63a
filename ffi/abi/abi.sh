#!/bin/sh
# Holds the C ABI of a header against the committed one, ffi/abi/marline.abi.
#   ffi/abi/abi.sh check [HEADER_DIR]   exit 0 if nothing changed; 4: changed or added; 8: incompatible
#   ffi/abi/abi.sh accept               writes the new baseline: for additions, or with a new ABI version
set -eu
abi=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
include=${2:-$abi/../../include}
python3 "$abi/stubs.py" >"$work/stubs.c"
cc -std=c11 -g -shared -fPIC -Wl,-soname,libmarline.so -I"$include" "$work/stubs.c" -o "$work/libmarline.so"
case $1 in
  accept)
    abidw --no-show-locs --no-comp-dir-path --no-corpus-path --no-elf-needed "$work/libmarline.so" >"$abi/marline.abi" ;;
  check)
    # Exit status of abidiff: 4 is a change, 8 an incompatible one, 1 and 2 its own failure.
    code=0
    abidiff "$abi/marline.abi" "$work/libmarline.so" || code=$?
    exit "$code" ;;
  *) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
