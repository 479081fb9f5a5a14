"""Processes that are killed, writers at work, a user with no rights but to its own tables."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from backups.backing_up.backup import backup
from backups.backing_up.verify import verify
from backups.files.store import Store
from backups.models import Backup, Restore
from backups.restoring.restore import RestoreOrder, restore
from core.postgres.locks.advisory_locks import share
from tests.support.backups.runs import all_tables, backup_file, built, content, library, run, spawn
from tests.support.loading.loads import query
from tests.support.postgres.sessions import wait_until

pytestmark = pytest.mark.usefixtures("committed")
PATIENCE_SECONDS = 30
FAMILY = ("shelves", "books")
BACKUP = (
    "from backups.backing_up.backup import backup; from backups.files.store import Store;"
    "print('ready', flush=True); backup(['shelves', 'books'], store=Store({store!r})); print('done', flush=True)"
)
RESTORE = (
    "from backups.restoring.restore import RestoreOrder, restore;"
    "order = RestoreOrder('shelves', mode={mode!r}, with_children=True);"
    "print('ready', flush=True); restore(order); print('done', flush=True)"
)


def fill(rows: int) -> None:
    """Make so many shelves, with a book on each."""
    query("insert into shelves (id, name, size) select n, 'shelf ' || n, n %% 9 from generate_series(1, %s) n", rows)
    query("insert into books (id, shelf_id, title) select n, n, 'book ' || n from generate_series(1, %s) n", rows)


def kill_within(code: str, seconds: float) -> bool:
    """Run ``code`` in a process of its own and kill it so long after it began; tell whether it was done by then."""
    process = spawn(code)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()
    time.sleep(seconds)
    process.kill()
    out, _ = process.communicate()
    wait_until(
        lambda: (
            not query(
                "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
                " and backend_type = 'client backend'"
            )
        )
    )
    return "done" in out


def kill_backups(store: Path, *, seed: int, kills: int) -> None:
    moments = random.Random(seed)
    for _ in range(kills):
        before = Backup.objects.filter(status="done").count()
        done = kill_within(BACKUP.format(store=str(store)), moments.uniform(0, 0.6))
        finished = Backup.objects.filter(status="done")
        assert finished.count() - before == (len(FAMILY) if done else 0) or finished.count() == before + len(FAMILY)
        for row in finished:
            assert verify(row.path).rows == row.rows
        for told in store.glob("_manifests/*/*.json"):  # whatever a scan would find is whole
            verify(str(store / told.parent.name / told.stem / f"{told.stem}.parquet"), catalogue=False)
    backup(FAMILY, store=Store(str(store)))
    assert not Backup.objects.filter(status="running").exists()
    assert {row.error for row in Backup.objects.filter(status="failed")} <= {"The process ended before the backup did."}


def kill_restores(store: Path, *, seed: int, kills: int) -> None:
    backup(FAMILY, store=Store(str(store)))
    new = [content(table) for table in FAMILY]
    structure = built(*FAMILY)
    moments = random.Random(seed)
    for number in range(kills):
        query("update shelves set size = size + 1 where id %% 10 = %s", number % 10)
        query("delete from books where id %% 7 = 1")
        old = [content(table) for table in FAMILY]
        mode = moments.choice(("replace", "merge"))
        done = kill_within(RESTORE.format(mode=mode), moments.uniform(0, 1.0))
        contents = [content(table) for table in FAMILY]
        assert contents == new if done else contents in (old, new)
        assert built(*FAMILY) == structure
    run("restore_table", "shelves", "--with-children")
    assert [content(table) for table in FAMILY] == new
    assert not Restore.objects.filter(status="running").exists()


@pytest.mark.slow
def test_a_backup_killed_at_a_random_moment_leaves_none_or_whole_ones(store: Path) -> None:
    fill(5_000)
    kill_backups(store, seed=1, kills=1)


@pytest.mark.slow
def test_a_restore_killed_at_a_random_moment_leaves_the_old_rows_or_the_new(store: Path) -> None:
    fill(5_000)
    kill_restores(store, seed=1, kills=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 4))
def test_backups_and_restores_killed_many_times(seed: int, store: Path) -> None:
    fill(60_000)
    kill_backups(store, seed=seed, kills=10)
    kill_restores(store, seed=seed, kills=10)


def patience() -> AbstractContextManager[object]:
    """Wait for locks as long as a slow machine needs."""
    return mock.patch("backups.restoring.restore.LOCK_WAIT_SECONDS", PATIENCE_SECONDS)


@contextmanager
def at_work(work: Callable[[BaseDatabaseWrapper, int], None]) -> Iterator[None]:
    """Let another session do ``work`` over and over."""
    stop, failures = threading.Event(), list[BaseException]()

    def run_it() -> None:
        session = connection.copy()
        try:
            number = 0
            while not stop.is_set():
                number += 1
                work(session, number)
        except BaseException as failure:
            failures.append(failure)
        finally:
            session.close()
            connection.close()

    thread = threading.Thread(target=run_it)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failures, failures


def test_with_writers_and_a_replace_at_work_all_tables_of_a_run_fit_and_none_is_empty(store: Path) -> None:
    fill(3_000)
    (first, _) = backup(FAMILY)

    def write(session: BaseDatabaseWrapper, number: int) -> None:
        with session.cursor() as cursor:
            key = 100_000 + number
            cursor.execute("begin")
            share(cursor, FAMILY, timeout_seconds=PATIENCE_SECONDS)  # as batches do
            cursor.execute(
                "insert into shelves (id, name, size) values (%s, %s, 1);"
                " insert into books (id, shelf_id, title) values (%s, %s, 't'); commit",
                [key, f"new {key}", key, key],
            )

    def replace(session: BaseDatabaseWrapper, number: int) -> None:
        restore(RestoreOrder("shelves", path=first.path, mode="replace", with_children=True), safety_backup=False)

    with patience(), at_work(write), at_work(replace):
        for _ in range(6):
            shelves, books = sorted(backup(FAMILY), key=lambda result: result.table, reverse=True)
            assert shelves.rows >= 3_000
            assert books.rows == shelves.rows
            assert orphans(shelves.path, books.path) == 0


def orphans(shelves: str, books: str) -> int:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    known = pc.is_in(pq.read_table(books)["shelf_id"], value_set=pq.read_table(shelves)["id"])
    return pc.sum(pc.invert(known)).as_py() or 0


@pytest.fixture
def plain_owner(committed: None) -> Iterator[None]:
    """Be a user that owns the project's tables, and has no other right."""
    tables = all_tables()
    query("drop role if exists plain")
    query("create role plain nosuperuser nocreatedb nocreaterole")
    query("grant all on schema public to plain; grant select on django_migrations, auth_user to plain")
    query("grant references on auth_user to plain")
    for table in tables:
        query(f"alter table {table} owner to plain")

    def become_plain(connection: BaseDatabaseWrapper, **_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("set role plain")

    connection_created.connect(become_plain)
    query("set role plain")
    try:
        yield
    finally:
        connection_created.disconnect(become_plain)
        query("reset role")
        for table in tables:
            query(f"alter table {table} owner to current_user")
        query("drop owned by plain; drop role plain")


@pytest.fixture
def backed_up_by_plain_owner(plain_owner: None, store: Path) -> Path:
    """A backup of the shelves that a plain owner of the tables made."""
    assert query("select current_user::text, usesuper from pg_user where usename = session_user")[0][0] == "plain"
    library()
    return backup_file("shelves", store)


@pytest.mark.usefixtures("backed_up_by_plain_owner")
@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_a_plain_owner_of_the_tables_restores_them(mode: str) -> None:
    before = content("shelves")
    query("update shelves set size = 9 where id = 1")
    run("restore_table", "shelves", "--mode", mode)
    assert content("shelves") == before


def test_a_plain_owner_of_the_tables_verifies_a_backup_by_a_drill(backed_up_by_plain_owner: Path) -> None:
    run("verify_backup", backed_up_by_plain_owner, "--drill")


def test_a_restore_whose_process_died_is_closed_by_the_next_one(store: Path) -> None:
    library()
    backup_file("shelves", store)
    Restore.objects.create(table="shelves", path="x", status="running")
    run("restore_table", "shelves")
    assert set(Restore.objects.values_list("status", flat=True)) == {"failed", "done"}


def test_an_error_in_the_callers_transaction_takes_the_restore_back(store: Path) -> None:
    library()
    backup_file("shelves", store)
    query("update shelves set size = 9 where id = 1")
    before = content("shelves")
    with transaction.atomic():
        restore(RestoreOrder("shelves"))
        transaction.set_rollback(True)
    assert content("shelves") == before
