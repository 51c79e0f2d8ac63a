# The test command that README.md gives, exactly as it stands there.
command='cargo test --workspace'
rc=0
before=$(sha256sum Cargo.lock)
$command || rc=$?

# Cargo is not told --locked, because the README's reader is not: so look whether it touched the file.
[ "$before" = "$(sha256sum Cargo.lock)" ] || { echo "the test run changed Cargo.lock"; rc=1; }

if ! grep -qE "^[[:space:]]*(\\\$ )?$command([[:space:]]+#.*)?\$" README.md; then
  echo "README.md has no line \`$command\`: the gate must run what the reader runs"
  rc=1
fi

# `test result: ok. 3 passed; 0 failed; …` of every test binary and every crate's doc tests
read -r passed missed < <(awk '/^test result: / { p += $4; f += $6 } END { print p + 0, f + 0 }' "$PART_LOG")
[ "$passed" -gt 0 ] || { echo "no test ran"; rc=1; }
echo "$passed passed, $missed failed" | tee "${PART_LOG%.log}.passed"
exit "$rc"
