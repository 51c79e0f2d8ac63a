# Budgets: at most 60 crates below `marline`, all permissive, none of them in C; files over 400 lines of code are listed.
limit=60
rc=0

tree=$(cargo tree --locked -p marline -e normal --prefix none | sed 's/ (.*//' | sort -u)
crates=$(($(wc -l <<<"$tree") - 1))
echo "crates below marline: $crates (limit $limit)"
[ "$crates" -le "$limit" ] || { echo "$tree"; rc=1; }

echo "crates in several versions below marline:"
awk '{ seen[$1] = seen[$1] " " $2; n[$1]++ } END { for (c in n) if (n[c] > 1) print "  " c seen[c] }' <<<"$tree" | sort

# needs_c FLAGS…: whether a build of marline would need a C compiler. The control: the provider aws-lc does.
needs_c() { cargo tree --locked -p marline -e normal,build --prefix none "$@" | grep -E '^(cc|cmake|bindgen) ' >/dev/null; }
! needs_c || { echo "marline alone needs a C compiler"; rc=1; }
needs_c --features aws-lc || { echo "the control of the check for C is not found"; rc=1; }

python3 .ci/licences.py || rc=1

# What the pages on assurance name must be there.
python3 .ci/names.py || rc=1

echo "files over 400 lines of code (blank lines and comments not counted):"
git ls-files '*/src/*.rs' | while IFS= read -r file; do
  [ -e "$file" ] || continue
  lines=$(grep -cvE '^[[:space:]]*(//|$)' "$file" || true)
  [ "$lines" -le 400 ] || echo "  WARNING $lines $file"
done
exit "$rc"
