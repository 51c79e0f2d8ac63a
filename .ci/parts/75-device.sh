# The device and its tool: 150 kills of a child process, and both shell examples, one through a real MQTT broker.
rc=0

# The tests themselves run in part 10, with 25 kills.
MARLINE_KILLS=150 cargo test -q --locked -p marline-device --test crash -- --nocapture || rc=1

cargo build -q --locked -p marline-cli
export PATH=$CARGO_TARGET_DIR/debug:$PATH

cli/examples/mailbox.sh LICENSE-APACHE || rc=1
# The control: the example's comparison fails when the mailbox gives something else.
altered=$(mktemp -d)
printf '#!/bin/sh\nmarline-real "$@" || exit $?\ncase " $* " in *" receive "*) echo x >>received;; esac\n' >"$altered/marline"
ln -s "$CARGO_TARGET_DIR/debug/marline" "$altered/marline-real"
chmod +x "$altered/marline"
if PATH=$altered:$PATH cli/examples/mailbox.sh LICENSE-APACHE >/dev/null 2>&1; then
  echo "the mailbox example does not notice an altered file"
  rc=1
fi
rm -rf "$altered"

if need_deb mosquitto mosquitto-clients; then
  timeout 120 cli/examples/mqtt.sh || rc=1
else
  skipped "MQTT example: mosquitto could not be installed"
fi
exit "$rc"
