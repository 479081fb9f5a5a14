"""Loops that are told to stop: what was begun is finished, a second word ends it at once. And whom signals reach."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.loading.loads import PROJECT

LOOP = """
import pathlib, sys, time
from django.conf import settings
settings.configure()
from core.loops import run_for_ever

def work(go_on):
    print("begun", flush=True)
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.02)
    print("done, and goes on:", go_on(), flush=True)

try:
    run_for_ever(work, sys.stderr)
except KeyboardInterrupt:
    sys.exit(130)
"""
PARSING = """
import io, signal, threading, os
heard = []
signal.signal(signal.SIGTERM, lambda *given: heard.append(given[0]))
from {module} import {name} as read_csv
lines = b"a,b\\n" + b"1,2\\n" * 8_000_000
threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
rows = read_csv(io.BytesIO(lines)).num_rows
assert (rows, heard) == (8_000_000, [signal.SIGTERM]), (rows, heard)
"""


@contextmanager
def looping(finished: Path) -> Iterator[subprocess.Popen[str]]:
    """Have a loop at work that is not done until there is a file ``finished``."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOOP, str(finished)], cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_loop_that_is_told_to_stop_finishes_what_it_began_and_begins_nothing(tmp_path: Path) -> None:
    with looping(tmp_path / "finished") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Asked to stop: what was begun is finished first.")
        (tmp_path / "finished").touch()
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "done, and goes on: False\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with looping(tmp_path / "finished") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(number)
        assert process.wait(30) == 130


def test_a_loop_that_waits_stops_at_once(tmp_path: Path) -> None:
    (tmp_path / "finished").touch()
    with looping(tmp_path / "finished") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_ctrl_c_ends_a_loop_at_once(tmp_path: Path) -> None:
    with looping(tmp_path / "finished") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


@pytest.mark.parametrize("module", ["core.postgres.copy_out", "ingest.readers.csv.assemble"])
def test_a_signal_that_comes_while_arrow_parses_reaches_the_program_and_ends_nothing(module: str) -> None:
    code = PARSING.format(module=module, name="read_csv")
    ran = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
