# cargo-deny: licences, bans and sources of every dependency; advisories where a database is at hand.
deny=$(tool cargo-deny) || {
  # Not silent, and not without a check: 15-budget reads the same licence list from deny.toml.
  skipped "cargo-deny could not be built within 480 s; licences were checked by 15-budget only"
  exit 77
}
"$deny" --version
"$deny" check --hide-inclusion-graph licenses bans sources

# The gate itself uses package registries only. The database is in a git repository: it is fetched
# where the network is open, and read where somebody put a copy.
if [ "${GITHUB_ACTIONS:-}" = true ] || [ "${MARLINE_ADVISORIES:-}" = fetch ]; then
  "$deny" check advisories
elif compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-db*/*" >/dev/null; then
  "$deny" check --disable-fetch advisories
else
  skipped "advisories NOT checked: no database here (MARLINE_ADVISORIES=fetch gets one)"
fi
