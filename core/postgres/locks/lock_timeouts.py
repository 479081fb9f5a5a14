"""Waiting for a lock, but not for ever, and saying who holds it."""

import time
from collections.abc import Sequence

import psycopg2.errors
from django.db import OperationalError
from psycopg2 import sql

from core.postgres.tables import Cursor

# The other sessions that hold a lock on one of some tables or advisory keys: name, process, who, and since when.
_HOLDERS = """
select distinct coalesce(nullif(a.application_name, ''), 'an unnamed client'), l.pid,
       concat_ws(' at ', 'user ' || a.usename, host(a.client_addr)),
       to_char(coalesce(a.xact_start, a.backend_start) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
from pg_locks l left join pg_stat_activity a on a.pid = l.pid
where l.granted and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
  and l.locktype = %(locktype)s
  and (l.relation::bigint = any (%(ids)s) or (l.classid::bigint = %(classid)s and l.objid::bigint = any (%(ids)s)))
order by 2
"""


class Deadline:
    """A moment that several waits have to keep together."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def seconds(self) -> float:
        """Return what is left, 0 where it has passed."""
        return max(0.0, self._end - time.monotonic())

    def milliseconds(self) -> int:
        """Return what is left, at least 1 (to PostgreSQL, 0 means for ever)."""
        return max(1, round(self.seconds() * 1000))


def take(
    cursor: Cursor, statement: str | sql.Composed, deadline: Deadline, *, parameters: Sequence[int] | None = None
) -> bool:
    """Run ``statement``, which takes a lock, inside a transaction; False if the lock was not free until ``deadline``.

    The transaction goes on either way, with its own ``lock_timeout``.
    """
    cursor.execute("savepoint dataforge_lock")
    cursor.execute(
        "select current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", [f"{deadline.milliseconds()}ms"]
    )
    ((before, _),) = cursor.fetchall()
    try:
        cursor.execute(statement, parameters)
    except (OperationalError, psycopg2.errors.LockNotAvailable) as error:
        if not isinstance(error.__cause__ or error, psycopg2.errors.LockNotAvailable):
            raise
        cursor.execute("rollback to savepoint dataforge_lock")
        cursor.execute("release savepoint dataforge_lock")
        return False
    cursor.execute("select set_config('lock_timeout', %s, true)", [before])
    cursor.execute("release savepoint dataforge_lock")
    return True


def holders(cursor: Cursor, *, locktype: str, ids: Sequence[int], classid: int = -1) -> str:
    """Name the other sessions that hold relations (``ids`` are oids) or advisory locks (``classid`` and ``ids``)."""
    cursor.execute(_HOLDERS, {"locktype": locktype, "ids": list(ids), "classid": classid})
    sessions = [f"{name} (pid {pid}, {user}, since {since} UTC)" for name, pid, user, since in cursor.fetchall()]
    return ", ".join(sessions) or "a session that has just let go of it"
