"""Database errors in the words of the person who can mend them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, ProgrammingError

from core.errors import DatabaseFailed, DatabaseUnavailable
from core.postgres.engine.settings_at_fault import setting_at_fault

_REMEDIES = {
    "53100": "The server's disk is full: free space there, then run it again; what was not finished was not kept.",
    "53200": "The server is out of memory: lower its load or work_mem, then run it again.",
    "53300": "The server has no connection left: close some, or raise max_connections.",
    "55P03": "Another transaction holds the table: find it in pg_stat_activity, then run it again.",
    "57P01": "The server was stopped: start it, then run it again; what was not finished was not kept.",
    "42P01": "A table is missing: run `manage.py migrate` against this database.",
    "42501": "The database user may not do this: it must own the project's tables.",
}
_LOST = "See whether the server runs and DATABASE_URL is right, then run it again; what was not finished was not kept."


@contextmanager
def explained(work: str) -> Iterator[None]:
    """Turn errors of the connection or the server during ``work`` into DatabaseUnavailable or DatabaseFailed."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, ProgrammingError) as error:
        code = getattr(error.__cause__, "pgcode", None)
        problem = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if fault := setting_at_fault(error):
            remedy = f"{fault[0].upper()}{fault[1:]}, then run it again; what was not finished was not kept."
            raise DatabaseFailed(work=work, problem=problem, remedy=remedy) from error
        if isinstance(error, InternalError):
            raise
        if code is None and isinstance(error, OperationalError) and "connection to server" in problem:
            raise DatabaseUnavailable(problem=problem, remedy=_LOST) from error
        if code is None and isinstance(error, ProgrammingError):
            raise
        raise DatabaseFailed(work=work, problem=problem, remedy=_REMEDIES.get(code or "", _LOST)) from error
    except (DatabaseError, SystemError) as error:
        if not _is_cut_copy(error):
            raise
        raise DatabaseFailed(work=work, problem="the connection was lost", remedy=_LOST) from error


def _is_cut_copy(error: Exception) -> bool:
    """Tell that the server died in the middle of COPY, for which psycopg2 has no class: its error is a plain one.

    A SystemError comes of an error that psycopg2 left pending while it called Python.
    """
    if isinstance(error, SystemError):
        return isinstance(error.__cause__, psycopg2.OperationalError) or type(error.__cause__) is psycopg2.DatabaseError
    return type(error) is DatabaseError and getattr(error.__cause__, "pgcode", None) is None
