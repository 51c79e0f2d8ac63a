# The report is written whole. No time is asserted: this machine's are worth nothing.
rc=0
directory=$CARGO_TARGET_DIR/ci/report
rm -rf "$directory"
# Debug build: the release build of the report takes longer than the report.
workspace_built
"$CARGO_TARGET_DIR/debug/marline-benches" report --quick --directory "$directory" || rc=1

# complete DIRECTORY: every file is there, every operation has its row and every plot is closed.
complete() {
  local plot
  for plot in time bytes gap length exposure; do
    grep -q '</svg>' "$1/$plot.svg" && grep -q "$plot.svg" "$1/index.html" || return 1
  done
  [ "$(wc -l <"$1/aws-lc-operations.tsv")" -ge 20 ] &&
    [ "$(grep -c '^| ' "$1/report.md")" -ge 50 ] &&
    grep -q 'worth nothing' "$1/report.md" && grep -q '</html>' "$1/index.html"
}
complete "$directory" || { echo "the report is not complete"; rc=1; }
# The control: a report without one of its plots is not complete.
rm -f "$directory/gap.svg"
if complete "$directory" 2>/dev/null; then
  echo "a report without a plot counts as complete"
  rc=1
fi
exit "$rc"
