"""Whether the process of a backup or restore still lives: it holds a lock that PostgreSQL drops with its session."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from dataforge.errors import TableBusy
from dataforge.postgres.locks import exclusive

_MOMENT_SECONDS = 0.01


@contextmanager
def alive(work: UUID) -> Iterator[None]:
    """Hold the lock of ``work`` (a run of backups, a restore) in a session of its own."""
    session = connection.copy()
    try:
        with exclusive(session, [_name(work)], what="a backup or restore", timeout_seconds=1):
            yield
    finally:
        session.close()


def is_dead(work: UUID) -> bool:
    """Tell that nobody holds the lock of ``work``."""
    try:
        with exclusive(connection, [_name(work)], what="", timeout_seconds=_MOMENT_SECONDS):
            return True
    except TableBusy:
        return False


def _name(work: UUID) -> str:
    return f"backups {work}"
