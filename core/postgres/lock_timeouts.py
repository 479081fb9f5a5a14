"""Waiting for a lock, but not for ever, and saying who holds it."""

import time
from collections.abc import Sequence

import psycopg2.errors
from django.db import OperationalError
from psycopg2 import sql

from core.postgres.tables import Cursor

_HOLDERS = """
SELECT DISTINCT coalesce(nullif(a.application_name, ''), 'an unnamed client'), l.pid,
       to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.locktype = %(locktype)s
  AND (l.relation::bigint = ANY (%(ids)s) OR (l.classid::bigint = %(classid)s AND l.objid::bigint = ANY (%(ids)s)))
ORDER BY 2
"""


class Deadline:
    """A moment that several waits have to keep together."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def milliseconds(self) -> int:
        """Return what is left, at least 1 (to PostgreSQL, 0 means for ever)."""
        return max(1, round((self._end - time.monotonic()) * 1000))


def take(
    cursor: Cursor, statement: str | sql.Composed, deadline: Deadline, *, parameters: Sequence[int] | None = None
) -> bool:
    """Run ``statement``, which takes a lock, inside a transaction; False if the lock was not free until ``deadline``.

    The transaction goes on either way, with its own ``lock_timeout``.
    """
    cursor.execute("SAVEPOINT dataforge_lock")
    cursor.execute(
        "SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", [f"{deadline.milliseconds()}ms"]
    )
    ((before, _),) = cursor.fetchall()
    try:
        cursor.execute(statement, parameters)
    except (OperationalError, psycopg2.errors.LockNotAvailable) as error:
        if not isinstance(error.__cause__ or error, psycopg2.errors.LockNotAvailable):
            raise
        cursor.execute("ROLLBACK TO SAVEPOINT dataforge_lock")
        cursor.execute("RELEASE SAVEPOINT dataforge_lock")
        return False
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
    cursor.execute("RELEASE SAVEPOINT dataforge_lock")
    return True


def holders(cursor: Cursor, *, locktype: str, ids: Sequence[int], classid: int = -1) -> str:
    """Name the other sessions that hold relations (``ids`` are oids) or advisory locks (``classid`` and ``ids``)."""
    cursor.execute(_HOLDERS, {"locktype": locktype, "ids": list(ids), "classid": classid})
    found = [f"{name} (pid {pid}, since {since} UTC)" for name, pid, since in cursor.fetchall()]
    return ", ".join(found) or "a session that has just let go of it"
