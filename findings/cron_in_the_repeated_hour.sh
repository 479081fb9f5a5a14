#!/usr/bin/env bash
# CronSim 2.8, asked within the hour that the end of daylight-saving time repeats, may give a next moment that lies in the
# past: at 01:10, the second time (06:10 UTC), the next "30 1 * * *" in New York is 01:30, the first time (05:30 UTC). A
# scheduler that runs what is due and asks again finds the same moment due at every look until the hour is over.
# And where the clock goes back by half an hour (Lord Howe, 5 April), the next of "*/15 23,0 * * *" asked at 00:50 of that
# day is 23:30: 23:00 and 23:15, which come before it, are passed over.
# Guessed before: that a next moment lies behind the one it is asked from, and that none is lost.
# Compare moments as instants (UTC), and keep the last that ran. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cronsim==2.8 tzdata==2026.3
PYTHONTZPATH='' "$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

asked = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)
given = next(CronSim("30 1 * * *", asked.astimezone(ZoneInfo("America/New_York")))).astimezone(UTC)
print(f"asked at {asked:%H:%M} UTC, New York: next is {given:%H:%M} UTC")
assert given == datetime(2026, 11, 1, 5, 30, tzinfo=UTC) < asked

zone = ZoneInfo("Australia/Lord_Howe")
asked = datetime(2026, 4, 4, 13, 50, tzinfo=UTC).astimezone(zone)
given = next(CronSim("*/15 23,0 * * *", asked))
print(f"asked at {asked:%d. %H:%M %z}, Lord Howe: next is {given:%d. %H:%M %z}")
assert (given.day, given.hour, given.minute) == (5, 23, 30)
PYTHON
