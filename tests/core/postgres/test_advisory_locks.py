import pytest
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from core.errors import TableBusy
from core.postgres.locks.advisory_locks import held, share
from core.postgres.locks.held_locks import exclusive

SOON = 0.05


def advisory_locks(cursor: CursorWrapper) -> int:
    cursor.execute(
        "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
        " where d.datname = current_database() and l.locktype = 'advisory' and l.granted"
    )
    ((number,),) = cursor.fetchall()
    return int(number)


def free(session: BaseDatabaseWrapper, *tables: str) -> bool:
    try:
        with exclusive(session, tables, what="probe", timeout_seconds=SOON):
            return True
    except TableBusy:
        return False


def test_batches_share_a_table_and_a_load_waits_for_them(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with transaction.atomic():
        share(cursor, ["a", "b"], timeout_seconds=SOON)
        other.set_autocommit(False)
        with other.cursor() as second:
            share(second, ["b"], timeout_seconds=SOON)
        other.rollback()
        other.set_autocommit(True)
        assert not free(other, "b")
        assert free(other, "c")


def test_a_batch_that_meets_a_load_learns_who_loads(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    busy = r"orders: held by load_olist \(pid \d+, user \w+, since 2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)\. Run it again"
    with exclusive(other, ["orders", "items"], what="load_olist", timeout_seconds=SOON):
        with pytest.raises(TableBusy, match=busy):
            share(cursor, ["orders"], timeout_seconds=SOON)
        share(cursor, ["customers"], timeout_seconds=SOON)
    share(cursor, ["orders"], timeout_seconds=SOON)


def test_a_batch_that_waits_for_a_table_holds_only_those_that_come_before_it(
    cursor: CursorWrapper, other: BaseDatabaseWrapper
) -> None:
    third = connection.copy()
    try:
        with exclusive(other, ["b"], what="load", timeout_seconds=SOON), transaction.atomic():
            with pytest.raises(TableBusy):
                share(cursor, ["c", "b", "a"], timeout_seconds=SOON)
            assert free(third, "c")
            assert not free(third, "a")
    finally:
        third.close()


def test_a_second_load_is_refused_and_holds_nothing(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    share(cursor, ["b"], timeout_seconds=SOON)
    before = advisory_locks(cursor)
    with pytest.raises(TableBusy, match="b: held by"), exclusive(other, "ab", what="load", timeout_seconds=SOON):
        pytest.fail("entered")
    assert advisory_locks(cursor) == before
    assert free(other, "a")


def test_whoever_looks_sees_what_is_held_and_what_is_not(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with exclusive(other, ["load 1", "orders"], what="load 1", timeout_seconds=SOON):
        assert held(cursor, ["load 1", "load 2", "orders"]) == {"load 1", "orders"}
    assert held(cursor, ["load 1"]) == frozenset()
    assert held(cursor, []) == frozenset()


def test_who_looks_holds_nothing_and_so_two_who_look_do_not_meet(cursor: CursorWrapper) -> None:
    before = advisory_locks(cursor)
    held(cursor, ["load 1"])
    assert advisory_locks(cursor) == before


def test_a_lock_of_another_program_is_none_of_ours(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with exclusive(other, ["orders"], what="load", timeout_seconds=SOON):
        cursor.execute(
            "select objid::bigint from pg_locks l join pg_database d on d.oid = l.database"
            " where d.datname = current_database() and l.locktype = 'advisory'"
        )
        ((key,),) = cursor.fetchall()
    with other.cursor() as theirs:
        theirs.execute(
            "begin; select pg_advisory_xact_lock(%s::bigint), pg_advisory_xact_lock(1, %s::bit(32)::int)", [key, key]
        )
        assert held(cursor, ["orders"]) == frozenset()
        theirs.execute("rollback")
