# Bindings over the installed C library: the Python wheel and its tests, vectors, a talk between C and Python, smoke programs.
has_crate marline-ffi || { skipped "no crate marline-ffi yet"; exit 77; }
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
step() { printf -- '--- %s (%d s)\n' "$1" "$SECONDS"; }
rc=0

step "install, and move"
need_deb pkg-config
ffi/install.sh --prefix "$work/first"
mv "$work/first" "$work/prefix"
prefix=$work/prefix
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib

step "Python: wheel, types, tests, README, conversation with a C process"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install cffi==2.0.0 pytest==8.4.2 setuptools==80.9.0 wheel==0.45.1 mypy==1.18.2 \
  cryptography==50.0.2 dilithium-py==1.5.1 # the last two sign for an identity that the library has no secret of
PATH=$work/venv/bin:$PATH bindings/python/build.sh "$prefix" "$work/dist"
"$work/venv/bin/pip" -q install --no-deps "$work"/dist/*.whl
ls "$work/dist"
gcc -std=c11 -Wall -Wextra -Werror -Iffi/tests/c ffi/tests/c/peer.c -o "$work/peer" -I"$prefix/include" -L"$prefix/lib" -lmarline
# From elsewhere, and without our library path: the wheel brings its own.
pytest=(venv/bin/pytest -q -p no:cacheprovider --strict-markers -W error)
tests=$ROOT/bindings/python/tests
(cd "$work" && MARLINE_C_PEER=$work/peer "${pytest[@]}" "$tests" --ignore "$tests/test_vectors.py") | tee "$work/pytest" || rc=1
! grep -q skipped "$work/pytest" || { echo "nothing is to be skipped here"; rc=1; }
(cd "$work" && venv/bin/mypy --strict --ignore-missing-imports --cache-dir "$work/mypy" -p marline) || rc=1

step "Python: the vectors, through a package with the testing library (never shipped)"
ffi/install.sh --prefix "$work/testing" --testing
mkdir -p "$work/given/lib" "$work/given/include"
read -ra natives <<<"$(PKG_CONFIG_PATH=$work/testing/lib/pkgconfig pkg-config --libs --static marline_testing | sed 's/-lmarline_testing//')"
gcc -shared -o "$work/given/lib/libmarline.so" -Wl,--whole-archive "$work/testing/lib/libmarline_testing.a" \
  -Wl,--no-whole-archive "${natives[@]}"
cat "$work/testing/include/marline.h" "$work/testing/include/marline_testing.h" >"$work/given/include/marline.h"
PATH=$work/venv/bin:$PATH bindings/python/build.sh "$work/given" "$work/given"
"$work/venv/bin/pip" -q install --no-deps --target "$work/given/site" "$work"/given/*.whl
(cd "$work" && PYTHONPATH=$work/given/site "${pytest[@]}" "$tests/test_vectors.py") | tee "$work/pytest" || rc=1
! grep -q skipped "$work/pytest" || { echo "the vectors were skipped"; rc=1; }

# smoke NAME COMMAND…: the program must say that it is through.
smoke() {
  local name=$1
  shift
  if out=$(timeout 240 "$@" 2>&1) && grep -qx "$name: ok" <<<"$out"; then echo "$name: ok"; else echo "$out"; rc=1; fi
}

step "LuaJIT"
if need_deb luajit; then
  sed -e 's/^#include.*//' -e 's/^#define MARLINE_NODISCARD .*/#define MARLINE_NODISCARD/' "$prefix/include/marline.h" |
    cc -E -P -xc - >"$work/marline.cdef.h"
  smoke luajit luajit bindings/smoke/smoke.lua "$prefix/lib/libmarline.so" "$work/marline.cdef.h"
else
  skipped "LuaJIT cannot be installed"
fi

step "Node"
if command -v npm >/dev/null && npm install --silent --no-audit --prefix "$work/npm" koffi@3.3.4 >/dev/null 2>&1; then
  NODE_PATH=$work/npm/node_modules smoke node node bindings/smoke/smoke.js "$prefix/lib/libmarline.so"
else
  skipped "Node or koffi cannot be installed"
fi

step "Java"
if need_deb openjdk-17-jdk-headless libjna-java; then
  smoke java java -cp /usr/share/java/jna.jar "-Djna.library.path=$prefix/lib" bindings/smoke/Smoke.java
else
  skipped "Java or JNA cannot be installed"
fi

step "Go"
if need_deb golang-go; then
  GOCACHE=$work/gocache GOPATH=$work/go GOFLAGS=-mod=mod GOTOOLCHAIN=local GOPROXY=off smoke go go run bindings/smoke/smoke.go
else
  skipped "Go cannot be installed"
fi
step done
exit "$rc"
