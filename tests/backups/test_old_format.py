"""Format 1, made by commit 974f16d: a uuid as Parquet's own, the manifest beside each file. Good for ever."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backups.backing_up.backup import backup
from backups.catalogue.prune import prune
from backups.models import Backup, BackupSchedule
from tests.support.backups.every_kind import every_kind
from tests.support.backups.runs import content, files_in, library, run
from tests.support.loading.loads import PROJECT, query

pytestmark = pytest.mark.usefixtures("committed")
KEPT = PROJECT / "tests" / "data" / "backups_of_format_1"
TABLES = ("books", "loans", "shelves", "specimens")


@pytest.fixture
def old(store: Path) -> Path:
    """A store as a release with format 1 left it, in the catalogue again."""
    shutil.copytree(KEPT, store)
    assert "4 manifests, 4 of them new to the catalogue." in run("list_backups", "--scan").out
    run("verify_backup", "--all", "--drill")
    return store


def test_they_are_listed_and_verified_by_a_drill(old: Path) -> None:
    newest = run("list_backups", "--latest", "--format", "paths").out.splitlines()
    assert [Path(path).parent for path in newest] == [old / table for table in TABLES]


def test_their_files_are_still_those(old: Path) -> None:
    (path,) = (old / "specimens").glob("*.parquet")
    assert pq.read_schema(path).field("key").type == pa.uuid()


def test_every_kind_of_column_comes_back(old: Path) -> None:
    every_kind()
    as_it_was = content("specimens")
    query("truncate specimens")
    run("restore_table", "specimens")
    assert content("specimens") == as_it_was
    run("restore_table", "specimens", "--mode", "merge")
    assert content("specimens") == as_it_was


def test_children_of_the_same_snapshot_are_found_where_the_catalogue_does_not_know_them(old: Path) -> None:
    library()
    as_it_was = [content(table) for table in TABLES[:3]]
    query("truncate shelves cascade")
    Backup.objects.all().delete()
    (path,) = (old / "shelves").glob("*.parquet")
    run("restore_table", "shelves", "--from", path, "--with-children", "--no-safety-backup")
    assert [content(table) for table in TABLES[:3]] == as_it_was


def test_a_backup_of_today_stands_beside_them_and_is_the_newest(old: Path) -> None:
    library()
    backup(["shelves"])
    assert len(run("list_backups", "shelves").out.splitlines()) == 3
    (newest,) = run("list_backups", "shelves", "--latest", "--format", "paths").out.splitlines()
    assert Path(newest).name == "shelves.parquet"


def test_a_schedule_prunes_them_with_their_manifests(old: Path) -> None:
    library()
    schedule = BackupSchedule.objects.create(name="nightly", cron="0 3 * * *", keep_last=1)
    Backup.objects.filter(table="shelves").update(schedule=schedule, snapshot_at=datetime(2026, 1, 1, tzinfo=UTC))
    backup(["shelves"], schedule=schedule, origin=Backup.Origin.SCHEDULE)
    (gone,) = prune(yes=True)
    assert Path(gone.path).parent == old / "shelves"
    assert not [name for name in files_in(old) if name.startswith("shelves/")]
