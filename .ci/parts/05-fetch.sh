# Cargo.lock is committed and fits the manifests; every dependency is fetched, with retries.
git ls-files --error-unmatch Cargo.lock >/dev/null || { echo "Cargo.lock is not committed"; exit 1; }
for attempt in 1 2 3; do
  cargo fetch --locked && exit 0
  [ "$attempt" -eq 3 ] || sleep $((attempt * 10))
done
exit 1
