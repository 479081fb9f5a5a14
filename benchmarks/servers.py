"""HTTP servers that a contest needs: started on a free port of 127.0.0.1, waited for, and always stopped."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
WORKERS = 4  # processes, of ours and of every peer
THREADS = 4  # in each of them
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.05
HOST = "127.0.0.1"


def gunicorn(application: str, *more: str) -> tuple[str, ...]:
    """Return the command that serves a WSGI application; ``{port}`` is filled in by ``running``."""
    options = ("--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS))
    quiet = ("--log-level", "warning", "--keep-alive", "60", "--no-control-socket")
    return (sys.executable, "-m", "gunicorn", application, "--bind", f"{HOST}:{{port}}", *options, *quiet, *more)


def uvicorn(application: str) -> tuple[str, ...]:
    """Return the command that serves an ASGI application, with the same number of processes."""
    options = ("--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools", "--timeout-keep-alive", "60")
    quiet = ("--log-level", "warning", "--no-access-log")
    return (sys.executable, "-m", "uvicorn", application, "--host", HOST, "--port", "{port}", *options, *quiet)


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[int]:
    """Run a server for the block and return its port. Raises RuntimeError, with what it said, if it does not start."""
    port = _free_port()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            cwd=PROJECT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            if not _answers(process, port):
                said.seek(0)
                raise RuntimeError(f"{command[2]} did not start: {said.read().decode(errors='replace')[-3000:]}")
            yield port
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # workers that outlived it; the session is its own
    process.wait()
