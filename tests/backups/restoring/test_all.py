"""All tables of one run: in one transaction, or not at all."""

import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from backups.backing_up.backup import backup
from backups.hashing.row_hashes import server_fingerprint
from backups.models import Backup, Restore
from backups.restoring import transaction as transaction_module
from core.errors import DatabaseFailed
from core.postgres.fingerprint import Fingerprint
from tests.support.backups.runs import FAMILY, built, family, library, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")
MODES = pytest.mark.parametrize("mode", ["replace", "merge"])


@pytest.fixture
def whole(store: Path, settings: Any) -> str:
    """The number of a run of all tables of --all: the library."""
    settings.DATAFORGE_BACKUP_TABLES = ["backups.Shelf", "backups.Book", "backups.Loan"]
    library()
    return str(backup()[0].run)


def spoil() -> None:
    """Change each of the tables."""
    query("insert into shelves (id, name, size) values (7, 'late', 1)")
    query("insert into books (id, shelf_id, title) values (9, 7, 'late')")
    query("delete from loans where id = 2")
    query("update shelves set size = 9 where id = 1")


@MODES
def test_all_tables_of_the_newest_run_come_back_parents_first(mode: str, whole: str) -> None:
    before, structure = family(), built(*FAMILY)
    spoil()
    said = run("restore_table", "--all", "--mode", mode).out
    assert [line.partition(":")[0] for line in said.splitlines() if " rows restored by " in line] == list(FAMILY)
    assert f"run {whole}: verified by fingerprint and committed" in said
    assert (family(), built(*FAMILY)) == (before, structure)


def test_a_lost_database_comes_back(whole: str) -> None:
    before = family()
    query("truncate shelves cascade")
    report = json.loads(run("restore_table", "--all", "--format", "json").out)
    assert {table["mode"] for table in report["tables"]} == {"replace"}
    assert family() == before


def test_a_dry_run_shows_old_and_new_values_by_natural_key_and_changes_nothing(whole: str) -> None:
    spoil()
    before = family()
    said = run("restore_table", "--all", "--dry-run", "--mode", "merge").out.splitlines()
    assert "  ~ name north: size 9 -> 1" in said
    assert "  - name late" in said
    assert "  + id 2" in said
    assert family() == before
    assert set(Restore.objects.values_list("table", "status", "dry_run")) == {(name, "done", True) for name in FAMILY}


def test_json_has_the_differences_with_all_their_values(whole: str) -> None:
    query("update shelves set name = 'x', size = 9 where id = 1")
    report = json.loads(run("restore_table", "--all", "--format", "json").out)
    assert report["run"] == whole
    (shelves,) = (table for table in report["tables"] if table["table"] == "shelves")
    assert shelves["differences"] == [
        {"kind": "~", "key": {"name": "x"}, "old": {"name": "x", "size": "9"}, "new": {"name": "north", "size": "1"}}
    ]


def test_every_table_has_a_row_that_says_what_became_of_it(whole: str) -> None:
    spoil()
    run("restore_table", "--all", "--mode", "merge")
    rows = {row.table: row for row in Restore.objects.all()}
    assert set(rows) == set(FAMILY)
    for table, row in rows.items():
        assert (row.status, row.mode, str(row.run)) == ("done", "merge", whole)
        assert row.backup == Backup.objects.get(table=table, run=whole)
        assert [told["table"] for told in (row.report or {})["tables"]] == [table]
        assert row.safety == Backup.objects.filter(table=table, origin="safety").first()


@MODES
def test_one_table_that_fails_undoes_all(mode: str, whole: str) -> None:
    spoil()
    before = family()

    def of_loans_another(cursor: Any, table: Any, schema: Any) -> Fingerprint:
        return Fingerprint(1, "f" * 16) if "book_id" in schema.names else server_fingerprint(cursor, table, schema)

    with mock.patch.object(transaction_module, "server_fingerprint", of_loans_another):
        refused = run("restore_table", "--all", "--mode", mode, code=DatabaseFailed.exit_code)
    assert "the restore of loans" in refused.err
    assert family() == before
    assert set(Restore.objects.values_list("table", "status")) == {(name, "failed") for name in FAMILY}
    assert all("the restore of loans" in row.error for row in Restore.objects.all())
    assert not Backup.objects.filter(origin="safety").exists()


@MODES
def test_rows_of_other_tables_that_would_lose_their_parent_are_listed(mode: str, store: Path) -> None:
    library()
    query("delete from loans")
    number = str(backup(["shelves", "books"])[0].run)
    query("insert into books (id, shelf_id, title) values (9, 1, 'late')")
    query("insert into loans (id, book_id) values (9, 9)")
    before = family()
    refused = run("restore_table", "--all", "--run", number[:8], "--mode", mode, code=1)
    assert "1 rows of loans (book_id) without a row of books: 9" in refused.err
    said = run("restore_table", "--all", "--run", number[:8], "--mode", mode, "--dry-run").out
    assert "would be refused: 1 rows of loans (book_id) without a row of books: 9" in said
    assert family() == before


@MODES
def test_rows_whose_parent_is_in_no_table_of_the_run_are_listed(mode: str, store: Path) -> None:
    library()
    number = str(backup(["books", "loans"])[0].run)
    query("truncate shelves cascade")
    refused = run("restore_table", "--all", "--run", number, "--mode", mode, code=1)
    assert "rows of books (shelf_id) without a row of shelves: 1, 2" in refused.err


def test_a_newer_run_of_some_tables_is_not_the_newest_complete_one(whole: str) -> None:
    before = family()
    query("update shelves set size = 9")
    partial = str(backup(["shelves"])[0].run)
    run("restore_table", "--all")
    assert family() == before
    run("restore_table", "--all", "--run", partial[:8])
    assert query("select distinct size from shelves") == [(9,)]


def test_without_a_complete_run_it_is_said_what_the_newest_one_lacks(whole: str) -> None:
    Backup.objects.filter(table="loans").delete()
    refused = run("restore_table", "--all", code=1)
    assert f"the newest, {whole[:8]}, has none of loans" in refused.err


def test_a_safety_run_is_not_chosen(whole: str) -> None:
    before = family()
    spoil()
    run("restore_table", "--all", "--mode", "replace")
    run("restore_table", "--all")
    assert family() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name the table, or give --all."),
        (["shelves", "--all"], "Name the table, or give --all."),
        (["--all", "--with-children"], "neither --from nor --with-children"),
        (["--all", "--from", "x.parquet"], "neither --from nor --with-children"),
        (["shelves", "--run", "0123abcd"], "--run goes with --all"),
        (["--all", "--run", "0123abcd", "--fallback"], "--fallback goes without"),
        (["--all", "--run", "%"], "'%' is no run"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: list[str], said: str, store: Path) -> None:
    assert said in run("restore_table", *arguments, code=2).err


def test_a_run_that_nobody_knows_is_refused(whole: str) -> None:
    assert "the catalogue has no such run" in run("restore_table", "--all", "--run", "00000000", code=1).err
