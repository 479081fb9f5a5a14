"""Whether the process of a backup or restore still lives: it holds a lock that PostgreSQL drops with its session."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from dataforge.errors import TableBusy
from dataforge.postgres.locks import exclusive

_MOMENT_SECONDS = 0.01


@contextmanager
def alive(work: object) -> Iterator[None]:
    """Hold the lock of ``work`` (the id of a run of backups or of a restore, a name) in a session of its own."""
    session = connection.copy()
    try:
        with exclusive(session, [_name(work)], what="a backup or restore", timeout_seconds=1):
            yield
    finally:
        session.close()


def is_dead(work: object) -> bool:
    """Tell that nobody holds the lock of ``work``."""
    try:
        with exclusive(connection, [_name(work)], what="", timeout_seconds=_MOMENT_SECONDS):
            return True
    except TableBusy:
        return False


def _name(work: object) -> str:
    return f"backups {work}"
