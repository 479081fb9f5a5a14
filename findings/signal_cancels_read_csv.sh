#!/usr/bin/env bash
# pyarrow 26.0.1: a program whose own handler of SIGTERM only takes a note ("finish this, then stop") loses what it is at
# all the same, if the signal comes while `pyarrow.csv.read_csv` runs in the main thread: that raises ArrowCancelled, and the
# handler is not called before. So a worker that stops politely fails the task that it wanted to end.
# Guessed before: that only Ctrl-C without a handler of one's own would cancel, as KeyboardInterrupt.
# `pyarrow.enable_signal_handlers(False)` leaves signals to Python; so does another thread. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
cat >"$folder/read.py" <<'PYTHON'
import io
import os
import signal
import sys
import threading

import pyarrow
import pyarrow.csv

if sys.argv[1] == "off":
    pyarrow.enable_signal_handlers(False)
noted = []
signal.signal(signal.SIGTERM, lambda *_: noted.append("noted"))
text = io.BytesIO(b"a,b\n" + b"1,2\n" * 20_000_000)
threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
try:
    outcome = f"{pyarrow.csv.read_csv(text).num_rows} rows"
except pyarrow.lib.ArrowCancelled as error:
    outcome = f"ArrowCancelled: {error}"
print(f"Arrow's handlers {sys.argv[1]}: {outcome}")
PYTHON
on=$("$folder/venv/bin/python" "$folder/read.py" on)
off=$("$folder/venv/bin/python" "$folder/read.py" off)
printf '%s\n' "$on" "$off"
[[ $on == *'ArrowCancelled'* && $off == *'20000000 rows' ]]
