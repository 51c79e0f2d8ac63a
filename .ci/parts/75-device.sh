# The device and its tool: 150 kills of a child process, and README's commands with what README says they print, MQTT broker and all.
rc=0

# The tests themselves run in part 10, with 25 kills.
MARLINE_KILLS=150 cargo test -q --locked --workspace --test crash -- --nocapture || rc=1

# What is drawn at random or differs from run to run: identities, ciphertexts, safety numbers.
shape() { sed -E 's/[0-9a-f]{16,}/<hex>/g; s/([0-9]{5} ){11}[0-9]{5}/<number>/' "$1"; }

# readme_example SCRIPT: runs the command that README gives for it; prints what README prints, and nothing else.
readme_example() {
  local command said=$work/said shown=$work/shown
  command=$(grep -m1 "^cli/examples/$1" README.md) || { echo "README.md has no line for $1"; return 1; }
  awk -v want="$command" '$0 == want { found = 1 } found && /^```$/ && shown { exit } shown { print } found && /^```console$/ { shown = 1 }' \
    README.md >"$shown"
  echo "README: $command"
  # The broker's example shows its output only; the other its notes as well.
  if [ "$1" = mqtt.sh ]; then timeout 120 $command >"$said"; else $command >"$said" 2>&1; fi || { cat "$said"; return 1; }
  cat "$said"
  diff <(shape "$shown") <(shape "$said") || { echo "README.md says something else of: $command"; return 1; }
}

workspace_built
export PATH=$CARGO_TARGET_DIR/debug:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

readme_example mailbox.sh || rc=1
# The controls: a file altered on the way is noticed by the example, and another output by the comparison.
ln -s "$CARGO_TARGET_DIR/debug/marline" "$work/marline-real"
printf '#!/bin/sh\nmarline-real "$@" || exit $?\ncase " $* " in *" receive "*) echo x >>received;; esac\n' >"$work/marline"
chmod +x "$work/marline"
if PATH=$work:$PATH cli/examples/mailbox.sh LICENSE-APACHE >/dev/null 2>&1; then
  echo "the mailbox example does not notice an altered file"
  rc=1
fi
printf '#!/bin/sh\nmarline-real "$@" || exit $?\necho more\n' >"$work/marline"
if (PATH=$work:$PATH readme_example mailbox.sh) >/dev/null 2>&1; then
  echo "README's output is not compared"
  rc=1
fi

if need_deb mosquitto mosquitto-clients; then
  readme_example mqtt.sh || rc=1
else
  skipped "MQTT example: mosquitto could not be installed"
fi
exit "$rc"
