#!/usr/bin/env bash
# A conversation through an MQTT broker (mosquitto, started here on loopback and stopped at the end), and what somebody
# who subscribes to everything sees of it: ciphertext of padded length.
set -euo pipefail
. "$(dirname "$0")/path.sh"
cd "$(mktemp -d)"
broker='' eve=''
trap 'kill $eve $broker 2>/dev/null; wait; rm -rf "$PWD"' EXIT
head -c 24 /dev/urandom | base64 >pass && export MARLINE_PASSPHRASE_FILE=pass

# A port nobody listens on, then the broker, on loopback only.
for _ in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  printf 'listener %d 127.0.0.1\nallow_anonymous true\nuser root\n' "$port" >broker.conf
  "$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c broker.conf 2>broker.log & broker=$!
  for _ in $(seq 50); do
    kill -0 "$broker" 2>/dev/null || break
    mosquitto_pub -h 127.0.0.1 -p "$port" -t ready -n 2>/dev/null && break 2
    sleep 0.1
  done
done
mosquitto_pub -h 127.0.0.1 -p "$port" -t ready -n
publish() { mosquitto_pub -h 127.0.0.1 -p "$port" -q 1 -t "$1" -s; }
subscribe() { timeout 20 mosquitto_sub -h 127.0.0.1 -p "$port" -q 1 -C 1 -N -t "$1"; }

# Eve subscribes to everything and keeps length and hexadecimal bytes.
mosquitto_sub -h 127.0.0.1 -p "$port" -t 'chat/#' -F '%t %l %x' >eve.log & eve=$!
sleep 0.5

marline --device bob.device init bob
marline --device alice.device init alice
marline --device bob.device publish >bob.bundle
marline --device alice.device contact add bob.bundle

# say FROM TO TEXT: encrypts, publishes, receives, decrypts.
say() {
  subscribe "chat/$2" >arrived & local receiver=$!
  sleep 0.5
  printf '%s' "$3" | marline --device "$1.device" send --raw "$2" | publish "chat/$2"
  wait "$receiver"
  echo "$1 says \"$3\"; $2 reads \"$(marline --device "$2.device" receive --raw arrived)\""
}
say alice bob 'The key is under the mat.'
say bob alice 'yes'
say alice bob 'no'
say bob alice 'certainly, on Tuesday'

sleep 0.5
echo 'What the broker saw:'
while read -r topic length bytes; do echo "  $topic: $length bytes: ${bytes:0:48}..."; done <eve.log
[ "$(wc -l <eve.log)" -eq 4 ] || { echo "eve missed something"; exit 1; }
for text in 'The key is under the mat.' 'certainly, on Tuesday'; do
  ! grep -qiF "$(printf '%s' "$text" | od -An -tx1 | tr -d ' \n')" eve.log || { echo "PLAINTEXT AT THE BROKER"; exit 1; }
done
# The control: what is looked for is found where it is.
printf '%s' 'a control' | publish chat/control
sleep 0.5
grep -qiF "$(printf '%s' 'a control' | od -An -tx1 | tr -d ' \n')" eve.log || { echo "the search finds nothing"; exit 1; }
lengths=$(awk '$1 != "chat/control" && NR > 1 { print $2 }' eve.log | sort -u)
[ "$(wc -l <<<"$lengths")" -eq 1 ] || { echo "lengths differ: $lengths"; exit 1; }
echo "No plaintext there; \"yes\", \"no\" and \"certainly, on Tuesday\" are all $lengths bytes."
