# Constant time, both providers: secrets marked under valgrind, no branch and no address on them; times of valid and invalid input.
# What is checked is a binary: this compiler, the release profile. The names in declassified*.supp follow the compiler.
if [ "$(uname -m)" != x86_64 ]; then
  skipped 'constant time: the marks are made for x86-64'
  exit 77
fi
need_deb valgrind libc6-dbg
need_deb gcc-12 || echo "no gcc-12: declassified-aws-lc.supp is for it"
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/constant-time

# check PROVIDER FEATURES…: the marks decide. The times are shown, and only asked to be there: this machine's are worth nothing.
check() {
  local provider=$1
  shift
  printf -- '--- %s (%d s)\n' "$provider" "$SECONDS"
  assurance/ct/run "$@" | tee "$PART_LOG.marks"
  assurance/ct/run timing 10000 "$@" | tee "$PART_LOG.timing"
  for log in marks timing; do
    grep -qx "provider: $provider" "$PART_LOG.$log" || { echo "$log: not on $provider"; exit 1; }
  done
  [ "$(grep -c ' t = ' "$PART_LOG.timing")" -eq 7 ] || { echo "times are missing"; exit 1; }
}
check rustcrypto
check aws-lc --features aws-lc
