#!/bin/sh
# Plays one attempt at one task: says what is written down for it, then makes the edits.
set -eu
script=".agents/edits/$1/$2"
if [ ! -f "$script.patch" ]; then
    echo "agent: nothing is scripted for attempt $2 at $1" >&2
    exit 1
fi
sed 's/^/agent: /' "$script.txt"
git apply --whitespace=nowarn "$script.patch"
git apply --numstat "$script.patch" | while read -r added removed path; do
    echo "agent: edited $path (+$added -$removed)"
done
