#!/bin/sh
# Builds libmarline and lays it out under a prefix: headers, static and shared library, pkg-config, CMake.
#
#   ffi/install.sh --prefix DIR          builds in release mode and installs
#   ffi/install.sh --prefix DIR --testing   the testing build, as libmarline_testing: never ship it
#
#   --portable        the small library: cryptography in Rust alone, without AWS-LC, and the machine's libsqlite3; slower
#   --without-device  without marline_device_* and SQLite: for applications that keep their state themselves
#   --system-sqlite   with the machine's libsqlite3 (3.51.3 or later, found by pkg-config): what --portable does
#   --bundled-sqlite  with an SQLite that is built in: what happens without --portable
#
# Nothing in the tree knows where it is: it can be moved as a whole. DESTDIR is respected. Needs Rust (cargo).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
prefix= name=marline profile=release features= aws_lc=aws-lc device=device sqlite=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=$2; shift 2 ;;
    --prefix=*) prefix=${1#--prefix=}; shift ;;
    --testing) name=marline_testing profile=dev features=dangerous_testing; shift ;;
    --portable) aws_lc=; shift ;;
    --without-device) device=; shift ;;
    --system-sqlite | --bundled-sqlite)
      [ -z "$sqlite" ] || [ "--$sqlite-sqlite" = "$1" ] || { echo "which SQLite?" >&2; exit 2; }
      sqlite=${1#--} sqlite=${sqlite%-sqlite}; shift ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done
[ -n "$prefix" ] || { echo "which --prefix?" >&2; exit 2; }

if [ -z "$device" ]; then sqlite=none
elif [ -z "$sqlite" ] && [ -z "$aws_lc" ]; then sqlite=system
elif [ -z "$sqlite" ]; then sqlite=bundled
fi
# What libsqlite3-sys looks at.
unset LIBSQLITE3_SYS_USE_PKG_CONFIG
if [ "$sqlite" = system ]; then
  # The device refuses to work on an older one, which can lose commits: https://sqlite.org/wal.html#the_wal_reset_bug
  pkg-config --exists 'sqlite3 >= 3.51.3' || {
    echo "pkg-config finds no SQLite of 3.51.3 or later; --bundled-sqlite builds one in, --without-device needs none" >&2
    exit 1
  }
  export LIBSQLITE3_SYS_USE_PKG_CONFIG=1
fi

target=${CARGO_TARGET_DIR:-$root/target}
[ "$profile" = release ] && built=$target/release || built=$target/debug
# One at a time from here to the end, where there are such locks.
exec 9<"$root/Cargo.toml"
! command -v flock >/dev/null || flock 9 || echo "no lock: let no other install.sh run beside this one" >&2
# Cargo does not notice that a build with other features has overwritten the shared library. What it finds is taken only if
# it was built here last, with these features.
stamp=$built/.marline-ffi
if ! [ "$stamp" -nt "$built/deps/libmarline_ffi.so" ] || [ "$(cat "$stamp")" != "$aws_lc,$device,$features,$sqlite" ]; then
  rm -f "$built/deps/libmarline_ffi.so" "$built/libmarline_ffi.so" "$built/libmarline_ffi.a"
fi
set --
# What is shipped has no path of this machine in it: the same tree is the same bytes wherever it was built, which
# assurance/reproducible.sh checks. Cargo takes no `build.rustflags` when RUSTFLAGS is set, or `target.*.rustflags` in a
# configuration of yours: paths stay in then, unless these flags have such prefixes, too.
remap() { # remap FROM TO: as a string of TOML
  printf '"%s"' "$(printf '%s' "--remap-path-prefix=$1=$2" | sed 's/[\\"]/\\&/g')"
}
if [ "$profile" = release ]; then
  set -- --config "build.rustflags=[$(remap "$root" .), $(remap "$target" target),
    $(remap "${CARGO_HOME:-$HOME/.cargo}/registry/src" registry)]"
fi
if [ -z "$aws_lc" ]; then # our own code above the crates of the primitives and the protocol, but for what is generic there
  for crate in marline-ffi marline-device rusqlite; do
    set -- "$@" --config "profile.release.package.$crate.opt-level='s'"
  done
fi
# Cargo looks for its configuration from the current directory up, which may be anywhere.
cargo build --locked --manifest-path "$root/Cargo.toml" --config "$root/.cargo/config.toml" --target-dir "$target" -p marline-ffi \
  --profile "$profile" --no-default-features --features "$aws_lc,$device,$features" "$@" 9<&-
echo "$aws_lc,$device,$features,$sqlite" >"$stamp"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
minor=${version%.*}
case $version in 0.*) abi=$minor ;; *) abi=${version%%.*} ;; esac

# What a static link needs besides: the system libraries that Rust's standard library uses.
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
: >"$empty/empty.rs"
natives=$(rustc --crate-type staticlib --print native-static-libs --out-dir "$empty" "$empty/empty.rs" 2>&1 |
  sed -n 's/.*native-static-libs: //p')
[ -n "$natives" ] || { echo "rustc does not say what a static link needs" >&2; exit 1; }
requires= sqlite_libs=
if [ "$sqlite" = system ]; then
  requires=sqlite3 sqlite_libs=$(pkg-config --libs --static sqlite3 | sed 's/ *$/ /')
fi

dest=${DESTDIR:-}$prefix
mkdir -p "$dest/include" "$dest/lib/pkgconfig" "$dest/lib/cmake/$name"
install -m 644 "$root/include/marline.h" "$root/include/marline.hpp" "$dest/include/"
[ -n "$device" ] || sed -i '/^#define MARLINE_HAVE_DEVICE 1$/d' "$dest/include/marline.h"
install -m 644 "$built/libmarline_ffi.a" "$dest/lib/lib$name.a"
install -m 755 "$built/libmarline_ffi.so" "$dest/lib/lib$name.so.$version"
if [ "$name" = marline ]; then
  strip --strip-unneeded "$dest/lib/lib$name.so.$version"
  ln -sf "lib$name.so.$version" "$dest/lib/lib$name.so.$abi"
  ln -sf "lib$name.so.$abi" "$dest/lib/lib$name.so"
else
  # Its soname is the ordinary one: only the archive is meant to be linked.
  rm "$dest/lib/lib$name.so.$version"
  install -m 644 "$root/ffi/tests/c/marline_testing.h" "$dest/include/"
fi

fill() { # fill TEMPLATE FILE
  sed -e "s|@NAME@|$name|g" -e "s|@VERSION@|$version|g" -e "s|@MINOR@|$minor|g" -e "s|@ABI@|$abi|g" \
    -e "s|@NATIVES@|$natives|g" -e "s|@REQUIRES@|$requires|g" -e "s|@SQLITE@|$sqlite_libs|g" "$root/ffi/install/$1" >"$dest/lib/$2"
}
fill marline.pc.in "pkgconfig/$name.pc"
if [ "$name" = marline ]; then
  fill marlineConfig.cmake.in "cmake/$name/${name}Config.cmake"
  fill marlineConfigVersion.cmake.in "cmake/$name/${name}ConfigVersion.cmake"
fi
echo "installed lib$name $version in $dest"
