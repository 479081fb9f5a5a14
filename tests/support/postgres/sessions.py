"""Several sessions at once: threads with connections of their own, and moments at which one waits for another."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

from django.db import connection
from django.db.backends.utils import CursorWrapper

from tests.support.loading.loads import query

PATIENCE_SECONDS = 30
_WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
_HERE = "database = (select oid from pg_database where datname = current_database())"  # other tests share the server
_TERMINATE = (
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
    " where datname = current_database() and application_name like %s"
)


@contextmanager
def transaction_elsewhere() -> Iterator[CursorWrapper]:
    """Open a transaction on another connection. Commit by ``cursor.connection.commit()``; else it is rolled back."""
    session = connection.copy()
    session.set_autocommit(False)
    try:
        with session.cursor() as cursor:
            yield cursor
    finally:
        session.rollback()
        session.close()


@contextmanager
def aside[T](*calls: Callable[[], T]) -> Iterator[list[Future[T]]]:
    """Run ``calls`` at the same time, each in a thread with a connection of its own, beside the block."""
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        yield [threads.submit(run, call) for call in calls]


def together[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run ``calls`` at the same time and return what they return, in their order."""
    with aside(*calls) as futures:
        return [future.result(PATIENCE_SECONDS) for future in futures]


def wait_until(ready: Callable[[], bool], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a moment; it comes in time or the test fails."""
    deadline = time.monotonic() + patience_seconds
    while not ready():
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(0.005)


def lock_is_awaited(table: str) -> bool:
    """Tell whether a session waits for a lock on ``table``, a name in the database."""
    return bool(query(f"select 1 from pg_locks where {_HERE} and not granted and relation = %s::regclass", table))


def wait_for_a_lock_on(table: str) -> None:
    """Wait until a session waits for a lock on ``table``, a name in the database."""
    wait_until(lambda: lock_is_awaited(table))


def wait_for_an_advisory_lock() -> None:
    """Wait until a session waits for a lock that another one of this program holds."""
    waiting = f"select 1 from pg_locks where {_HERE} and not granted and locktype = 'advisory'"
    wait_until(lambda: bool(query(waiting)))


def terminate(application_name: str) -> None:
    """End the one session of this name (as LIKE has it) in this database."""
    assert query(_TERMINATE, application_name) == [(True,)]


def wait_for_waiting(sessions: int = 1) -> None:
    """Wait until so many sessions wait for a lock."""
    wait_until(lambda: query(_WAITING)[0][0] >= sessions)
