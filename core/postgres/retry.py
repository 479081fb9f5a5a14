"""One piece of work in one transaction, tried again where PostgreSQL sacrificed it to another."""

from collections.abc import Callable

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import errorcodes

ATTEMPTS = 3
LOCK_TIMEOUT_SECONDS = 5
_SACRIFICED = (errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE)
_IN_THE_WAY = (*_SACRIFICED, errorcodes.LOCK_NOT_AVAILABLE)


def in_transaction[T](work: Callable[[CursorWrapper], T], *, lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> T:
    """Commit what ``work`` does, and return what it returns; it may be called several times, each time anew.

    Django's OperationalError where a lock was not free in time, or the last attempt was sacrificed too.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("select set_config('lock_timeout', %s, true)", [f"{lock_timeout_seconds:g}s"])
                return work(cursor)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) not in _SACRIFICED or attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def others_in_the_way(error: OperationalError) -> bool:
    """Tell whether nothing was wrong but that others were at work on the same rows: try again in a moment."""
    return getattr(error.__cause__, "pgcode", None) in _IN_THE_WAY
