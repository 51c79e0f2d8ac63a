# The symbolic models of spec/models and their broken twins, if the runner is there.
run=spec/models/run
[ -e "$run" ] || { skipped "$run is not there yet"; exit 77; }
[ -x "$run" ] || { echo "$run is not executable"; exit 1; }
"$run"
