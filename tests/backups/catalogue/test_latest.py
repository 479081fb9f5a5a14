"""``list_backups --latest --format paths``: for scripts, the newest good backup of each table, one a line."""

from pathlib import Path

import pytest

from backups.models import Backup
from backups.restoring.restore import RestoreOrder, restore
from tests.support.backups.runs import backup_file, library, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")
PATHS = ("--latest", "--format", "paths")


def paths(*tables: str) -> list[str]:
    return run("list_backups", *tables, *PATHS).out.splitlines()


@pytest.fixture
def books_and_shelves(store: Path) -> list[str]:
    """The newest backup of books, and that of shelves, of two each."""
    library()
    newest = []
    for table in ("shelves", "books"):
        backup_file(table, store)
        newest.append(str(backup_file(table, store)))
    return newest[::-1]


def test_of_each_table_the_newest_is_named_by_table(books_and_shelves: list[str]) -> None:
    assert paths() == books_and_shelves


def test_tables_that_are_named_come_in_that_order(books_and_shelves: list[str]) -> None:
    assert paths("shelves", "backups.Book") == books_and_shelves[::-1]


def test_without_latest_all_are_named(books_and_shelves: list[str]) -> None:
    said = run("list_backups", "--format", "paths").out.splitlines()
    assert len(said) == 4
    assert set(books_and_shelves) < set(said)


def test_latest_alone_is_a_table_of_these(books_and_shelves: list[str]) -> None:
    said = run("list_backups", "--latest").out.splitlines()
    assert [line.split()[-1] for line in said[1:]] == books_and_shelves


def test_one_that_was_found_damaged_is_not_good(books_and_shelves: list[str]) -> None:
    books, shelves = map(Path, books_and_shelves)
    books.write_bytes(b"PAR1")
    run("verify_backup", books, code=1)
    older, newest = paths()
    assert (newest, Path(older).name) == (str(shelves), "books.parquet")
    assert older < str(books)


def test_what_a_restore_kept_is_not_the_newest_good_one(books_and_shelves: list[str]) -> None:
    query("update shelves set size = 9")
    restore(RestoreOrder("shelves"))
    assert Backup.objects.filter(origin="safety").count() == 1
    assert paths() == books_and_shelves


def test_a_table_without_a_good_one_is_refused_and_no_line_printed(books_and_shelves: list[str]) -> None:
    refused = run("list_backups", "shelves", "loans", *PATHS, code=1)
    assert refused.out == ""
    assert "loans: the catalogue has no verified backup of it" in refused.err


def test_what_a_scan_says_is_no_path(books_and_shelves: list[str]) -> None:
    ran = run("list_backups", "--scan", *PATHS)
    assert ran.out.splitlines() == books_and_shelves
    assert "4 manifests" in ran.err


def test_nothing_known_is_no_line(store: Path) -> None:
    assert run("list_backups", *PATHS).out == ""
