"""A site of its own database, whose work is done by a worker of `django-tasks-db`."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg2
from psycopg2 import extensions

from tests.support.api.client import Answered
from tests.support.api.service import Service, serving
from tests.support.loading.loads import PROJECT, database_url, query
from tests.support.postgres.sessions import wait_until

SELLERS = (
    "insert into olist_sellers (seller_id, seller_zip_code_prefix, seller_city, seller_state)"
    " select md5(n::text), '01037', 'sao paulo', 'SP' from generate_series(1, 50) n"
)
QUEUE = "django_tasks_database_dbtaskresult"
CONTENT = "select md5(string_agg(s::text, ',' order by seller_id)) from olist_sellers s"
TOKEN = (
    "from access.tokens import create_token; from django.contrib.auth.models import User;"
    "print(create_token(User.objects.create_superuser('ana'), name='t', expires=None))"
)


class QueueSite:
    """A site of its own database, whose work is done by a worker; ``sql`` is a session of that database."""

    def __init__(
        self, environment: dict[str, str], service: Service, sql: extensions.connection, log: IO[bytes]
    ) -> None:
        self._environment, self._service, self.sql, self._log = environment, service, sql, log
        self._token = manage(environment, "shell", "--verbosity", "0", "-c", TOKEN).strip().splitlines()[-1]

    def send(self, method: str, path: str, body: Any = None) -> Answered:
        """Send a request."""
        return self._service.send(method, path, self._token, body)

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Have a worker at work."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", "db_worker", "--interval", "0.1"],
            cwd=PROJECT,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            process.wait(60)

    def said(self) -> str:
        """Return what the workers wrote."""
        return Path(self._log.name).read_text()

    def becomes(self, path: str, *statuses: str) -> Any:
        """Follow what a link leads to until it is one of ``statuses``, and return it."""
        states: list[Any] = []

        def there() -> bool:
            document = self.send("GET", path).json
            states[:] = [document["results"][0] if "results" in document else document]
            return states[0]["status"] in statuses

        wait_until(there)
        return states[0]

    def back_up(self) -> str:
        """Ask for a backup, and return the link."""
        answer = self.send("POST", "/api/v1/backups/", {"tables": ["sellers"]})
        assert (answer.status, answer.json["results"][0]["status"]) == (202, "queued")
        return answer.headers["Location"]

    def restore(self, backup: str, **how: Any) -> str:
        """Ask for a restore, and return the link."""
        answer = self.send("POST", f"/api/v1/backups/{backup}/restore/", how)
        assert (answer.status, answer.json["status"]) == (202, "queued")
        return answer.headers["Location"]

    def content(self) -> str:
        """Return a hash of the sellers."""
        return str(self.ask(CONTENT))

    def ask(self, statement: str) -> Any:
        """Return the one value of a query."""
        with self.sql.cursor() as cursor:
            cursor.execute(statement)
            ((value,),) = cursor.fetchall()
            return value

    def results(self) -> list[str]:
        """Return what the queue says of its tasks, the oldest first."""
        return list(self.ask("select coalesce(array_agg(status::text order by enqueued_at), '{}') from " + QUEUE))

    @contextmanager
    def holding(self, mode: str) -> Iterator[None]:
        """Keep whoever wants the sellers waiting."""
        with self.sql.cursor() as cursor:
            cursor.execute(f"begin; lock table olist_sellers in {mode} mode")
            try:
                yield
            finally:
                cursor.execute("rollback")


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run `manage.py ARGUMENTS` in a process of its own, and return what it printed."""
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        check=False,
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@contextmanager
def queue_site(folder: Path) -> Iterator[QueueSite]:
    """Run a site on an empty database whose backups go to ``folder``, with DEBUG on, as ``make setup`` has it."""
    name = f"worker_{secrets.token_hex(4)}"
    query(f"create database {name}")
    settings = {"TASKS_BACKEND": "django_tasks_db.DatabaseBackend", "BACKUP_STORE": str(folder / "store")}
    settings["API_REQUESTS_PER_MINUTE"] = "100000"
    url = database_url(dbname=name)
    environment = {**os.environ, **settings, "DATABASE_URL": url, "DEBUG": "on", "SECRET_KEY": "of a test"}
    try:
        manage(environment, "migrate", "--verbosity", "0")
        manage(environment, "makemigrations", "--check", "--dry-run")
        with (
            closing(psycopg2.connect(url)) as sql,
            (folder / "worker.log").open("wb") as log,
            serving(url, log=None, **settings) as service,
        ):
            sql.autocommit = True
            with sql.cursor() as cursor:
                cursor.execute(SELLERS)
            yield QueueSite(environment, service, sql, log)
    finally:
        query(f"drop database {name} with (force)")
