# constant time: secrets marked under valgrind, no branch and no address on them (portable provider)
# What is checked is a binary: this compiler, the release profile. The names in declassified*.supp follow the compiler.
if [ "$(uname -m)" != x86_64 ]; then
  skipped 'constant time: the marks are made for x86-64'
  exit 77
fi
need_deb valgrind libc6-dbg
CARGO_TARGET_DIR=$CARGO_TARGET_DIR/constant-time assurance/ct/run
if [ -n "${MARLINE_CT_AWS_LC:-}" ]; then
  CARGO_TARGET_DIR=$CARGO_TARGET_DIR/constant-time assurance/ct/run --features aws-lc
else
  skipped 'constant time of the provider aws-lc: its build takes minutes; MARLINE_CT_AWS_LC=1 .ci/run 92'
fi
