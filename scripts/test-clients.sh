#!/bin/sh
# The official MCP clients that the tests drive the server with, each in its pinned version, in test/clients.
set -eu
cd "$(dirname "$0")/../test/clients"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --ignore-scripts
  touch node_modules/.package-lock.json
fi
if [ ! -e .venv/installed ] || [ requirements.txt -nt .venv/installed ]; then
  python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --require-hashes --disable-pip-version-check --requirement requirements.txt
  touch .venv/installed
fi
