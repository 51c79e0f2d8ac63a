# The C ABI: header in every mode, drift, symbols, install and move, C and C++ suites, sanitizers, valgrind, misuse, walk, abidiff.
has_crate marline-ffi || { skipped "no crate marline-ffi yet"; exit 77; }
need_deb valgrind cmake abigail-tools pkg-config binutils
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests=ffi/tests/c
# `! command` does not end a shell with set -e; this does.
never() { if "$@" >/dev/null 2>&1; then echo "this should have failed: $*"; exit 1; fi; }
step() { printf -- '--- %s (%d s)\n' "$1" "$SECONDS"; }

step "header, symbols.txt and api.json are what the source makes"
if cbindgen=$(tool cbindgen); then
  python3 ffi/abi/generate.py "$cbindgen" --check
else
  skipped "cbindgen could not be built: header drift NOT checked"
fi

step "the header compiles alone, first, twice, in every mode"
printf '#include <marline.h>\n#include <marline.h>\nint main(void) { return 0; }\n' | tee "$work/h.c" >"$work/h.cpp"
strict=(-Iinclude -Wall -Wextra -pedantic-errors -Werror)
for std in c99 c11 c17; do gcc -std=$std "${strict[@]}" -Wc++-compat -fsyntax-only "$work/h.c"; done
for std in c++11 c++17 c++20; do g++ -std=$std "${strict[@]}" -fsyntax-only "$work/h.cpp"; done
sed 's/marline\.h/marline.hpp/' "$work/h.cpp" >"$work/hpp.cpp"
for std in c++17 c++20; do
  g++ -std=$std "${strict[@]}" -fsyntax-only "$work/hpp.cpp"
  g++ -std=$std "${strict[@]}" -fno-exceptions -fno-rtti -fsyntax-only "$work/hpp.cpp"
done

step "the ABI is the committed one (control: a wider field is noticed)"
ffi/abi/abi.sh check
mkdir "$work/wider"
sed 's/^ *uint32_t slots;/    uint64_t slots;/' include/marline.h >"$work/wider/marline.h"
never cmp -s include/marline.h "$work/wider/marline.h"
never ffi/abi/abi.sh check "$work/wider"

step "a system's SQLite, as new as the crate's: Debian 12 has an older one"
bundled=$(dirname "$(cargo metadata --locked --format-version 1 | python3 -c '
import json, sys
print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "libsqlite3-sys"))')")/sqlite3
mkdir -p "$work/system/lib/pkgconfig"
gcc -O0 -shared -fPIC -Wl,-soname,libsqlite3.so.0 "$bundled/sqlite3.c" -o "$work/system/lib/libsqlite3.so.0"
ln -s libsqlite3.so.0 "$work/system/lib/libsqlite3.so"
version=$(sed -n 's/^#define SQLITE_VERSION  *"\(.*\)"/\1/p' "$bundled/sqlite3.h")
printf 'Name: sqlite3\nDescription: SQLite\nVersion: %s\nLibs: -L%s -lsqlite3\nCflags: -I%s\n' \
  "$version" "$work/system/lib" "$bundled" >"$work/system/lib/pkgconfig/sqlite3.pc"

step "install, and move"
# In this order: the next part finds the build of the second one.
PKG_CONFIG_PATH=$work/system/lib/pkgconfig ffi/install.sh --prefix "$work/small" --portable
ffi/install.sh --prefix "$work/first"
mv "$work/first" "$work/moved"
prefix=$work/moved
so=$prefix/lib/libmarline.so
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig

step "the shared library: symbols, soname, hardening, size"
exported() { nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u; }
exported "$so" | diff - ffi/abi/symbols.txt
readelf -dW "$so" >"$work/dynamic"
grep -q 'soname: \[libmarline\.so\.0\.1\]' "$work/dynamic"
grep -q NODELETE "$work/dynamic"
grep -q 'BIND_NOW\|Flags:.*NOW' "$work/dynamic"
never grep TEXTREL "$work/dynamic"
readelf -lW "$so" >"$work/segments"
grep -q 'GNU_STACK.* RW ' "$work/segments"
grep -q GNU_RELRO "$work/segments"
needed=$(readelf -d "$so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | LC_ALL=C sort | tr '\n' ' ')
[[ $needed =~ ^(ld-linux[^ ]*\ )?libc\.so\.6\ libgcc_s\.so\.1\ $|^libc\.so\.6\ (ld-linux[^ ]*\ )?libgcc_s\.so\.1\ $ ]] || { echo "needs $needed"; exit 1; }
size=$(stat -L -c %s "$so")
echo "libmarline.so with AWS-LC and the device: $size bytes, limit 5000000"
[ "$size" -le 5000000 ]
small=$work/small/lib/libmarline.so
size=$(stat -L -c %s "$small")
echo "libmarline.so, portable, with the device over the system's SQLite: $size bytes, limit 1500000"
[ "$size" -le 1500000 ]
exported "$small" | diff - ffi/abi/symbols.txt
never grep 'MARLINE DANGEROUS TESTING BUILD' "$so" "$prefix/lib/libmarline.a"

step "the testing build carries its marker, under another name"
ffi/install.sh --prefix "$work/testing" --testing
grep -q 'MARLINE DANGEROUS TESTING BUILD' "$work/testing/lib/libmarline_testing.a"

step "without the device: neither functions nor declarations (control: they are there with it)"
ffi/install.sh --prefix "$work/bare" --testing --without-device
nm --defined-only "$work/bare/lib/libmarline_testing.a" 2>/dev/null |
  awk '$2 == "T" && $3 ~ /^marline_/ && $3 !~ /^marline_testing_/ { print $3 }' | sort -u |
  diff - <(grep -vE '^marline_(device|inbox|outbox|contacts)_' ffi/abi/symbols.txt)
gcc -std=c99 "-I$work/bare/include" -Wall -Wextra -pedantic-errors -Werror -fsyntax-only "$work/h.c"
grep -q marline_device_open <(gcc -std=c99 -E "-I$work/small/include" "$work/h.c")
never grep marline_device_open <(gcc -std=c99 -E "-I$work/bare/include" "$work/h.c")

c=(-std=c11 -Wall -Wextra -Werror -g "-I$tests")
read -ra shared <<<"$(pkg-config --cflags --libs marline) -Wl,-rpath,$prefix/lib"
# What a static link needs, as marline.pc says, with the archive itself in place of -lmarline.
read -ra static <<<"$(pkg-config --cflags --libs --static marline | sed "s|-lmarline|$prefix/lib/libmarline.a|")"
read -ra testing <<<"$(PKG_CONFIG_PATH=$work/testing/lib/pkgconfig pkg-config --cflags --libs --static marline_testing)"
python3 ffi/tests/misuse.py >"$work/misuse.c"

# Two processes over a pair of pipes, twice: the second time they go on from their files.
talk() { # talk PROGRAM FOLDER
  mkdir "$2"
  mkfifo "$2/there" "$2/back"
  for _ in 1 2; do
    (cd "$2" && TALK_PASSPHRASE=b timeout 60 "$1" bob.device <there >back 2>bob) &
    (cd "$2" && TALK_PASSPHRASE=a timeout 60 "$1" alice.device hello "how are you?" >there <back 2>alice)
    wait "$!"
    [ "$(cat "$2/bob")" = $'alice, not verified: hello\nalice, not verified: how are you?' ]
    [ "$(cat "$2/alice")" = $'bob, not verified: you said: hello\nbob, not verified: you said: how are you?' ]
  done
}

step "the examples, by pkg-config and by CMake, shared and static"
expected=$'bob reads: hello (from alice)\nalice reads: hi (from bob)'
gcc -std=c11 -Wall -Wextra -Werror ffi/examples/conversation.c -o "$work/conversation" "${shared[@]}"
[ "$("$work/conversation")" = "$expected" ]
gcc -std=c11 -Wall -Wextra -Werror ffi/examples/talk.c -o "$work/talk" "${shared[@]}"
talk "$work/talk" "$work/talk-pkg-config"
for libs in ON OFF; do
  cmake -S ffi/examples -B "$work/cmake-$libs" -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=$libs >/dev/null
  cmake --build "$work/cmake-$libs" >/dev/null
  [ "$("$work/cmake-$libs/conversation")" = "$expected" ]
  talk "$work/cmake-$libs/talk" "$work/talk-cmake-$libs"
done
# The small one, with the system's SQLite.
readelf -d "$small" >"$work/dynamic"
grep -q 'NEEDED.*libsqlite3\.so\.0' "$work/dynamic"
export LD_LIBRARY_PATH=$work/small/lib:$work/system/lib
for program in conversation talk; do
  gcc -std=c11 -Wall -Wextra -Werror ffi/examples/$program.c -o "$work/small-$program" "-I$work/small/include" "-L$work/small/lib" -lmarline
done
[ "$("$work/small-conversation")" = "$expected" ]
talk "$work/small-talk" "$work/talk-small"
# An SQLite that loses commits is refused, whatever was there when we were built.
printf 'int sqlite3_libversion_number(void) { return 3051002; }\n' | gcc -shared -fPIC -x c - -o "$work/older.so"
TALK_PASSPHRASE=a LD_PRELOAD="$work/older.so" "$work/small-talk" "$work/refused.device" 2>"$work/refused" || true
grep -q MARLINE_ERR_STORAGE "$work/refused"
[ ! -e "$work/refused.device" ]
unset LD_LIBRARY_PATH
old=$(sed 's/^Version: .*/Version: 3.51.2/' "$work/system/lib/pkgconfig/sqlite3.pc")
mkdir "$work/old" && printf '%s\n' "$old" >"$work/old/sqlite3.pc"
never env PKG_CONFIG_PATH="$work/old" ffi/install.sh --prefix "$work/refused" --portable
# And statically.
read -ra small_static <<<"$(PKG_CONFIG_PATH=$work/small/lib/pkgconfig:$work/system/lib/pkgconfig pkg-config --cflags --libs --static marline |
  sed "s|-lmarline|$work/small/lib/libmarline.a|")"
gcc -std=c11 -Wall -Wextra -Werror ffi/examples/conversation.c -o "$work/small-static" "${small_static[@]}" "-Wl,-rpath,$work/system/lib"
[ "$("$work/small-static")" = "$expected" ]
readelf -d "$work/cmake-ON/conversation" >"$work/dynamic"
grep -q 'libmarline\.so\.0\.1' "$work/dynamic"
readelf -d "$work/cmake-OFF/conversation" >"$work/dynamic"
never grep libmarline "$work/dynamic"
[ "$(wc -l <ffi/examples/conversation.c)" -le 60 ]
# docs/c.md and README.md show these files and this output as they are.
python3 - "$expected" <<'PY'
import pathlib, sys
conversation, talk, cmake = (pathlib.Path("ffi/examples", f).read_text() for f in ("conversation.c", "talk.c", "CMakeLists.txt"))
for page, shown in (("docs/c.md", (conversation, talk, cmake, sys.argv[1])), ("README.md", (conversation, sys.argv[1]))):
    text = pathlib.Path(page).read_text()
    for part in shown:
        assert part in text, f"{page} does not show: {part[:60]}"
PY

step "C suite: shared, static with ASan and UBSan, testing build"
gcc "${c[@]}" $tests/suite.c -o "$work/suite" "${shared[@]}"
gcc "${c[@]}" -O1 -fsanitize=address,undefined -fno-sanitize-recover=all $tests/suite.c -o "$work/suite_asan" "${static[@]}"
nm "$work/suite_asan" | grep __asan_init >/dev/null
gcc "${c[@]}" -DMARLINE_TESTING $tests/suite.c -o "$work/suite_testing" "${testing[@]}"
"$work/suite" >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
cat "$work/out"
[ "$(wc -l <"$work/out")" -eq 1 ] # ours; the library prints nothing
"$work/suite_asan"
"$work/suite_testing"

step "a fork is noticed where no page of memory is emptied in the child, too (control: a system that lies)"
gcc "${c[@]}" -shared -fPIC $tests/madvise.c -o "$work/madvise.so"
for answer in refuses agrees; do MADVISE=$answer LD_PRELOAD="$work/madvise.so" "$work/suite" quick; done
never timeout 100 env MADVISE=lies LD_PRELOAD="$work/madvise.so" "$work/suite" quick

step "C++ suite: C++17 and C++20, with and without exceptions and RTTI, shared and static with ASan and UBSan"
for flags in "-std=c++17" "-std=c++17 -fno-exceptions -fno-rtti" "-std=c++20"; do
  # shellcheck disable=SC2086
  g++ $flags -Wall -Wextra -pedantic-errors -Werror -g $tests/suite.cpp -o "$work/cpp" "${shared[@]}"
  "$work/cpp"
done
g++ -std=c++20 -g -fsanitize=address,undefined -fno-sanitize-recover=all $tests/suite.cpp -o "$work/cpp_asan" "${static[@]}"
"$work/cpp_asan"

step "misuse table, with ASan and UBSan, and with busy and poisoned handles"
gcc "${c[@]}" -O1 -fsanitize=address,undefined -fno-sanitize-recover=all "$work/misuse.c" -o "$work/misuse_asan" "${static[@]}"
gcc "${c[@]}" -DMARLINE_TESTING "$work/misuse.c" -o "$work/misuse_testing" "${testing[@]}"
"$work/misuse_asan"
"$work/misuse_testing"

step "vectors, byte for byte, through the ABI (control: one wrong byte is noticed)"
if [ -d vectors/v1 ]; then
  python3 ffi/tests/vectors.py >"$work/vectors.txt"
  gcc "${c[@]}" -O1 $tests/vectors.c -o "$work/vectors" "${testing[@]}"
  "$work/vectors" "$work/vectors.txt"
  sed '0,/^initiate [^ ]* [^ ]* [^ ]* OK \([^ ]*\) ./s//initiate alice a 00 OK \1 0/' "$work/vectors.txt" >"$work/wrong.txt"
  never cmp -s "$work/vectors.txt" "$work/wrong.txt"
  never "$work/vectors" "$work/wrong.txt"
else
  skipped "no vectors yet"
fi

step "allocation failure"
gcc "${c[@]}" -shared -fPIC $tests/failing_malloc.c -o "$work/failing_malloc.so"
gcc "${c[@]}" $tests/memory.c -o "$work/memory" "${shared[@]}" -ldl
LD_PRELOAD="$work/failing_malloc.so" "$work/memory"

step "random walk, ${MARLINE_WALK_SECONDS:-20} s"
gcc "${c[@]}" -O1 -fsanitize=address,undefined -fno-sanitize-recover=all $tests/walk.c -o "$work/walk" "${static[@]}"
"$work/walk" "${MARLINE_WALK_SECONDS:-20}"

step "valgrind: no error, no leak (control: a leak is found)"
memcheck=(valgrind -q --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect --error-exitcode=9)
gcc "${c[@]}" "$work/misuse.c" -o "$work/misuse" "${shared[@]}"
g++ -std=c++17 -g $tests/suite.cpp -o "$work/cpp" "${shared[@]}"
"${memcheck[@]}" "$work/misuse" quick & beside=$!
"${memcheck[@]}" "$work/suite" quick
"${memcheck[@]}" "$work/cpp"
wait "$beside"
printf '#include <marline.h>\nint main(void) { marline_account *a; return marline_account_generate(NULL, 0, &a, NULL); }\n' >"$work/leak.c"
gcc "$work/leak.c" -o "$work/leak" "${shared[@]}"
rc=0
"${memcheck[@]}" "$work/leak" 2>/dev/null || rc=$?
[ "$rc" -eq 9 ] || { echo "valgrind did not see the leak of the control"; exit 1; }
step done
