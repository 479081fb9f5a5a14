"""Locks that outlast the transactions of their owner: an open transaction of a second connection holds them.

So they die with their owner, however it ends, also behind a pooler: there a session goes on to others after every
transaction, and a lock of the session would stay on it, but a transaction keeps its session until it ends. It reads
nothing, and so is in nobody's way but that of the locks: VACUUM passes it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psycopg2
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from core.errors import DatabaseFailed, TableBusy
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.locks.advisory_locks import take_alone, try_claim, wait_for_sharing
from core.postgres.locks.lock_timeouts import Deadline
from core.postgres.locks.long_transactions import CLIENT_KEEPALIVES, end_with_its_client

_MAX_NAME_BYTES = 63  # PostgreSQL cuts application_name there
_ROUND_SECONDS = 2.0  # sharers queue behind whoever waits: for so long at a time
_SLICE_SECONDS = 1.0  # between two looks at Ctrl-C, which has to wait for psycopg2


class HeldLocks:
    """The locks of one owner, all let go together."""

    def __init__(self, cursor: CursorWrapper, *, what: str) -> None:
        self._cursor, self._what = cursor, what

    def take(self, names: Iterable[str], *, timeout_seconds: float) -> None:
        """Take ``names`` (of tables, or of work) alone, or none of them: ``TableBusy`` after ``timeout_seconds``.

        While one of them is busy for long, the others are not held: who shares them goes on.
        """
        wanted, deadline = sorted(set(names)), Deadline(timeout_seconds)
        self._cursor.execute("savepoint without_locks")
        while True:
            try:
                take_alone(self._cursor, wanted, timeout_seconds=min(_ROUND_SECONDS, deadline.seconds()))
                break
            except TableBusy as busy:
                self._cursor.execute("rollback to savepoint without_locks")
                if not self._wait(str(busy.facts["tables"]), deadline):
                    raise
        self._cursor.execute("release savepoint without_locks")

    def claim(self, name: str) -> bool:
        """Take ``name`` as ``try_claim`` does; False, at once, where another session has it."""
        return try_claim(self._cursor, name)

    def assert_held(self) -> None:
        """Raise DatabaseFailed where the locks were lost, by whatever ended their transaction; from any thread."""
        try:
            with self._cursor.connection.cursor() as cursor:  # psycopg2's own, which threads may share
                cursor.execute("select 1")
        except psycopg2.Error as error:
            problem = " ".join(str(error).split()) or type(error).__name__
            raise DatabaseFailed(
                work=f"the {self._what}",
                problem=f"the connection that held its locks was lost ({problem}), so others may be at its tables",
                remedy="What was not finished was rolled back: run it again.",
            ) from error

    def _wait(self, name: str, deadline: Deadline) -> bool:
        """Wait until nobody holds ``name`` alone, with nothing held here; False when the time is over."""
        while deadline.seconds():
            if wait_for_sharing(self._cursor, name, timeout_seconds=min(_SLICE_SECONDS, deadline.seconds())):
                self._cursor.execute("rollback to savepoint without_locks")
                return True
        return False


@contextmanager
def held_locks(connection: BaseDatabaseWrapper, *, what: str) -> Iterator[HeldLocks]:
    """Open a second connection like ``connection`` whose transaction holds locks, none at first, until the block ends.

    ``what`` (such as "load 6f1c...") is its ``application_name``: who finds a lock busy is told it.
    """
    session = connection.copy()
    session.settings_dict["OPTIONS"] = {**CLIENT_KEEPALIVES, **session.settings_dict["OPTIONS"]}
    try:
        session.set_autocommit(False)
        with session.cursor() as cursor:
            with without_timeouts():  # the transaction that begins here, for all of its life
                end_with_its_client(cursor)
            cut = what.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
            cursor.execute("select set_config('application_name', %s, true)", [cut])
            yield HeldLocks(cursor, what=what)
    finally:
        with suppress(Error):  # a connection that is lost holds nothing
            session.rollback()  # to close it alone would let go a moment later
        session.close()


@contextmanager
def exclusive(
    connection: BaseDatabaseWrapper, names: Iterable[str], *, what: str, timeout_seconds: float
) -> Iterator[HeldLocks]:
    """Hold ``names`` alone for the length of the block: ``held_locks``, and what ``HeldLocks.take`` says."""
    with held_locks(connection, what=what) as locks:
        locks.take(names, timeout_seconds=timeout_seconds)
        yield locks
