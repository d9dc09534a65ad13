#!/bin/sh
# As root: launch-as.sh USER AGENT [OPTION...] -- COMMAND [ARG...]
#
# Launches an agent under a unix user of its own, with its own key, home and state, and nothing of root's environment. The audit
# log is opened before root's rights are given up: agents add lines to it, and can neither read nor change what is there.
set -eu
user=$1
agent=$2
shift 2
home=$(cd "$AGENTS/$agent" && pwd)
exec env -i PATH="$PATH" LANG=C.UTF-8 HOME="$home" VAULT_RUN_KEY_FILE="$home/key" VAULT_RUN_AUDIT_TO=fd:3 \
  setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs \
  vault-run --agent "$agent" "$@" 3>> "$AUDIT/audit.jsonl"
