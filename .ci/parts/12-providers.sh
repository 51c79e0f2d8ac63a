# Both providers: part 10 tests everything on aws-lc (shown here), this part the protocol on the portable one, and the vectors on both.
rc=0

# Features are united over a workspace: with the device's default, part 10 gave every crate aws-lc.
MARLINE_PROVIDER=aws-lc cargo test -q --locked --workspace --test providers || rc=1

MARLINE_PROVIDER=rustcrypto cargo test -q --locked -p marline || rc=1
# The control: the wrong name is noticed.
if MARLINE_PROVIDER=aws-lc cargo test -q --locked -p marline --test providers >/dev/null 2>&1; then
  echo "the portable build passes for aws-lc: the check proves nothing"
  rc=1
fi

for provider in rustcrypto aws-lc; do
  features=()
  [ "$provider" = rustcrypto ] || features=(--features aws-lc)
  cargo run -q --locked -p marline-vectors "${features[@]}" -- check | tee "$PART_LOG.check" || rc=1
  grep -qx "provider: $provider" "$PART_LOG.check" || { echo "these vectors did not run on $provider"; rc=1; }
done
exit "$rc"
