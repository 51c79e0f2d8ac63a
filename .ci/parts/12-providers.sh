# Both providers: part 10 tests everything on aws-lc (shown here), this part the protocol and its vectors on the portable one.
rc=0

# Features are united over what is built together: with the device's default, part 10 gave every crate aws-lc.
MARLINE_PROVIDER=aws-lc cargo test -q --locked --workspace --test providers --test set provider || rc=1

# The packages without that default, together: so nearly all crates below them are those of part 10. Left out are long tests of the
# vectors' own tools, and the vectors themselves, which come below.
portable() { cargo test -q --locked -p marline -p marline-vectors -p marline-benches "$@"; }
MARLINE_PROVIDER=rustcrypto portable -- --skip one_bit_of --skip the_generator_writes --skip every_vector_holds || rc=1
# The control: the wrong name is noticed.
if MARLINE_PROVIDER=aws-lc portable --test providers the_feature >/dev/null 2>&1 ||
  MARLINE_PROVIDER=aws-lc portable --test set the_provider >/dev/null 2>&1; then
  echo "the portable build passes for aws-lc: the check proves nothing"
  rc=1
fi

"$CARGO_TARGET_DIR/debug/marline-vectors" check | tee "$PART_LOG.check" || rc=1
grep -qx 'provider: rustcrypto' "$PART_LOG.check" || { echo "these vectors did not run on rustcrypto"; rc=1; }
exit "$rc"
