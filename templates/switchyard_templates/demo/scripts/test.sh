#!/bin/sh
# Runs every Python test with the standard library alone; each project's tests in a process of their own.
set -eu
cd "$(dirname "$0")/.."
PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=libs/money/src:services/rates/src:services/checkout/src
export PYTHONDONTWRITEBYTECODE PYTHONPATH
for project in libs/money services/rates services/checkout; do
    echo "== $project"
    python3 -W error -m unittest discover -s "$project/tests"
done
