"""A database of the benchmark's own on the embedded PostgreSQL, made for one run and dropped after it."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import django
import psycopg2
from django.core.management import call_command
from django.db import connection
from psycopg2 import sql

from core import embedded_postgres
from core.embedded_postgres.sockets import PORT

FOLDER = Path(__file__).resolve().parent.parent / "var" / "postgres"
PREFIX = "bench_"


def set_up(database: str) -> None:
    """Set Django up for ``database`` of the embedded PostgreSQL, whatever DATABASE_URL says."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "dataforge.settings"
    os.environ["DEBUG"] = "off"  # with DEBUG, Django keeps a log of all queries
    from dataforge import settings

    settings.DATABASES["default"] = {
        "ENGINE": "core.embedded_postgres",
        "NAME": database,
        "OPTIONS": {"folder": FOLDER},
    }
    django.setup()


@contextmanager
def scratch_database() -> Iterator[str]:
    """Make and migrate a database for the block; drop it afterwards, and those that killed benchmarks left."""
    database = f"{PREFIX}{os.getpid()}"
    _drop_leftovers()
    set_up(database)
    try:
        call_command("migrate", verbosity=0)
        yield database
    finally:
        connection.close()
        _drop(database)


def database_url() -> str:
    """Name the scratch database to a server that is not Django's child."""
    parameters = connection.get_connection_params()
    place = urlencode({name: parameters[name] for name in ("host", "port")})
    return f"postgres://{quote(parameters['user'], safe='')}@/{parameters['dbname']}?{place}"


def empty_tables() -> None:
    """Bring all tables of the project back to their first state, with no dirty page left for the next contender."""
    from ingest.models import Account, Batch, RejectedRecord
    from ingest.rules.sources import sources

    tables = [source.contract.db_table for source in sources()]
    tables += [model._meta.db_table for model in (Account, Batch, RejectedRecord)]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("truncate {} restart identity cascade").format(sql.SQL(", ").join(map(sql.Identifier, tables)))
        )
    settle()


def counts() -> dict[str, int]:
    """Count the rows of every table of the dataset."""
    from ingest.rules.sources import sources

    return {source.table: source.model._default_manager.count() for source in sources()}


def settle() -> None:
    """Vacuum, and write dirty pages out, so that no contender pays for the one before it."""
    with connection.cursor() as cursor:
        cursor.execute("vacuum (analyze)")
        cursor.execute("checkpoint")


def _drop_leftovers() -> None:
    with _maintenance() as cursor:
        cursor.execute("select datname from pg_database where starts_with(datname, %s)", [PREFIX])
        left = [name for (name,) in cursor.fetchall() if not _is_alive(name.removeprefix(PREFIX))]
    for name in left:
        _drop(name)


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return True  # no name of ours
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _drop(database: str) -> None:
    with _maintenance() as cursor:
        cursor.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


@contextmanager
def _maintenance() -> Iterator[psycopg2.extensions.cursor]:
    socket = embedded_postgres.join(FOLDER, database="postgres")
    server = psycopg2.connect(host=str(socket), port=PORT, user=embedded_postgres.USER, dbname="postgres")
    with closing(server):
        server.autocommit = True
        with server.cursor() as cursor:
            yield cursor
