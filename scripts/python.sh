#!/bin/sh
# The Python that the package in python/ is checked and built with, in python/.venv. The wheels of all that it takes lie in
# python/.wheels, so that the tests make further environments without a network.
set -eu
cd "$(dirname "$0")/../python"
[ ! -e .wheels/made ] || [ requirements.txt -nt .wheels/made ] || exit 0
rm -rf .venv .wheels
python3 -m venv .venv
.venv/bin/pip download --quiet --require-hashes --disable-pip-version-check --dest .wheels --requirement requirements.txt
.venv/bin/pip install --quiet --require-hashes --disable-pip-version-check --no-index --find-links .wheels --requirement requirements.txt
touch .wheels/made
