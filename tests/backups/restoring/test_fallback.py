"""A damaged newest backup: the next good one is named, and taken where that was asked for."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backups.backing_up.backup import backup
from backups.models import Backup, Restore
from tests.support.backups.runs import content, library, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def damaged(store: Path, settings: Any) -> tuple[Path, Path]:
    """An older sound run of the library, two days old, and a newer one whose file of the shelves is damaged."""
    settings.DATAFORGE_BACKUP_TABLES = ["backups.Shelf", "backups.Book"]
    library()
    older = Path(backup()[0].path)
    Backup.objects.update(snapshot_at=timezone.now() - timedelta(days=2))
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    newer = Path(backup()[0].path)
    newer.write_bytes(newer.read_bytes()[:-10])
    return older, newer


WAYS = pytest.mark.parametrize("which", [["shelves"], ["--all"]])


@WAYS
@pytest.mark.parametrize("known", [False, True])
def test_the_next_good_one_is_named_and_nothing_is_changed(
    known: bool,  # noqa: FBT001
    which: list[str],
    damaged: tuple[Path, Path],
) -> None:
    older, newer = damaged
    if known:
        run("verify_backup", newer, code=1)
    query("update shelves set size = 9")
    before = content("shelves")
    for _ in range(2):  # what was found the first time changes nothing about the answer
        refused = run("restore_table", *which, code=1)
        named = str(older) if which == ["shelves"] else f"run {Backup.objects.get(path=str(older)).run}"
        assert f"The next good one is {named}" in refused.err
        assert "2 days old and 2 days older: --fallback takes it" in refused.err
        assert str(newer) in refused.err
    assert content("shelves") == before
    assert set(Restore.objects.values_list("status", flat=True)) == {"failed"}


@WAYS
@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_a_fallback_says_how_old_it_is_and_how_many_rows_differ(
    mode: str, which: list[str], damaged: tuple[Path, Path]
) -> None:
    older, newer = damaged
    query("update shelves set size = 9 where id = 1")
    said = run("restore_table", *which, "--fallback", "--mode", mode).out
    assert "2 days old and 2 days older" in said
    assert "3 rows of shelves where that had 4" in said
    assert "0 rows added, 1 changed, 1 removed" in said
    assert str(newer) in said
    assert query("select id, size from shelves order by id") == [(1, 1), (2, 2), (3, 3)]
    assert Restore.objects.get(table="shelves").path == str(older)


def test_where_no_older_one_is_sound_either_that_is_said(damaged: tuple[Path, Path]) -> None:
    damaged[0].unlink()
    refused = run("restore_table", "shelves", "--fallback", code=1)
    assert "No older one is sound either" in refused.err


def test_a_sound_newest_one_needs_no_fallback(store: Path) -> None:
    library()
    backup(["shelves"])
    assert "Taken instead" not in run("restore_table", "shelves", "--fallback").out


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_folder_is_verified_with_all_there_is(ending: str, damaged: tuple[Path, Path], store: Path) -> None:
    older, newer = damaged
    ran = run("verify_backup", f"{store}{ending}", code=1)
    assert ran.out.count(": whole (") == 3
    assert f"{older}: whole" in ran.out
    assert f"{newer} is not the backup that was written" in ran.err


def test_a_prefix_of_a_bucket_is_verified_with_all_there_is(bucket: object, store: Path) -> None:
    library()
    backup_to = "s3://safe/nightly"
    run("backup_table", "shelves", "books", "--to", backup_to)
    for place in (backup_to, f"{backup_to}/", "s3://safe/"):
        assert run("verify_backup", place).out.count(": whole (") == 2


def test_a_place_without_backups_is_no_success(tmp_path: Path, store: Path) -> None:
    assert "no backup lies there" in run("verify_backup", tmp_path, code=2).err
    assert "is not there" in run("verify_backup", tmp_path / "nowhere", code=2).err
