"""Backups and restores in the worker of `django-tasks-db`: asked for over HTTP, followed on their rows, killed."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import extensions

from tests.support.api.client import Answered
from tests.support.api.service import Service, serving
from tests.support.loading.loads import PROJECT, database_url, query
from tests.support.postgres.sessions import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]
SELLERS = (
    "insert into olist_sellers (seller_id, seller_zip_code_prefix, seller_city, seller_state)"
    " select md5(n::text), '01037', 'sao paulo', 'SP' from generate_series(1, 50) n"
)
CONTENT = "select md5(string_agg(s::text, ',' order by seller_id)) from olist_sellers s"
TOKEN = (
    "from access.tokens import create_token; from django.contrib.auth.models import User;"
    "print(create_token(User.objects.create_superuser('ana'), name='t', expires=None))"
)


class Site:
    """A site of its own database, whose work is done by a worker; ``sql`` is a session of that database."""

    def __init__(self, environment: dict[str, str], service: Service, sql: extensions.connection) -> None:
        self._environment, self._service, self.sql = environment, service, sql
        self._token = manage(environment, "shell", "--verbosity", "0", "-c", TOKEN).strip().splitlines()[-1]

    def send(self, method: str, path: str, body: Any = None) -> Answered:
        """Send a request."""
        return self._service.send(method, path, self._token, body)

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Have a worker at work."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", "db_worker", "--no-reload", "--interval", "0.1"],
            cwd=PROJECT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

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
        with self.sql.cursor() as cursor:
            cursor.execute(CONTENT)
            ((value,),) = cursor.fetchall()
            return str(value)

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


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    name = f"worker_{secrets.token_hex(4)}"
    query(f"create database {name}")
    settings = {"TASKS_BACKEND": "django_tasks_db.DatabaseBackend", "BACKUP_STORE": str(tmp_path)}
    settings["API_REQUESTS_PER_MINUTE"] = "100000"
    url = database_url(dbname=name)
    environment = {**os.environ, **settings, "DATABASE_URL": url, "DEBUG": "on", "SECRET_KEY": "of a test"}
    try:
        manage(environment, "migrate", "--verbosity", "0")
        manage(environment, "makemigrations", "--check", "--dry-run")
        with closing(psycopg2.connect(url)) as sql, serving(url, log=None, **settings) as service:
            sql.autocommit = True
            with sql.cursor() as cursor:
                cursor.execute(SELLERS)
            yield Site(environment, service, sql)
    finally:
        query(f"drop database {name} with (force)")


def test_the_worker_backs_up_and_restores_what_http_asks_for(site: Site) -> None:
    before, queued = site.content(), site.back_up()
    assert site.becomes(queued, "queued")["file"] == ""
    with site.worker():
        backup = site.becomes(queued, "done", "failed")
        assert (backup["status"], backup["rows"]) == ("done", 50)
        with site.sql.cursor() as cursor:
            cursor.execute("update olist_sellers set seller_city = 'rio' where seller_id like '0%'")
        assert site.content() != before
        dry_run = site.becomes(site.restore(backup["id"], dry_run=True), "done", "failed")
        assert dry_run["report"]["tables"][0]["changed"] > 0
        restored = site.becomes(site.restore(backup["id"]), "done", "failed")
        assert (restored["status"], restored["mode"], restored["error"]) == ("done", "merge", "")
    assert site.content() == before


def test_what_a_killed_worker_left_is_said_to_have_failed_and_the_next_worker_goes_on(site: Site) -> None:
    with site.worker():
        backup = site.becomes(site.back_up(), "done")
    before = site.content()
    asked: dict[str, Callable[[], str]] = {
        "The process ended before the backup did.": site.back_up,
        "The process ended before the restore did: nothing was changed.": lambda: site.restore(backup["id"]),
    }
    for error, ask in asked.items():
        with site.holding("ACCESS EXCLUSIVE"), site.worker() as worker:
            link = ask()
            assert site.becomes(link, "running", "done", "failed")["status"] == "running"
            worker.kill()
            assert site.becomes(link, "done", "failed")["error"] == error
    assert site.content() == before
    with site.worker():
        assert site.becomes(site.back_up(), "done", "failed")["status"] == "done"
        assert site.becomes(site.restore(backup["id"]), "done", "failed")["status"] == "done"
