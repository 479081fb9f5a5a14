"""One advisory lock a table: batches share it, loads and restores take it alone. And one for each work that runs.

All of them are held by a transaction and go with it: a lock of a session would stay on it behind a pooler. Waiting
sharers queue behind a waiting load. Tables are always locked in the order of their names, so that two sessions cannot
wait for each other.
"""

import zlib
from collections.abc import Iterable, Sequence

from core.errors import TableBusy
from core.postgres.locks import lock_timeouts
from core.postgres.tables import Cursor

# The first of the two numbers of every key: keeps our locks apart from those of other programs in the same database.
LOCK_CLASS = 0x0DA7AF06
_UINT32 = 1 << 32
# Of some keys, those that any session holds. Takes none itself, so two that look at once do not take each other for
# an owner.
_HELD = """
select distinct objid::bigint from pg_locks
where locktype = 'advisory' and granted and objsubid = 2 and classid::bigint = %s and objid::bigint = any(%s)
  and database = (select oid from pg_database where datname = current_database())
"""


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
    if not free:
        _take_all(cursor, "pg_{}advisory_xact_lock_shared", names, timeout_seconds)


def take_alone(cursor: Cursor, names: Sequence[str], *, timeout_seconds: float) -> None:
    """Take ``names``, in their order, alone until the end of the transaction; see ``held_locks`` for a longer time.

    ``TableBusy`` after ``timeout_seconds`` in all: roll back then.
    """
    _take_all(cursor, "pg_{}advisory_xact_lock", names, timeout_seconds)


def wait_for_sharing(cursor: Cursor, name: str, *, timeout_seconds: float) -> bool:
    """Share ``name`` as soon as nobody holds it alone; False where that was not so in time."""
    deadline, key = lock_timeouts.Deadline(timeout_seconds), [LOCK_CLASS, _key(name)]
    return lock_timeouts.take(cursor, "select pg_advisory_xact_lock_shared(%s, %s)", deadline, parameters=key)


def try_claim(cursor: Cursor, name: str) -> bool:
    """Take ``name`` alone until the end of the transaction; False, at once, where another session has it.

    Names are hashed to 64 bits, in a space of their own.
    """
    cursor.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    ((free,),) = cursor.fetchall()
    return bool(free)


def held(cursor: Cursor, names: Iterable[str]) -> frozenset[str]:
    """Return those of ``names`` that any session holds at this moment, by one look at all."""
    keys = {name: _key(name) % _UINT32 for name in names}
    cursor.execute(_HELD, [LOCK_CLASS, list(keys.values())])
    found = {key for (key,) in cursor.fetchall()}
    return frozenset(name for name, key in keys.items() if key in found)


def _key(name: str) -> int:
    """Hash a name to a signed 32-bit number; two of one hash merely share their lock."""
    number = zlib.crc32(name.encode())
    return number - _UINT32 if number >= _UINT32 // 2 else number


def _take_all(cursor: Cursor, function: str, names: Sequence[str], timeout_seconds: float) -> None:
    deadline = lock_timeouts.Deadline(timeout_seconds)
    for name in names:
        key = [LOCK_CLASS, _key(name)]
        cursor.execute(f"select {function.format('try_')}(%s, %s)", key)
        ((free,),) = cursor.fetchall()
        if not free and not lock_timeouts.take(
            cursor, f"select {function.format('')}(%s, %s)", deadline, parameters=key
        ):
            raise TableBusy(
                tables=name,
                holder=lock_timeouts.holders(
                    cursor, locktype="advisory", classid=LOCK_CLASS, ids=[_key(name) % _UINT32]
                ),
                remedy="Run it again when that has ended.",
            )
