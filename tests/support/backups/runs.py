"""The commands as their users run them, and a look at what they left."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import connection

import manage
from core.postgres.fingerprint import Fingerprint, structure, table_fingerprint
from tests.support.backups.models import MODELS
from tests.support.loading.loads import PROJECT, Ran, database_url, query

FAMILY = ("shelves", "books", "loans")  # parents first


def run(*arguments: object, code: int = 0) -> Ran:
    """Run `manage.py ARGUMENTS` in this process, from its command line to its exit code, which is to be ``code``."""
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        mock.patch.object(sys, "argv", ["manage.py", *map(str, arguments)]),
        mock.patch.object(BaseCommand, "check"),  # the system checks: half of the time, and the same each time
    ):
        try:
            ended: Any = manage.main()
        except SystemExit as stop:
            ended = stop.code or 0
    ran = Ran(code=ended or 0, out=out.getvalue(), err=err.getvalue())
    assert ran.code == code, ran
    assert "Traceback" not in ran.err, ran
    return ran


def spawn(code: str, **environment: str) -> subprocess.Popen[str]:
    """Run Python in a process of its own, with Django set up on the same database."""
    begin = "import django; django.setup(); import tests.support.backups.models; "
    told = {
        "DJANGO_SETTINGS_MODULE": "dataforge.settings",
        "DATABASE_URL": database_url(),
        "DEBUG": "on",
        "SECRET_KEY": "of a test",
    }
    return subprocess.Popen(
        [sys.executable, "-c", begin + code],
        cwd=PROJECT,
        env={**os.environ, **told, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def content(table: str) -> Fingerprint:
    """Return the fingerprint of a table by the shared floor's own hash, which backups do not use."""
    with connection.cursor() as cursor:
        return table_fingerprint(cursor, table)


def built(*tables: str) -> list[frozenset[tuple[str, str, str]]]:
    """Return columns, constraints and indexes of tables."""
    with connection.cursor() as cursor:
        return [structure(cursor, table) for table in tables]


def all_tables() -> list[str]:
    """Return the tables that these tests write to."""
    found = [model._meta.db_table for app in ("olist", "ingest") for model in apps.get_app_config(app).get_models()]
    found += [f"backups_{name}" for name in ("backup", "restore", "backupschedule")]
    return found + [model._meta.db_table for model in MODELS]


def backup_file(table: str, store: Path) -> Path:
    """Back a table up, and return the file."""
    run("backup_table", table, "--to", store)
    return max(store.glob(f"*/{table}/{table}.parquet"))


def manifest_of(path: Path) -> Path:
    """Return where the manifest of a backup lies."""
    return path.parents[2] / "_manifests" / path.parent.parent.name / f"{path.stem}.json"


def name_of(path: Path | str) -> str:
    """Return the name of a backup below its store."""
    return "/".join(Path(path).parts[-3:])


def files_in(store: Path) -> list[str]:
    """Return the names of all files below a store, sorted."""
    return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file())


def library() -> None:
    """Put three shelves, four books and three loans into the tables."""
    query("insert into shelves (id, name, size) values (1, 'north', 1), (2, 'south', 2), (3, 'bare', 3)")
    query(
        "insert into books (id, shelf_id, title, sequel_of_id) values"
        " (1, 1, 'one', null), (2, 1, 'two', 1), (3, 2, 'three', 2), (4, 2, 'else', null)"
    )
    query("insert into loans (id, book_id) values (1, 1), (2, 2), (3, 4)")


def family() -> dict[str, Fingerprint]:
    """Return the fingerprints of the library's tables."""
    return {table: content(table) for table in FAMILY}
