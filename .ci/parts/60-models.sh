# The symbolic models of spec/models and their broken twins.
VERIFPAL=$(tool verifpal) || { skipped "verifpal could not be built: the models were NOT checked"; exit 77; }
export VERIFPAL
spec/models/run
