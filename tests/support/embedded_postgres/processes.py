"""Processes that use an embedded server in a folder, and what is left of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
PRELUDE = """
import os, signal, subprocess, sys, time, psycopg2
from pathlib import Path
from threading import Timer
from core.embedded_postgres import join, is_running, stop
from core.errors import EmbeddedPostgresFailed
folder = Path(sys.argv[1])
def ask(query):
    socket = join(folder, database="dataforge")
    connection = psycopg2.connect(host=str(socket), port=5432, user="postgres", dbname="dataforge")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(query)
    answer = cursor.fetchone()[0] if cursor.description else None
    connection.close()
    return answer
"""


def spawn(folder: Path, body: str) -> subprocess.Popen[str]:
    """Start a Python process of its own that runs ``body`` after the prelude."""
    command = [sys.executable, "-c", PRELUDE + body, str(folder)]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def run(folder: Path, body: str) -> str:
    """Run ``body`` to its end and return what it printed."""
    with spawn(folder, body) as process:
        output, _ = process.communicate(timeout=100)
    assert process.returncode == 0, output
    return output.strip()


def postgres_pids(folder: Path) -> list[int]:
    """Find the server's processes by what they work in."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").samefile(folder / "data"):
                pids.append(int(entry.name))
        except OSError:  # gone meanwhile, a zombie, or somebody else's
            continue
    return pids


def leave_orphan(folder: Path) -> list[int]:
    """Start the server from a process that is then killed, and return the server's processes."""
    with spawn(folder, "ask('create table if not exists kept ()'); print('ready', flush=True); time.sleep(60)") as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "ready\n"
        user.kill()
    return postgres_pids(folder)


def kill_all(pids: list[int]) -> None:
    """Kill processes by number, as a power failure would."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
