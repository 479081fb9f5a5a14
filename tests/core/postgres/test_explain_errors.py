"""Errors of the database in words, and others left as they are."""

import psycopg2
import psycopg2.errors
import pyarrow as pa
import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from core.errors import DatabaseFailed
from core.postgres.copy_out import copy_out_batches
from core.postgres.explain_errors import explained
from tests.support.postgres.wires import cut

NUMBERS = "select n from generate_series(1, 2000000) as n"
LOST = "The database failed during the work: the connection was lost. See whether the server runs"


def caused(error: Exception, cause: Exception) -> Exception:
    """Return the error as ``raise error from cause`` leaves it."""
    error.__cause__ = cause
    return error


def read_and_cut(cursor: CursorWrapper) -> None:
    """Copy many rows out, and end the connection after the first ones."""
    for number, _ in enumerate(copy_out_batches(cursor, NUMBERS, schema=pa.schema([("n", pa.int64())]))):
        if number == 0:
            cut(cursor.connection)


def test_a_server_that_goes_in_the_middle_of_a_copy_is_a_lost_connection(other: BaseDatabaseWrapper) -> None:
    with other.cursor() as cursor, pytest.raises(DatabaseFailed) as failed, explained("the work"):
        read_and_cut(cursor)
    assert type(failed.value.__cause__) is DatabaseError
    assert str(failed.value).startswith(LOST)
    assert failed.value.exit_code == 3


@pytest.mark.parametrize(
    "cause", [psycopg2.DatabaseError("error with status PGRES_COPY_OUT"), psycopg2.errors.AdminShutdown("told to stop")]
)
def test_a_lost_connection_that_python_found_pending_is_one(cause: Exception) -> None:
    pending = caused(SystemError("<function decode> returned a result with an exception set"), cause)
    with pytest.raises(DatabaseFailed) as failed, explained("the work"):
        raise pending
    assert str(failed.value).startswith(LOST)


class CodedError(psycopg2.DatabaseError):
    """An error of a class that psycopg2 does not know."""

    pgcode = "XX999"


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("a key is there twice"),
        DataError("a number is too large"),
        caused(DatabaseError("something"), CodedError()),
        SystemError("of Python itself"),
        caused(SystemError("of Python itself"), psycopg2.errors.UniqueViolation("a key is there twice")),
    ],
)
def test_what_tells_of_no_lost_connection_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)) as passed, explained("the work"):
        raise error
    assert passed.value is error


def test_other_errors_of_the_connection_keep_their_own_words() -> None:
    with pytest.raises(DatabaseFailed, match="the work: server closed the connection"), explained("the work"):
        raise OperationalError("server closed the connection unexpectedly\n\tThis probably means")
