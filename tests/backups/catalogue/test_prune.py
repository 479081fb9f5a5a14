"""What a schedule keeps, what goes, and what never goes."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from uuid import uuid4

import pytest

from backups.backing_up.backup import backup
from backups.catalogue.prune import kept_by, prune, prune_after
from backups.models import Backup, BackupSchedule
from backups.restoring.restore import RestoreOrder, restore
from core.errors import SourceUnreadable
from tests.support.backups.runs import files_in, library, manifest_of, name_of, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")


def kept(moments: list[datetime], **keep: int) -> list[datetime]:
    rows = [Backup(id=uuid4(), snapshot_at=moment) for moment in sorted(moments, reverse=True)]
    wanted = kept_by(BackupSchedule(**{"keep_last": 0, "time_zone": "UTC", **keep}), rows)
    return [row.snapshot_at for row in rows if row.id in wanted and row.snapshot_at]


def days(count: int, *, hour: int = 3) -> list[datetime]:
    last = datetime(2026, 11, 24, hour, tzinfo=UTC)
    return [last - timedelta(days=number) for number in range(count)]


def test_the_last_ones_are_kept() -> None:
    assert kept(days(5), keep_last=2) == days(2)


def test_the_newest_of_each_day_week_and_month_is_kept() -> None:
    twice = days(70) + days(70, hour=1)
    assert kept(twice, keep_daily=3) == days(3)
    assert [moment.day for moment in kept(twice, keep_weekly=3)] == [24, 22, 15]
    assert [(moment.month, moment.day) for moment in kept(twice, keep_monthly=3)] == [(11, 24), (10, 31), (9, 30)]
    assert kept(twice, keep_last=1, keep_daily=2, keep_monthly=2) == [*days(2), datetime(2026, 10, 31, 3, tzinfo=UTC)]


def test_days_are_those_of_the_schedules_time_zone() -> None:
    late = [datetime(2026, 11, 24, 2, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC)]  # both are the 23rd there
    assert len(kept(late, keep_daily=5)) == 2
    assert len(kept(late, keep_daily=5, time_zone="America/Sao_Paulo")) == 1  # type: ignore[arg-type] # the zone's name


def put(paths: list[Path]) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")


@pytest.fixture
def weekly(store: Path) -> BackupSchedule:
    """A schedule that keeps one of the four backups that it made."""
    library()
    made = BackupSchedule.objects.create(name="weekly", cron="0 3 * * 1", keep_last=1)
    for _ in range(4):
        backup(["shelves"], schedule=made, origin=Backup.Origin.SCHEDULE)
    return made


def test_what_would_go_is_said_and_goes_only_with_yes(weekly: BackupSchedule, store: Path) -> None:
    before = files_in(store)
    said = run("prune_backups").out
    assert said.count("would remove ") == 3
    assert "3 files. Nothing was removed: --yes does it." in said
    assert files_in(store) == before
    run("prune_backups", "--yes")
    (left,) = Backup.objects.filter(status="done")
    assert set(files_in(store)) == {
        str(path.relative_to(store)) for path in (Path(left.path), manifest_of(Path(left.path)))
    }
    assert Backup.objects.filter(status="pruned").count() == 3
    assert prune() == ()
    assert run("list_backups").out.count("\n") == 2


def test_a_schedule_that_ran_removes_what_it_does_not_keep_and_nothing_else(
    weekly: BackupSchedule, store: Path
) -> None:
    other = BackupSchedule.objects.create(name="other", cron="0 4 * * 1", keep_last=1, enabled=False)
    for _ in range(2):
        backup(["shelves"], schedule=other, origin=Backup.Origin.SCHEDULE)
    by_hand = backup(["shelves"])[0].path
    BackupSchedule.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC), tables=["shelves"])
    assert ", 4 older backups removed" in run("run_scheduled_backups").out
    left = Backup.objects.filter(status="done")
    assert [left.filter(schedule=schedule).count() for schedule in (weekly, other)] == [1, 2]
    assert {name_of(path) for path in left.values_list("path", flat=True)} == {
        name for name in files_in(store) if name.endswith(".parquet")
    }
    assert Path(by_hand).exists()


def test_the_last_verified_one_stays_when_the_run_removes_and_a_place_that_forbids_it_is_said(
    weekly: BackupSchedule, store: Path
) -> None:
    BackupSchedule.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC), tables=["shelves"])
    with mock.patch("backups.catalogue.prune._remove", side_effect=SourceUnreadable(path="x", problem="p", remedy="r")):
        assert "The backups were made." in run("run_scheduled_backups", code=1).err
    weekly.refresh_from_db()
    newest = Backup.objects.order_by("-snapshot_at")[0]
    Backup.objects.exclude(pk=newest.pk).update(verified_at=None)
    weekly.keep_last = 0
    assert {file.id for file in prune_after(weekly)} == {row.pk for row in Backup.objects.exclude(pk=newest.pk)}


def test_the_last_verified_one_of_a_table_never_goes(weekly: BackupSchedule) -> None:
    oldest = Backup.objects.order_by("snapshot_at")[0]
    Backup.objects.exclude(pk=oldest.pk).update(verified_at=None)
    prune(yes=True)
    newest = Backup.objects.order_by("-snapshot_at")[0]
    assert set(Backup.objects.filter(status="done")) == {oldest, newest}


def test_what_was_asked_for_by_hand_stays(weekly: BackupSchedule) -> None:
    backup(["shelves"])
    backup(["shelves"])
    prune(yes=True)
    assert Backup.objects.filter(status="done", origin="asked").count() == 2


def test_of_those_before_a_restore_the_last_three_stay(store: Path) -> None:
    library()
    backup(["shelves"])
    for number in range(5):
        query("update shelves set size = %s", 100 + number)
        restore(RestoreOrder("shelves"))
    prune(yes=True)
    assert Backup.objects.filter(status="done", origin="safety").count() == 3


def test_what_a_killed_process_left_goes_after_a_day(weekly: BackupSchedule, store: Path) -> None:
    prune(yes=True)
    run_folder = "20260101T030000.000001Z-0a1b2c3d"
    left = [
        store / run_folder / "shelves" / "shelves.parquet",
        store / run_folder / "books" / ".books.parquet.part",
        store / "_manifests" / run_folder / ".shelves.json.part",
        store / "_safety" / run_folder / "shelves" / "shelves.parquet",
        store / "shelves" / ".shelves-20260101T030000Z-0a1b2c3d.parquet.part",
        store / "shelves" / "shelves-20260101T030000Z-0a1b2c3e.parquet",
        store / "shelves" / ".shelves-20260101T030000Z-0a1b2c3f.parquet.manifest.json.part",
    ]
    put(left)
    assert prune() == ()
    for path in left:
        os.utime(path, (1, 1))
    assert {file.path for file in prune(yes=True)} == {str(path) for path in left}
    assert not any(path.exists() for path in left)
    assert not (store / run_folder).exists()


def test_what_a_backup_would_not_have_named_so_stays(weekly: BackupSchedule, store: Path) -> None:
    strange = [
        store / "report.parquet",
        store / "shelves" / "shelves.parquet",
        store / "shelves" / "shelves-2.parquet",
        store / ".notes.part",
        store / "20260101T030000.000001Z-0a1b2c3d" / "shelves" / "books.parquet",
    ]
    put(strange)
    for path in strange:
        os.utime(path, (1, 1))
    prune(yes=True)
    assert all(path.exists() for path in strange)
