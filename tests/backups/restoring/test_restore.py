"""A table brought back: which backup, which mode, what is left as it was."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from backups.backing_up.backup import BackupResult, backup
from backups.models import Backup, Restore
from backups.restoring import transaction as transaction_module
from backups.restoring.restore import RestoreOrder, restore
from core.errors import BackupRefused, DatabaseFailed, TableBusy
from core.postgres.fingerprint import Fingerprint
from core.postgres.locks.held_locks import exclusive
from tests.support.backups.runs import backup_file, built, content, files_in, library, run
from tests.support.loading.loads import query
from tests.support.postgres.sessions import terminate

pytestmark = pytest.mark.usefixtures("committed")
MODES = pytest.mark.parametrize("mode", ["replace", "merge"])


@pytest.fixture
def hundred(store: Path) -> Path:
    """A backup of a hundred shelves."""
    query("insert into shelves (id, name, size) select n, 'shelf ' || n, n from generate_series(1, 100) n")
    return backup_file("shelves", store)


def damage(rows: int) -> None:
    """Change, remove and add rows, so many in all."""
    query("update shelves set size = -1 where id <= %s", rows - 2)
    query("delete from shelves where id = 50")
    query("insert into shelves (id, name, size) values (1000, 'new', 1)")


@MODES
def test_a_damaged_table_is_as_it_was_and_built_as_it_was(mode: str, hundred: Path) -> None:
    before, structure = content("shelves"), built("shelves", "books")
    damage(10)
    run("restore_table", "shelves", "--mode", mode)
    assert (content("shelves"), built("shelves", "books")) == (before, structure)
    assert query("select twice from shelves where id = 7") == [(14,)]


@pytest.mark.parametrize(("rows", "mode"), [(20, "merge"), (21, "replace")])
def test_more_than_a_fifth_that_differs_means_replace(rows: int, mode: str, hundred: Path) -> None:
    damage(rows)
    assert restore(RestoreOrder("shelves")).tables[0].mode == mode


def test_an_empty_table_means_replace_and_no_safety_backup(hundred: Path) -> None:
    before = content("shelves")
    query("truncate shelves cascade")
    (table,) = restore(RestoreOrder("shelves")).tables
    assert (table.mode, table.safety, content("shelves")) == ("replace", None, before)


def test_a_merge_touches_only_the_rows_that_differ(hundred: Path) -> None:
    damage(4)
    places = "select id, ctid::text, xmin::text from shelves where id between 3 and 49 order by id"
    before = query(places)
    (table,) = restore(RestoreOrder("shelves")).tables
    assert (table.added, table.changed, table.removed) == (1, 2, 1)
    assert query(places) == before


def test_a_merge_of_a_table_that_is_compared_by_way_of_the_disk(hundred: Path) -> None:
    before = content("shelves")
    damage(10)
    with mock.patch("backups.hashing.one_sided.PART_ROWS", 7):
        (table,) = restore(RestoreOrder("shelves")).tables
    assert (table.added, table.changed, table.removed, content("shelves")) == (1, 8, 1, before)


@MODES
def test_a_dry_run_says_what_would_change_and_changes_nothing(mode: str, hundred: Path, store: Path) -> None:
    damage(5)
    before, files = content("shelves"), files_in(store)
    said = run("restore_table", "shelves", "--dry-run", "--mode", mode).out
    assert f"100 rows would be restored by {mode}" in said
    assert "1 rows added, 3 changed, 1 removed" in said
    assert re.findall(r"^  ([+~-] .*)$", said, re.M) == [
        "+ name shelf 50",
        *(f"~ name shelf {size}: size -1 -> {size}" for size in (1, 2, 3)),
        "- name new",
    ]
    assert (content("shelves"), files_in(store)) == (before, files)


def test_what_was_there_before_is_backed_up_first(hundred: Path) -> None:
    damage(5)
    before = content("shelves")
    said = run("restore_table", "shelves").out
    safety = Backup.objects.get(origin="safety")
    assert f"what was there before: {safety.path}" in said
    assert Restore.objects.get().safety == safety
    run("restore_table", "shelves", "--from", safety.path, "--no-safety-backup")
    assert content("shelves") == before
    assert Backup.objects.filter(origin="safety").count() == 1


def test_a_safety_backup_is_never_the_newest_one(hundred: Path) -> None:
    before = content("shelves")
    damage(5)
    run("restore_table", "shelves")
    run("restore_table", "shelves")
    assert content("shelves") == before


def test_a_restore_that_changes_nothing_keeps_nothing(hundred: Path) -> None:
    (table,) = restore(RestoreOrder("shelves")).tables
    assert (table.added, table.changed, table.removed, table.safety) == (0, 0, 0, None)


@pytest.fixture
def two_moments(committed: None, store: Path) -> tuple[BackupResult, BackupResult]:
    """Two backups of the library, and between them all shelves were made nine long."""
    library()
    (first,) = backup(["shelves"])
    query("update shelves set size = 9")
    (second,) = backup(["shelves"])
    return first, second


def test_a_moment_names_the_newest_backup_from_before_it(two_moments: tuple[BackupResult, BackupResult]) -> None:
    _, second = two_moments
    run("restore_table", "shelves", "--at", (second.snapshot_at - timedelta(microseconds=1)).isoformat())
    assert query("select size from shelves order by id") == [(1,), (2,), (3,)]


def test_a_moment_before_all_backups_names_none(two_moments: tuple[BackupResult, BackupResult]) -> None:
    first, _ = two_moments
    refused = run("restore_table", "shelves", "--at", (first.snapshot_at - timedelta(days=1)).isoformat(), code=1)
    assert "no verified backup of it from before" in refused.err


@pytest.mark.usefixtures("two_moments")
def test_a_day_names_the_newest_backup_from_before_it() -> None:
    query("update shelves set size = 5")
    run("restore_table", "shelves", "--at", (timezone.localtime() + timedelta(days=1)).date().isoformat())
    assert query("select distinct size from shelves") == [(9,)]


def test_a_moment_that_is_no_time_is_refused() -> None:
    assert "is no time" in run("restore_table", "shelves", "--at", "noon", code=2).err


def test_unique_values_that_moved_find_their_rows_again(store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    before, others = content("shelves"), content("books")
    query("update shelves set name = 'x' where id = 1")
    query("update shelves set name = 'north' where id = 2")
    query("update shelves set name = 'south' where id = 1")
    assert restore(RestoreOrder("shelves", path=str(path), mode="merge")).tables[0].changed == 2
    assert (content("shelves"), content("books")) == (before, others)


def test_unique_values_do_not_move_where_rows_would_be_deleted_with_them(store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    query("create table guests (shelf bigint references shelves on delete cascade)")
    try:
        query("insert into guests values (1)")
        query("update shelves set name = 'x' where id = 1")
        with pytest.raises(BackupRefused, match="a unique value moves"):
            restore(RestoreOrder("shelves", path=str(path), mode="merge"))
        restore(RestoreOrder("shelves", path=str(path), mode="replace"))
        assert query("select shelf from guests") == [(1,)]
        query("update shelves set size = 7 where id = 1")
        restore(RestoreOrder("shelves", path=str(path), mode="merge"))  # no unique value moves
        assert query("select shelf from guests") == [(1,)]
    finally:
        query("drop table guests")


@MODES
def test_the_next_row_gets_a_number_of_its_own(mode: str, hundred: Path) -> None:
    query("delete from shelves where id > 90")
    query("select setval(pg_get_serial_sequence('shelves', 'id'), 5)")
    run("restore_table", "shelves", "--mode", mode)
    ((number,),) = query("insert into shelves (name, size) values ('next', 1) returning id")
    assert number == 101


@MODES
def test_a_merge_lets_readers_in_and_a_replace_waits_for_them(mode: str, hundred: Path) -> None:
    damage(5)
    reader = connection.copy()
    reader.set_autocommit(False)
    with reader.cursor() as cursor:
        cursor.execute("select count(*) from shelves")
        if mode == "merge":
            restore(RestoreOrder("shelves", mode=mode))
            cursor.execute("select count(*) from shelves")
        else:
            with mock.patch("backups.restoring.transaction.LOCK_TIMEOUT_SECONDS", 0.05), pytest.raises(TableBusy):
                restore(RestoreOrder("shelves", mode=mode))
        reader.rollback()
    reader.close()


def test_what_postgresql_makes_of_the_rows_is_compared_before_the_commit(hundred: Path, store: Path) -> None:
    damage(5)
    before, files = content("shelves"), files_in(store)
    for mode in ("replace", "merge"):
        with (
            mock.patch("backups.restoring.transaction.server_fingerprint", return_value=Fingerprint(100, "f" * 16)),
            pytest.raises(DatabaseFailed, match="Nothing was changed"),
        ):
            restore(RestoreOrder("shelves", mode=mode))
        assert content("shelves") == before
    assert files_in(store) == files
    assert set(Restore.objects.values_list("status", flat=True)) == {"failed"}
    assert not Backup.objects.filter(origin="safety").exists()


def test_a_load_at_work_keeps_a_restore_out(hundred: Path) -> None:
    with (
        exclusive(connection, ["shelves"], what="a load", timeout_seconds=1),
        mock.patch("backups.restoring.restore.LOCK_WAIT_SECONDS", 0.05),
        pytest.raises(TableBusy, match="a load"),
    ):
        restore(RestoreOrder("shelves"))


@MODES
def test_a_restore_that_loses_its_locks_changes_nothing(mode: str, hundred: Path) -> None:
    damage(5)
    before, prove = content("shelves"), transaction_module._prove

    def prove_and_end_its_locks(*arguments: Any) -> None:
        prove(*arguments)
        terminate("restore %")

    with (
        mock.patch.object(transaction_module, "_prove", prove_and_end_its_locks),
        pytest.raises(DatabaseFailed, match=r"during the restore \S+: the connection that held its locks was lost"),
    ):
        restore(RestoreOrder("shelves", mode=mode))
    assert content("shelves") == before
    row = Restore.objects.get()
    assert (row.status, row.safety) == ("failed", None)
    assert "held its locks was lost" in row.error


def test_a_restore_keeps_its_state_on_its_own_row(hundred: Path) -> None:
    damage(5)
    report = restore(RestoreOrder("shelves"))
    row = Restore.objects.get()
    assert (str(row.id), row.status, row.mode) == (report.id, "done", "merge")
    assert row.report is not None
    assert row.report["tables"][0]["changed"] == 3
    assert row.finished_at is not None
    assert row.backup == Backup.objects.get(path=str(hundred))
