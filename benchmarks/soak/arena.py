"""What a soak runs on: a PostgreSQL of its own, the site under gunicorn as in production, and their ends."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

from core.embedded_postgres import USER, join, stop

PROJECT = Path(__file__).resolve().parents[2]
WORKERS, THREADS = 2, 4
START_TIMEOUT_SECONDS = 60
DATABASE = "soak"
_TOKEN = """
from django.contrib.auth.models import User
from access.tokens import create_token
print(create_token(User.objects.create_user('soak', is_superuser=True), name='soak', expires=None))
"""


@dataclass
class Postgres:
    """A server of the soak's own in ``folder``."""

    folder: Path

    def start(self) -> str:
        """Start it where it does not run, and wait until it answers; return its database's address."""
        place = join(self.folder, database=DATABASE)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                self.ask("select 1")
                break
            except psycopg2.OperationalError:  # the last processes of one that was killed pass for a server
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        return f"postgres://{USER}@/{DATABASE}?host={quote(str(place), safe='')}&port=5432"

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a query on a connection of its own."""
        connection = psycopg2.connect(
            host=str(join(self.folder, database=DATABASE)), port=5432, user=USER, dbname=DATABASE
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        finally:
            connection.close()

    def restart_fast(self) -> None:
        """Stop it as an upgrade does, which ends all transactions, and start it."""
        stop(self.folder)
        self.start()

    def kill(self) -> None:
        """Kill it with all its processes at once, as a power failure does, and start it, which recovers."""
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # gone meanwhile, or somebody else's
                if (entry / "cwd").samefile(self.folder / "data"):
                    os.kill(int(entry.name), signal.SIGKILL)
        self.start()


@dataclass
class Site:
    """The site under gunicorn, and commands beside it; ``token`` may do everything."""

    process: subprocess.Popen[bytes]
    port: int
    environment: Mapping[str, str]
    token: str
    killed: list[int] = field(default_factory=list)

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in children.read_text().split()]

    def kill_workers(self, count: int) -> None:
        """Kill some workers without a warning; gunicorn starts others."""
        for number in self.workers()[:count]:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
            self.killed.append(number)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py`."""
        return _manage(self.environment, *arguments)


def _manage(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def serving(address: str, folder: Path) -> Iterator[Site]:
    """Migrate, and run the site as in production; its backups and its log go into ``folder``."""
    many = "1000000000"
    environment = {
        "DATABASE_URL": address,
        "DEBUG": "off",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "METRICS_TOKEN": secrets.token_urlsafe(30),
        "SECURE_SSL_REDIRECT": "off",
        "API_REQUESTS_PER_MINUTE": many,
        "API_RECORDS_PER_MINUTE": many,
        "BACKUP_STORE": str(folder / "backups"),
    }
    for arguments in (("collectstatic", "--no-input", "--verbosity", "0"), ("migrate", "--verbosity", "0")):
        done = _manage(environment, *arguments)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
    token = _manage(environment, "shell", "--verbosity", "0", "-c", _TOKEN).stdout.strip()
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "gunicorn", "dataforge.wsgi", "--bind", f"fd://{listener.fileno()}"]
        command += ["--workers", str(WORKERS), "--threads", str(THREADS), "--graceful-timeout", "5"]
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **environment},
            pass_fds=(listener.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        site = Site(process, listener.getsockname()[1], environment, token)
        try:
            _wait_for(site)
            yield site
        finally:
            _end(site)


def _wait_for(site: Site) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while len(site.workers()) < WORKERS:
        if site.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("gunicorn did not start")
        time.sleep(0.05)


def _end(site: Site) -> None:
    site.process.terminate()
    try:
        site.process.wait(20)
    except subprocess.TimeoutExpired:
        for number in (*site.workers(), site.process.pid):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        site.process.wait()
