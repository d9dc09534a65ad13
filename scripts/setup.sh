#!/bin/sh
# Installs and builds what is missing, so that every npm script works in a fresh clone.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x node_modules/.bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund
  touch node_modules/.package-lock.json
fi
if [ ! -e dist/launch.cjs ] || [ -n "$(find src bin scripts rolldown.config.ts -newer dist/launch.cjs -print -quit)" ]; then
  # What a build that failed left behind is not taken for one.
  npm run --silent build || { rm -f dist/launch.cjs; exit 1; }
fi
