#!/usr/bin/env bash
# Two devices on this machine exchange a file through a directory used as mailbox; each command is shown before it runs.
#   cli/examples/mailbox.sh FILE
set -euo pipefail
file=$(realpath "${1:?usage: mailbox.sh FILE}")
. "$(dirname "$0")/path.sh"
cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT
# A passphrase from a file; without it you are asked.
mkdir mailbox && head -c 24 /dev/urandom | base64 >pass && export MARLINE_PASSPHRASE_FILE=pass

while IFS= read -r command <&3; do
  echo "\$ $command"
  eval "$command"
done 3<<'CONVERSATION'
marline --device bob init bob
marline --device bob publish >mailbox/bob.bundle
marline --device alice init alice
marline --device alice contact add mailbox/bob.bundle
marline --device alice send bob "$file" -o mailbox/1
marline --device bob receive mailbox/1 -o received
marline --device alice contact verify bob | tail -1 | tee number
marline --device bob contact verify alice --matches "$(cat number)"
cmp "$file" received && wc -c mailbox/1 received
CONVERSATION
