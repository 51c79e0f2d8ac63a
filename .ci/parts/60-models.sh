# The symbolic models of spec/models and their broken twins.
cache=${MARLINE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/marline-ci}/bin
own=$CARGO_TARGET_DIR/tools/bin/verifpal
# Verifpal takes some four minutes to build, at full optimisation because the models are its work: keep it.
[ ! -x "$cache/verifpal" ] || export VERIFPAL=$cache/verifpal
rc=0
spec/models/run || rc=$?
[ ! -x "$own" ] || { mkdir -p "$cache" && cp -f "$own" "$cache/verifpal"; }
exit "$rc"
