# Vectors: the accumulated ones, the Python specification over them, live sessions Rust against Python.
sessions=${MARLINE_CROSS_SESSIONS:-150} # in each direction, both at once; 1,000 agree as well
contacts=${MARLINE_CROSS_CONTACTS:-25}   # the same

workspace_built
vectors=$CARGO_TARGET_DIR/debug/marline-vectors

"$vectors" accumulate --sessions 2000 --contacts 200

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  skipped "no Python 3.11: vectors were NOT compared with the executable specification"
  exit 77
}
venv=$CARGO_TARGET_DIR/venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
for attempt in 1 2 3; do
  "$venv/bin/pip" install -q -r spec/reference/requirements.txt && break
  [ "$attempt" -lt 3 ] || exit 1
  sleep $((attempt * 10))
done
driver="$venv/bin/python spec/reference/driver.py"

"$vectors" conform --driver "$driver"
# The control: a driver that is wrong in one answer must be found, and the right one passes the same files.
"$vectors" conform --only a1 --driver "$driver" >/dev/null
if "$vectors" conform --only a1 --driver "$venv/bin/python spec/reference/tests/wrong_driver.py" >/dev/null; then
  echo "a wrong driver passes: the check proves nothing"
  exit 1
fi
"$vectors" cross --sessions "$sessions" --contacts "$contacts" --driver "$driver"
"$venv/bin/python" -m pytest -q spec/reference
