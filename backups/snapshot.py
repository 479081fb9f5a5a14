"""One moment of the database for all tables of a run, so that what refers to one another fits together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg2.errors
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from dataforge.errors import TableBusy
from dataforge.postgres import lock_waits
from dataforge.postgres.tables import Table

LOCK_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Snapshot:
    """A cursor in a transaction that sees one moment, and that moment."""

    cursor: CursorWrapper
    taken_at: datetime


@contextmanager
def snapshot(tables: Sequence[Table], *, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[Snapshot]:
    """Open a session of its own with a REPEATABLE READ snapshot of ``tables``; TableBusy if they are not to be had.

    They are locked (ACCESS SHARE) before the snapshot is taken: a table that is truncated between the two would be
    read as empty. So nothing before the LOCK may be a query.
    """
    session = connection.copy()
    try:
        session.set_autocommit(False)
        with session.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            _lock(cursor, tables, timeout_seconds)
            cursor.execute("SELECT clock_timestamp()")
            ((taken_at,),) = cursor.fetchall()
            yield Snapshot(cursor, taken_at)
    finally:
        session.close()


def _lock(cursor: CursorWrapper, tables: Sequence[Table], timeout_seconds: float) -> None:
    cursor.execute(f"SET LOCAL lock_timeout = '{round(timeout_seconds * 1000)}ms'")
    names = sql.SQL(", ").join(table.identifier for table in tables)
    try:
        cursor.execute(sql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE").format(names))
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg2.errors.LockNotAvailable):
            raise
        with connection.cursor() as other:
            holder = lock_waits.holders(other, locktype="relation", ids=[table.oid for table in tables])
        raise TableBusy(
            tables=", ".join(table.name for table in tables), holder=holder, remedy="Run it again when that has ended."
        ) from error
    cursor.execute("SET LOCAL lock_timeout = 0")
