# Helpers for .ci/parts/*.sh; .ci/run reads this file into every part.

# skipped WHAT: one loud line, repeated in the summary. Goes on; `exit 77` skips the whole part.
skipped() { printf 'SKIPPED: %s\n' "$*"; }

# has_crate NAME: the workspace has a member of that package name.
has_crate() {
  cargo metadata --no-deps --format-version 1 --locked |
    python3 -c 'import json,sys; sys.exit(sys.argv[1] not in [p["name"] for p in json.load(sys.stdin)["packages"]])' "$1"
}

# need_deb PACKAGE…: installs what is missing of Debian's packages.
need_deb() {
  local missing=() package root=()
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || root=(sudo -E)
  "${root[@]}" apt-get -qq -o Acquire::Retries=3 update
  "${root[@]}" apt-get -qq -y --no-install-recommends -o Acquire::Retries=3 install "${missing[@]}"
}

# need_tool BINARY CRATE VERSION SECONDS [cargo install flags…]: prints the path of a pinned tool from
# crates.io. Takes one of that version from the PATH or the cache, else builds it, quick to compile
# rather than quick to run, within SECONDS. Fails if there is none then; the caller decides.
need_tool() {
  local binary=$1 crate=$2 version=$3 limit=$4 cache=${MARLINE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/marline-ci} path
  shift 4
  for path in "$(command -v "$binary")" "$cache/bin/$binary"; do
    if [ -x "$path" ] && "$path" --version 2>/dev/null | grep -qwF "$version"; then echo "$path"; return 0; fi
  done
  # A build that ran out of time leaves its objects behind; the next run goes on from there.
  CARGO_TARGET_DIR=$cache/build CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=none \
    timeout "$limit" nice -n 10 cargo install -q "$crate" --version "$version" --locked --root "$cache" "$@" >&2 ||
    return 1
  rm -rf "$cache/build"
  echo "$cache/bin/$binary"
}
