import pytest
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from core.errors import TableBusy
from core.postgres.locks.advisory_locks import exclusive, share

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
    busy = r"orders: held by load_olist \(pid \d+, since 2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)\. Run it again"
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


def test_the_lock_spans_transactions_and_goes_with_the_block(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    def stopped_load() -> None:
        with exclusive(other, ["orders"], what="load", timeout_seconds=SOON), other.cursor() as inner:
            inner.execute("begin; select 1; commit")
            assert advisory_locks(cursor) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_load()
    assert advisory_locks(cursor) == 0
    with other.cursor() as inner:
        inner.execute("show application_name")
        assert inner.fetchone() == ("",)


def test_within_a_transaction_the_lock_lasts_until_its_end(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with transaction.atomic():
        with exclusive(connection, ["orders"], what="load", timeout_seconds=SOON):
            pass
        assert not free(other, "orders")
        transaction.set_rollback(True)
    assert free(other, "orders")


def test_a_lost_connection_lets_go(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with exclusive(other, ["orders"], what="load", timeout_seconds=SOON):
        assert other.connection is not None
        cursor.execute("select pg_terminate_backend(%s, 5000)", [other.connection.get_backend_pid()])
    assert advisory_locks(cursor) == 0


def test_a_connection_that_was_closed_in_the_block_is_not_opened_again(other: BaseDatabaseWrapper) -> None:
    with exclusive(other, ["orders"], what="load", timeout_seconds=SOON):
        other.close()
    assert other.connection is None
    assert free(other, "orders")
