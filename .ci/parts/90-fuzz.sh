# fuzzing: the committed corpus, a few seconds of new inputs for each target, and planted faults that must be found
# (long runs: fuzz/run long TARGET SECONDS)
command -v g++ >/dev/null || need_deb g++
CARGO_TARGET_DIR=$CARGO_TARGET_DIR/fuzz fuzz/run smoke 4
