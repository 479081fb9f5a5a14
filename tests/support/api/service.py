"""The service as it runs in production: gunicorn with two workers, and a client that talks to it over TCP."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.api.client import BATCHES, Answered
from tests.support.loading.loads import PROJECT
from tests.support.postgres.sessions import PATIENCE_SECONDS, wait_until

WORKERS = 2
THREADS = 4


class Service:
    """A running gunicorn. ``lost``: what a client sees of a worker that dies."""

    lost = (ConnectionError, http.client.HTTPException)

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process, self.port = process, port

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        assert self._process.poll() is None, "gunicorn has ended"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(number) for number in children.read_text().split()]

    def kill_workers(self) -> None:
        """Kill all workers, without a warning; gunicorn starts others."""
        dead = self.workers()
        for number in dead:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        wait_until(lambda: len(set(self.workers()) - set(dead)) == WORKERS)

    def send(self, method: str, path: str, token: str, body: Any = None, **headers: str) -> Answered:
        """Send a request; raises one of ``lost`` where no whole answer comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        known = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body), {**known, **named})
            answer = connection.getresponse()
            content = answer.read()
            return Answered(SimpleNamespace(status_code=answer.status, headers=answer.headers, content=content))
        finally:
            connection.close()

    def post(self, token: str, body: Any, **headers: str) -> Answered:
        """Post a batch."""
        return self.send("POST", BATCHES, token, body, **headers)

    def insist(self, token: str, body: Any, *, key: str) -> Answered:
        """Post a batch as a patient client does: again, with its key, while that is in flight or no answer comes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(*self.lost):
                answer = self.post(token, body, Idempotency_Key=key)
                if answer.status != 409:
                    return answer
                assert answer.json["code"] == "in_flight"
            time.sleep(0.05)
        raise AssertionError("there was no answer")


@contextmanager
def serving(database: str, *, log: Path | None = None, **settings: str) -> Iterator[Service]:
    """Run gunicorn on a free port, with ``settings`` in its environment; what it says goes into ``log``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gunicorn", "dataforge.wsgi", "--bind", f"fd://{listener.fileno()}"]
        command += ["--workers", str(WORKERS), "--threads", str(THREADS), "--graceful-timeout", "1"]
        known = {"DATABASE_URL": database, "DEBUG": "on", "SECRET_KEY": "of a test"}
        with (log or Path(os.devnull)).open("wb") as said:
            process = subprocess.Popen(
                [*command, "--log-level", "info" if log else "critical"],
                cwd=PROJECT,
                env={**os.environ, **known, **settings},
                pass_fds=(listener.fileno(),),
                stdout=said if log else None,
                stderr=said,
            )
        try:
            service = Service(process, listener.getsockname()[1])
            wait_until(lambda: len(service.workers()) == WORKERS)
            yield service
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                for number in service.workers():
                    os.kill(number, signal.SIGKILL)
                process.kill()
                process.wait()


@contextmanager
def serving_for_a_developer(database: str, **settings: str) -> Iterator[Service]:
    """Run what ``make serve`` runs, on a port that was free just before."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    known = {"DATABASE_URL": database, "DEBUG": "on", "SECRET_KEY": "of a test"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=PROJECT,
        env={**os.environ, **known, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _listens(port))
        yield Service(process, port)
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
