"""A copy of a store is a second place of its backups, and any place that is what was written will do."""

import shutil
from pathlib import Path

import pytest

from backups.backing_up.backup import backup
from backups.catalogue.liveness import alive, backup_name
from backups.models import Backup, Restore
from tests.support.backups.runs import backup_file, content, library, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def shelves(store: Path) -> Path:
    library()
    return backup_file("shelves", store)


@pytest.fixture
def copied(shelves: Path, store: Path, tmp_path: Path) -> Path:
    """The same file in a copy of the store, which a scan was shown."""
    shutil.copytree(store, tmp_path / "copy")
    assert "1 of them new" in run("list_backups", "--scan", tmp_path / "copy").out
    return tmp_path / "copy" / shelves.relative_to(store)


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def test_a_scan_of_a_copy_leaves_the_original_as_it_was(shelves: Path, copied: Path) -> None:
    original, copy = Backup.objects.get(path=str(shelves)), Backup.objects.get(path=str(copied))
    assert (original.run, original.table, original.sha256) == (copy.run, copy.table, copy.sha256)
    assert original.verified_at is not None
    assert copy.verified_at is None
    listed = run("list_backups", "shelves").out
    assert str(shelves) in listed
    assert str(copied) in listed


def test_a_second_scan_of_a_copy_finds_nothing_new(copied: Path) -> None:
    assert "0 of them new" in run("list_backups", "--scan", copied.parents[2]).out


def test_the_original_is_taken_while_it_is_sound(shelves: Path, copied: Path) -> None:
    run("verify_backup", copied)
    said = run("restore_table", "shelves").out
    assert f"from {shelves}" in said
    assert "passed over" not in said


@pytest.mark.parametrize("damage", [spoil, Path.unlink])
def test_a_copy_is_taken_where_the_original_is_damaged_or_gone(damage: object, shelves: Path, copied: Path) -> None:
    before = content("shelves")
    query("update shelves set size = 9")
    assert callable(damage)
    damage(shelves)
    said = run("restore_table", "shelves").out
    assert f"from {copied}" in said
    assert f"passed over {shelves}" in said
    assert content("shelves") == before
    row = Restore.objects.get()
    assert (row.path, row.backup) == (str(copied), Backup.objects.get(path=str(copied)))


def test_a_damaged_place_does_not_count_as_verified_any_more(shelves: Path, copied: Path) -> None:
    spoil(shelves)
    run("restore_table", "shelves")
    assert Backup.objects.get(path=str(shelves)).verified_at is None


def test_where_no_place_is_sound_each_is_named(shelves: Path, copied: Path) -> None:
    before = content("shelves")
    query("update shelves set size = 9")
    now = content("shelves")
    spoil(shelves)
    spoil(copied)
    refused = run("restore_table", "shelves", code=1)
    assert str(shelves) in refused.err
    assert str(copied) in refused.err
    assert content("shelves") == now != before


def test_a_copied_child_is_taken_where_the_original_is_gone(store: Path, tmp_path: Path) -> None:
    library()
    paths = {result.table: Path(result.path) for result in backup(["shelves", "books", "loans"])}
    before = content("books")
    shutil.copytree(store, tmp_path / "copy")
    run("list_backups", "--scan", tmp_path / "copy")
    paths["books"].unlink()
    query("truncate shelves cascade")
    run("restore_table", "shelves", "--with-children")
    assert content("books") == before


def test_a_copy_of_what_a_restore_kept_is_not_chosen(shelves: Path, store: Path, tmp_path: Path) -> None:
    before = content("shelves")
    query("update shelves set size = 9")
    run("restore_table", "shelves")
    shutil.copytree(store, tmp_path / "copy")
    run("list_backups", "--scan", tmp_path / "copy")
    run("verify_backup", "--all")
    run("restore_table", "shelves")
    assert content("shelves") == before


def test_what_a_restore_kept_is_not_chosen_when_the_catalogue_was_lost(shelves: Path, store: Path) -> None:
    before = content("shelves")
    query("update shelves set size = 9")
    run("restore_table", "shelves")
    Backup.objects.all().delete()
    run("list_backups", "--scan")
    run("verify_backup", "--all")
    run("restore_table", "shelves")
    assert content("shelves") == before


def test_a_file_that_was_pruned_and_is_there_again_is_found_again(shelves: Path) -> None:
    Backup.objects.update(status="pruned")
    assert "1 of them new" in run("list_backups", "--scan").out
    row = Backup.objects.get()
    assert (row.status, row.origin, row.verified_at) == ("done", "found", None)


def test_what_a_process_at_work_is_about_to_enter_is_left_to_it(shelves: Path) -> None:
    row = Backup.objects.get()
    Backup.objects.update(status="running", path=str(shelves.parents[2]))
    with alive(backup_name(row.run)):
        assert "0 of them new" in run("list_backups", "--scan").out
    assert "1 of them new" in run("list_backups", "--scan").out
    assert Backup.objects.get().path == str(shelves)
