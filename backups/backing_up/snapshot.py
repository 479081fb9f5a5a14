"""One moment of the database for all tables of a run, so that what refers to one another fits together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg2.errors
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.errors import TableBusy
from core.postgres.locks import lock_timeouts
from core.postgres.locks.long_transactions import end_with_its_client
from core.postgres.tables import Table

LOCK_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Snapshot:
    """A cursor in a transaction that sees one moment, that moment, and a cursor in another session that sees the same.

    ``second`` is None where the tables could not be had at once: somebody waits for one of them, and for us.
    """

    cursor: CursorWrapper
    taken_at: datetime
    second: CursorWrapper | None


@contextmanager
def open_snapshot(tables: Sequence[Table], *, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[Snapshot]:
    """Open a session of its own with a REPEATABLE READ snapshot of ``tables``; TableBusy if they are not to be had.

    They are locked (ACCESS SHARE) before the snapshot is taken: a table that is truncated between the two would be
    read as empty. So nothing before the LOCK may be a query.
    """
    with _transaction() as cursor:
        _lock(cursor, tables, timeout_seconds)
        cursor.execute("select clock_timestamp(), pg_export_snapshot()")
        ((taken_at, exported),) = cursor.fetchall()
        with _transaction() as second:
            shared = _join(second, tables, exported)
            yield Snapshot(cursor, taken_at, second if shared else None)


@contextmanager
def _transaction() -> Iterator[CursorWrapper]:
    session = connection.copy()
    try:
        session.set_autocommit(False)
        with session.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            end_with_its_client(cursor)
            yield cursor
    finally:
        session.close()


def _join(cursor: CursorWrapper, tables: Sequence[Table], exported: str) -> bool:
    """See what the first session sees; False where its tables are not free: waiting here could wait for ever."""
    cursor.execute("set transaction snapshot %s", [exported])
    try:
        cursor.execute(_lock_statement(tables, " nowait"))
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg2.errors.LockNotAvailable):
            raise
        return False
    return True


def _lock_statement(tables: Sequence[Table], wait: str) -> sql.Composable:
    """Lock in the order in which loads and restores do (by name), so that nobody waits for one another."""
    in_order = sorted(tables, key=lambda table: (table.schema, table.name))
    names = sql.SQL(", ").join(table.identifier for table in in_order)
    return sql.SQL("lock table {} in access share mode" + wait).format(names)


def _lock(cursor: CursorWrapper, tables: Sequence[Table], timeout_seconds: float) -> None:
    cursor.execute(f"set local lock_timeout = '{round(timeout_seconds * 1000)}ms'")
    try:
        cursor.execute(_lock_statement(tables, ""))
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg2.errors.LockNotAvailable):
            raise
        with connection.cursor() as other:
            holder = lock_timeouts.holders(other, locktype="relation", ids=[table.oid for table in tables])
        raise TableBusy(
            tables=", ".join(table.name for table in tables), holder=holder, remedy="Run it again when that has ended."
        ) from error
    cursor.execute("set local lock_timeout = 0")
