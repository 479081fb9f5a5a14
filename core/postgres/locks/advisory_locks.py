"""One advisory lock a table: batches share it, loads and restores take it alone.

They are PostgreSQL's, so a lost connection lets go of them by itself, and waiting sharers queue behind a waiting load.
Tables are always locked in the order of their names, so that two sessions cannot wait for each other.
"""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

from core.errors import TableBusy
from core.postgres.locks import lock_timeouts
from core.postgres.tables import Cursor

# The first of the two numbers of every key: keeps our locks apart from those of other programs in the same database.
LOCK_CLASS = 0x0DA7AF06
_UINT32 = 1 << 32
_MAX_NAME_BYTES = 63  # PostgreSQL cuts application_name there


@contextmanager
def exclusive(
    connection: BaseDatabaseWrapper, tables: Iterable[str], *, what: str, timeout_seconds: float
) -> Iterator[None]:
    """Hold ``tables`` alone, over as many transactions as the block needs; within a transaction, until its end.

    ``what`` (such as "load_olist") is the session's ``application_name`` meanwhile, which others see in their
    ``TableBusy``. ``TableBusy`` after ``timeout_seconds`` in all, with nothing held.
    """
    names = sorted(set(tables))
    if connection.in_atomic_block:  # it may be rolled back, and then could not run the statements that let go
        with connection.cursor() as cursor:
            _take_all(cursor, "pg_{}advisory_xact_lock", names, timeout_seconds)
        yield
        return
    connection.ensure_connection()
    session = connection.connection
    held: list[str] = []
    before = _rename(connection, what)
    try:
        with _transaction(connection) as cursor:
            _take_all(cursor, "pg_{}advisory_lock", names, timeout_seconds, held=held)
        yield
    finally:
        if connection.connection is session:
            _release(connection, held, before)


def share(cursor: Cursor, tables: Iterable[str], *, timeout_seconds: float) -> None:
    """Share ``tables`` with other sharers until the end of the transaction.

    ``TableBusy`` after ``timeout_seconds`` in all: roll back then.
    """
    names = sorted(set(tables))
    # In one round where all are free. It stops at the first that is not: to hold a later one while waiting for that
    # would be another order than everybody's. One taken twice is still one.
    free_from_here = "true"
    for _ in names:
        free_from_here = f"case when pg_try_advisory_xact_lock_shared(%s, %s) then {free_from_here} else false end"
    cursor.execute(f"select {free_from_here}", [number for name in names for number in (LOCK_CLASS, _key(name))])
    ((free,),) = cursor.fetchall()
    if free:
        return
    _take_all(cursor, "pg_{}advisory_xact_lock_shared", names, timeout_seconds)


def try_claim(cursor: Cursor, name: str) -> bool:
    """Take ``name`` alone until the end of the transaction; False, at once, where another session has it.

    Names are hashed to 64 bits, in a space of their own.
    """
    cursor.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    ((free,),) = cursor.fetchall()
    return bool(free)


def _key(table: str) -> int:
    """Hash a table's name to a signed 32-bit number; two tables of one hash merely share their lock."""
    number = zlib.crc32(table.encode())
    return number - _UINT32 if number >= _UINT32 // 2 else number


def _take_all(
    cursor: Cursor, function: str, tables: list[str], timeout_seconds: float, *, held: list[str] | None = None
) -> None:
    deadline = lock_timeouts.Deadline(timeout_seconds)
    for table in tables:
        key = [LOCK_CLASS, _key(table)]
        cursor.execute(f"select {function.format('try_')}(%s, %s)", key)
        ((free,),) = cursor.fetchall()
        if not free and not lock_timeouts.take(
            cursor, f"select {function.format('')}(%s, %s)", deadline, parameters=key
        ):
            raise TableBusy(
                tables=table,
                holder=lock_timeouts.holders(
                    cursor, locktype="advisory", classid=LOCK_CLASS, ids=[_key(table) % _UINT32]
                ),
                remedy="Run it again when that has ended.",
            )
        if held is not None:
            held.append(table)


def _rename(connection: BaseDatabaseWrapper, name: str) -> str:
    """Set the session's name; return the one before."""
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('application_name')")
        ((before,),) = cursor.fetchall()
        cut = name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
        cursor.execute("select set_config('application_name', %s, false)", [cut])
    return str(before)


@contextmanager
def _transaction(connection: BaseDatabaseWrapper) -> Iterator[Cursor]:
    """Open a transaction on just this connection (``atomic`` takes an alias, and another thread's has the same)."""
    connection.set_autocommit(False)
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.set_autocommit(True)


def _release(connection: BaseDatabaseWrapper, tables: list[str], name: str) -> None:
    try:
        with connection.cursor() as cursor:
            for table in reversed(tables):
                cursor.execute("select pg_advisory_unlock(%s, %s)", [LOCK_CLASS, _key(table)])
        _rename(connection, name)
    except (DatabaseError, InterfaceError):
        if not connection.connection.closed:
            raise
