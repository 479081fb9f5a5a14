"""Parents and children: nobody is left without a parent, and a family comes back from one snapshot."""

from pathlib import Path

import pytest

from backups.backing_up.backup import backup
from backups.restoring.restore import RestoreOrder, restore
from core.errors import BackupRefused
from tests.support.backups.runs import FAMILY, built, family, library, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")
MODES = pytest.mark.parametrize("mode", ["replace", "merge"])


@pytest.fixture
def kept(store: Path) -> dict[str, str]:
    """The path of the backup of each of the family."""
    library()
    return {result.table: result.path for result in backup(FAMILY)}


@MODES
@pytest.mark.parametrize("way", [(), ("--dry-run",)])
def test_children_that_would_be_left_without_a_parent_are_listed(
    mode: str, way: tuple[str, ...], kept: dict[str, str]
) -> None:
    query("insert into shelves (id, name, size) values (7, 'late', 1)")
    query("insert into books (id, shelf_id, title) values (9, 7, 'late')")
    before = family()
    ran = run("restore_table", "shelves", "--mode", mode, *way, code=0 if way else 1)
    assert "1 rows of books (shelf_id) without a row of shelves: 7" in (ran.out if way else ran.err)
    assert "--with-children" in ran.err or way
    assert family() == before


@MODES
def test_rows_whose_own_parent_is_gone_are_listed(mode: str, kept: dict[str, str]) -> None:
    query("delete from loans")
    query("delete from books")
    query("delete from shelves where id = 2")
    refused = run("restore_table", "books", "--mode", mode, code=1)
    assert "2 rows of books (shelf_id) without a row of shelves: 2" in refused.err
    assert query("select count(*) from books") == [(0,)]


@MODES
def test_with_children_a_family_comes_back_from_one_snapshot(mode: str, kept: dict[str, str]) -> None:
    before, structure = family(), built(*FAMILY)
    query("insert into shelves (id, name, size) values (7, 'late', 1)")
    query("insert into books (id, shelf_id, title) values (9, 7, 'late')")
    query("insert into loans (id, book_id) values (9, 9)")
    query("delete from loans where id = 2")
    query("delete from books where id = 3")
    query("update shelves set name = 'x' where id = 1")
    said = run("restore_table", "shelves", "--mode", mode, "--with-children").out
    assert all(f"{table}: " in said for table in FAMILY)
    assert (family(), built(*FAMILY)) == (before, structure)


@MODES
def test_a_parent_comes_back_while_its_children_stay(mode: str, kept: dict[str, str]) -> None:
    before = family()
    query("update shelves set size = 9 where id = 1")
    query("delete from shelves where id = 3")
    run("restore_table", "shelves", "--mode", mode)
    assert family() == before


def test_a_lost_family_comes_back(kept: dict[str, str]) -> None:
    before = family()
    query("truncate shelves cascade")
    run("restore_table", "shelves", "--with-children")
    assert family() == before


def test_a_family_is_found_beside_its_head_without_a_catalogue(kept: dict[str, str]) -> None:
    from backups.models import Backup

    before = family()
    backup(FAMILY)
    Backup.objects.all().delete()
    query("truncate shelves cascade")
    restore(RestoreOrder("shelves", path=kept["shelves"], with_children=True))
    assert family() == before


def test_a_child_without_a_backup_of_the_same_snapshot_is_named(kept: dict[str, str]) -> None:
    (alone,) = backup(["shelves"])
    with pytest.raises(BackupRefused, match="no backup of books of the same snapshot"):
        restore(RestoreOrder("shelves", path=alone.path, with_children=True))


def test_backups_of_different_moments_do_not_fit_and_are_refused(kept: dict[str, str]) -> None:
    query("delete from loans")
    query("delete from books")
    query("delete from shelves where id = 2")
    backup(["shelves"])
    query("truncate shelves cascade")
    run("restore_table", "shelves")
    assert "without a row of shelves: 2" in run("restore_table", "books", code=1).err
