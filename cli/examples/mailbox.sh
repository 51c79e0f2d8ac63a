#!/usr/bin/env bash
# Two devices on this machine exchange a file through a directory.
#   cli/examples/mailbox.sh FILE
set -euo pipefail
file=$(realpath "${1:?usage: mailbox.sh FILE}")
cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT
mkdir mailbox && head -c 24 /dev/urandom | base64 >pass && export MARLINE_PASSPHRASE_FILE=pass

# --- the conversation
marline --device bob.device init bob
marline --device bob.device publish >mailbox/bob.bundle
marline --device alice.device init alice
marline --device alice.device contact add mailbox/bob.bundle
marline --device alice.device send bob "$file" -o mailbox/1
marline --device bob.device receive mailbox/1 -o received
digits=$(marline --device alice.device contact verify bob | tail -1)
marline --device bob.device contact verify alice --matches "$digits"
# ---

cmp "$file" received
echo "$(stat -c %s received) bytes received, equal; $(stat -c %s mailbox/1) bytes in the mailbox"
echo "safety number, the same on both: $digits"
