"""Locks that outlast the transactions of their owner, and die with it."""

import re
import threading
import time
from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from core.errors import DatabaseFailed, TableBusy
from core.postgres.locks import held_locks as module
from core.postgres.locks.advisory_locks import held, share
from core.postgres.locks.held_locks import exclusive, held_locks
from core.postgres.locks.long_transactions import end_with_its_client
from tests.support.postgres.sessions import aside, terminate, transaction_elsewhere

SOON = 0.05


def test_a_lock_outlasts_transactions_of_its_owner_and_goes_with_the_block(
    cursor: CursorWrapper, other: BaseDatabaseWrapper
) -> None:
    def stopped_load() -> None:
        with exclusive(other, ["orders"], what="load", timeout_seconds=SOON), other.cursor() as inner:
            inner.execute("begin; select 1; commit")
            assert held(cursor, ["orders"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_load()
    assert not held(cursor, ["orders"])


def test_the_owner_s_connection_may_end_and_the_lock_stays(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with exclusive(other, ["orders"], what="load", timeout_seconds=SOON) as locks:
        other.close()
        locks.assert_held()
        assert held(cursor, ["orders"])
    assert not held(cursor, ["orders"])


def test_a_lost_connection_lets_go_and_whoever_is_about_to_commit_is_told_so(
    cursor: CursorWrapper, other: BaseDatabaseWrapper
) -> None:
    with exclusive(other, ["orders"], what="load 6f1c", timeout_seconds=SOON) as locks:
        locks.assert_held()
        terminate("load 6f1c")
        assert not held(cursor, ["orders"])
        lost = r"during the load 6f1c: the connection that held its locks was lost \(.+\), so others .* run it again"
        for _ in range(2):
            with pytest.raises(DatabaseFailed, match=lost):
                locks.assert_held()


def test_more_locks_may_be_taken_beside_those_that_are_held(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with (
        exclusive(connection, ["orders"], what="a load", timeout_seconds=SOON),
        held_locks(other, what="restore") as locks,
    ):
        locks.take(["restore 1"], timeout_seconds=SOON)
        with pytest.raises(TableBusy, match="held by a load"):
            locks.take(["customers", "orders"], timeout_seconds=SOON)
        assert held(cursor, ["restore 1", "customers"]) == {"restore 1"}
        locks.take(["customers"], timeout_seconds=SOON)
        assert held(cursor, ["restore 1", "customers"]) == {"restore 1", "customers"}
    assert not held(cursor, ["restore 1", "customers"])


def test_its_transaction_keeps_nothing_from_being_vacuumed(cursor: CursorWrapper, other: BaseDatabaseWrapper) -> None:
    with exclusive(other, ["orders"], what="load 6f1c", timeout_seconds=SOON):
        cursor.execute(
            "select state, backend_xmin, backend_xid from pg_stat_activity"
            " where datname = current_database() and application_name = 'load 6f1c'"
        )
        assert cursor.fetchall() == [("idle in transaction", None, None)]


@pytest.fixture
def rounds() -> Iterator[None]:
    """Waiting in short rounds."""
    with mock.patch.multiple(module, _ROUND_SECONDS=0.1, _SLICE_SECONDS=0.05):
        yield


@pytest.mark.usefixtures("rounds", "committed")
def test_whoever_waits_for_long_gets_the_tables_when_they_are_free(other: BaseDatabaseWrapper) -> None:
    def wait() -> float:
        assert begun.wait(5)
        with exclusive(connection, ["a", "b"], what="second", timeout_seconds=20):
            return time.monotonic()

    begun = threading.Event()
    with aside(wait) as (waiting,):
        with exclusive(other, ["b"], what="first", timeout_seconds=SOON):
            begun.set()
            time.sleep(0.5)
            assert not waiting.done()
            held_until = time.monotonic()
        assert held_until <= waiting.result(5) < held_until + 3


@pytest.mark.usefixtures("rounds", "committed")
def test_meanwhile_others_share_the_tables_that_are_free(other: BaseDatabaseWrapper) -> None:
    def wait() -> None:
        with exclusive(connection, ["a", "b"], what="second", timeout_seconds=2):
            pytest.fail("entered")

    with exclusive(other, ["b"], what="first", timeout_seconds=SOON), aside(wait) as (waiting,):
        time.sleep(0.3)
        with transaction_elsewhere() as batch:
            share(batch, ["a"], timeout_seconds=0.5)
        with pytest.raises(TableBusy, match="b: held by first"):
            waiting.result(10)


@pytest.mark.usefixtures("rounds", "committed")
def test_batches_that_share_a_table_one_after_the_other_do_not_keep_a_load_out_for_ever(
    other: BaseDatabaseWrapper,
) -> None:
    def batches() -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until and not done:
            with transaction_elsewhere() as batch:
                try:
                    share(batch, ["a"], timeout_seconds=1)
                except TableBusy:
                    continue
                time.sleep(0.05)

    done: list[bool] = []
    with aside(batches, batches):
        time.sleep(0.1)
        begun = time.monotonic()
        with exclusive(other, ["a"], what="load", timeout_seconds=4):
            assert time.monotonic() - begun < 3
            done.append(True)


TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


@pytest.mark.parametrize("name", TIMEOUTS)
def test_no_timeout_of_the_server_ends_it(name: str, cursor: CursorWrapper) -> None:
    impatient = connection.copy()
    impatient.settings_dict["OPTIONS"]["options"] = f"-c {name}=200ms"
    with exclusive(impatient, ["orders"], what="load", timeout_seconds=SOON) as locks:
        time.sleep(0.5)
        locks.assert_held()
        assert held(cursor, ["orders"])


def test_the_server_lets_go_of_it_a_minute_after_the_machine_vanished() -> None:
    cursor = mock.Mock()
    end_with_its_client(cursor)
    ((statement,), _) = cursor.execute.call_args
    settings = dict(re.findall(r"set local (\w+) = (\d+)", statement))
    idle, interval, count = (int(settings[f"tcp_keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + interval * count == 60
    assert int(settings["tcp_user_timeout"]) == 60_000
