# Helpers for .ci/parts/*.sh; .ci/run reads this file into every part.

# skipped WHAT: one loud line, repeated in the summary. Goes on; `exit 77` skips the whole part.
skipped() { printf 'SKIPPED: %s\n' "$*"; }

# has_crate NAME: the workspace has a member of that package name.
has_crate() {
  cargo metadata --no-deps --format-version 1 --locked |
    python3 -c 'import json,sys; sys.exit(sys.argv[1] not in [p["name"] for p in json.load(sys.stdin)["packages"]])' "$1"
}

# workspace_built: the programs of the workspace as part 10 has built them are in place. A build of one package alone is another build,
# because features are united over what is built together.
workspace_built() { cargo test -q --locked --workspace --no-run; }

# need_deb PACKAGE…: installs what is missing of Debian's packages. Whoever comes second waits for the first.
need_deb() {
  local missing=() package root=() lock
  exec {lock}>"${TMPDIR:-/tmp}/marline-ci-deb.lock"
  flock "$lock"
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" -eq 0 ] || root=(sudo -n -E)
    "${root[@]}" apt-get -qq -o Acquire::Retries=3 update
    "${root[@]}" apt-get -qq -y --no-install-recommends -o Acquire::Retries=3 install "${missing[@]}" || { exec {lock}>&-; return 1; }
  fi
  exec {lock}>&-
}

# tool NAME: prints the path of a pinned tool from crates.io. Fails if there is none; the caller decides.
tool() {
  case $1 in
    cbindgen) need_tool cbindgen 0.29.4 300 ;;
    cargo-deny) need_tool cargo-deny 0.20.2 480 ;;
    # The models are its work: worth optimising.
    verifpal) CARGO_PROFILE_RELEASE_OPT_LEVEL=3 need_tool verifpal 1.6.7 900 --ignore-rust-version ;;
    *) echo "no tool $1" >&2; return 1 ;;
  esac
}

# need_tool CRATE VERSION SECONDS [cargo install flags…]: the tool of that version from the PATH or the cache, else builds it, quick to
# compile rather than quick to run, within SECONDS. Whoever comes second waits for the first.
need_tool() {
  local crate=$1 version=$2 limit=$3 cache=${MARLINE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/marline-ci} path lock
  shift 3
  mkdir -p "$cache"
  exec {lock}>"$cache/$crate.lock"
  flock "$lock"
  for path in "$(command -v "$crate")" "$cache/bin/$crate"; do
    if [ -x "$path" ] && "$path" --version 2>/dev/null | grep -qwF "$version"; then
      exec {lock}>&-
      echo "$path"
      return 0
    fi
  done
  # A build that ran out of time leaves its objects behind; the next run goes on from there.
  CARGO_TARGET_DIR=$cache/build-$crate CARGO_PROFILE_RELEASE_OPT_LEVEL=${CARGO_PROFILE_RELEASE_OPT_LEVEL:-0} CARGO_PROFILE_RELEASE_LTO=off \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=none \
    timeout --foreground "$limit" nice -n 10 cargo install -q "$crate" --version "$version" --locked --root "$cache" "$@" >&2 || { exec {lock}>&-; return 1; }
  rm -rf "$cache/build-$crate"
  exec {lock}>&-
  echo "$cache/bin/$crate"
}

# ahead: installs and builds, while the first parts run, what later ones ask for; they wait for it where they must, and go on from what
# is there. What fails here fails again there, and shows.
ahead() {
  local name target=$CARGO_TARGET_DIR
  need_deb valgrind cmake abigail-tools pkg-config libc6-dbg mosquitto mosquitto-clients luajit openjdk-17-jdk-headless libjna-java golang-go
  for name in cargo-deny verifpal cbindgen; do tool "$name"; done
  ffi/install.sh --prefix "$target/ci/ahead"
  [ "$(uname -m)" != x86_64 ] || for name in '' '--features aws-lc'; do
    # shellcheck disable=SC2086
    CARGO_TARGET_DIR=$target/constant-time assurance/ct/run build $name
  done
  CARGO_TARGET_DIR=$target/fuzz fuzz/run build
}
