"""Database errors in the words of the person who can mend them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import psycopg2.errors
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connections,
)
from psycopg2 import errorcodes

from core.errors import DatabaseFailed, DatabaseUnavailable
from core.postgres.engine.settings_at_fault import setting_at_fault

_MIGRATE = "Run `manage.py migrate` against this database; its role must see that schema (search_path, USAGE)."
_REMEDIES = {
    "53100": "The server's disk is full: free space there, then run it again; what was not finished was not kept.",
    "53200": "The server is out of memory: lower its load or work_mem, then run it again.",
    "53300": "The server has no connection left: close some, or raise max_connections.",
    "55P03": "Another transaction holds the table: find it in pg_stat_activity, then run it again.",
    "57P01": "The server was stopped: start it, then run it again; what was not finished was not kept.",
    errorcodes.RAISE_EXCEPTION: "A trigger or function of the database refuses it: mend what it names, or that.",
}
# What the database lacks: a table, a column, a right. To try again does not help; an administrator does.
_LACKING = {
    errorcodes.INSUFFICIENT_PRIVILEGE: "",  # see ``_grant``
    errorcodes.UNDEFINED_TABLE: _MIGRATE,
    errorcodes.UNDEFINED_COLUMN: _MIGRATE,
    errorcodes.UNDEFINED_FUNCTION: _MIGRATE,
    errorcodes.UNDEFINED_OBJECT: _MIGRATE,
    errorcodes.INVALID_SCHEMA_NAME: _MIGRATE,
    errorcodes.FEATURE_NOT_SUPPORTED: "Something about the table keeps rows from being written or read in bulk, such "
    "as row level security: the role must own the table, or have BYPASSRLS.",
}
_LOST = "See whether the server runs and DATABASE_URL is right, then run it again; what was not finished was not kept."
# What PostgreSQL says in English; in other languages the remedy is general.
_DENIED = re.compile(r'permission denied for (table|view|sequence|schema) "?(.+?)"?$')
_NOT_OWNED = re.compile(r'must be owner of (table|sequence|view|index) "?(.+?)"?$')
_RIGHTS = {
    "table": "SELECT, INSERT, UPDATE, DELETE ON",
    "view": "SELECT ON",
    "sequence": "USAGE, SELECT, UPDATE ON SEQUENCE",
    "schema": "USAGE ON SCHEMA",
}
_OF_THE_SERVER = (OperationalError, InterfaceError, ProgrammingError, InternalError, NotSupportedError)


@contextmanager
def explained(work: str) -> Iterator[None]:
    """Turn errors of the connection or the server during ``work`` into DatabaseUnavailable or DatabaseFailed."""
    try:
        yield
    except (*_OF_THE_SERVER, psycopg2.errors.InvalidCursorName) as raised:
        error = _origin(raised)
        code = getattr(error.__cause__, "pgcode", None)
        problem = _first_line(error) or type(error).__name__
        if fault := setting_at_fault(error):
            remedy = f"{fault[0].upper()}{fault[1:]}, then run it again; what was not finished was not kept."
            raise DatabaseFailed(work=work, problem=problem, remedy=remedy) from error
        if code is None and isinstance(error, OperationalError) and "connection to server" in problem:
            raise DatabaseUnavailable(problem=problem, remedy=_LOST) from error
        if code is None and not isinstance(error, OperationalError | InterfaceError):
            raise
        remedy = _remedy(error) or _REMEDIES.get(code or "", _LOST)
        raise DatabaseFailed(work=work, problem=problem, remedy=remedy) from error
    except (DatabaseError, SystemError) as error:
        if not _is_cut_copy(error):
            raise
        raise DatabaseFailed(work=work, problem="the connection was lost", remedy=_LOST) from error


def lacking(error: BaseException) -> str | None:
    """Say which table, column or right the database lacks, and what to do; None where ``error`` tells of none.

    The text names objects of the database, and nothing that a client sent: it may be logged.
    """
    if isinstance(error, DatabaseFailed) and error.__cause__ is not None:  # as ``explained`` left it
        return lacking(error.__cause__)
    error = _origin(error)
    remedy = _remedy(error)
    return f"{_first_line(error)}. {remedy}" if remedy else None


def _origin(error: BaseException) -> BaseException:
    """Return what kept a named cursor from being opened: psycopg2 cannot close it then, and tells only of that."""
    hidden = isinstance(error, psycopg2.errors.InvalidCursorName) and error.__context__
    return hidden or error


def _remedy(error: BaseException) -> str | None:
    """Say what gives the database what it lacks."""
    code = getattr(error.__cause__, "pgcode", None)
    if code == errorcodes.INSUFFICIENT_PRIVILEGE:
        return _grant(_first_line(error), _role(error))
    return _LACKING.get(code or "")


def _grant(problem: str, role: str) -> str:
    """Write the statement that gives a role what it lacks."""
    if match := _DENIED.search(problem):
        kind, name = match.groups()
        return f"As the owner, run: GRANT {_RIGHTS[kind]} {name} TO {role}; (docs/database.md)"
    if match := _NOT_OWNED.search(problem):
        kind, name = match.groups()
        return f"As the owner or a superuser, run: ALTER {kind.upper()} {name} OWNER TO {role}; (docs/database.md)"
    return f"Give that right to {role}, or make it the owner of the project's tables (docs/database.md)."


def _role(error: BaseException) -> str:
    """Name who was at work, as far as the error still knows."""
    cursor = getattr(error.__cause__, "cursor", None)
    connection = getattr(cursor, "connection", None)
    logged_in = connection.info.user if connection is not None and not connection.closed else ""
    user = logged_in or connections[DEFAULT_DB_ALIAS].settings_dict["USER"]
    return f'"{user}"' if user else "the site's role"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def _is_cut_copy(error: Exception) -> bool:
    """Tell that the server died in the middle of COPY, for which psycopg2 has no class: its error is a plain one.

    A SystemError comes of an error that psycopg2 left pending while it called Python.
    """
    if isinstance(error, SystemError):
        return isinstance(error.__cause__, psycopg2.OperationalError) or type(error.__cause__) is psycopg2.DatabaseError
    return type(error) is DatabaseError and getattr(error.__cause__, "pgcode", None) is None
