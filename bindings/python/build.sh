#!/bin/sh
# Builds the wheel from an installed libmarline:  bindings/python/build.sh PREFIX OUTPUT_DIRECTORY
# cffi reads declarations only: the header goes through the C preprocessor.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=$1 out=$2
package=$here/src/marline
trap 'rm -rf "$package/libmarline.so" "$package/marline.cdef.h" "$here/build" "$here"/src/*.egg-info' EXIT
cp -L "$prefix/lib/libmarline.so" "$package/libmarline.so"
{
  # Declarations without the attributes that cffi does not know, and the number macros.
  sed -e 's/^#include.*//' -e 's/^#define MARLINE_NODISCARD .*/#define MARLINE_NODISCARD/' "$prefix/include/marline.h" |
    cc -E -P -xc - | grep -v '^$'
  grep -E '^#define MARLINE_[A-Z0-9_]+ [0-9]+$' "$prefix/include/marline.h"
} >"$package/marline.cdef.h"
python3 -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$out" "$here"
