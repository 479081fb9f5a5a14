"""A schedule whose store the settings lost: its runs fail with one sentence, and nothing else is harmed."""

from pathlib import Path

import pytest

from backups.models import Backup, BackupSchedule
from tests.support.backups.runs import library, run

pytestmark = pytest.mark.usefixtures("committed")
LOST = (
    "store 'lost': the settings have no such store, but default. Name it in BACKUP_STORES again, or choose another one."
)


@pytest.fixture
def lost(store: Path) -> BackupSchedule:
    """A schedule that is due and whose store is gone, beside one that is due and well."""
    library()
    made = [
        BackupSchedule.objects.create(name=name, cron="30 3 * * *", tables=[], store=name)
        for name in ("lost", "default")
    ]
    BackupSchedule.objects.update(created_at="2026-03-01T00:00Z", tables=["shelves", "backups.Book"])
    return made[0]


def test_its_run_is_failed_table_by_table_and_says_why(lost: BackupSchedule) -> None:
    said = run("run_scheduled_backups", code=1)
    assert f"lost: {LOST}" in said.err
    rows = Backup.objects.filter(schedule=lost)
    assert set(rows.values_list("table", "status", "origin", "error", "path")) == {
        (table, "failed", "schedule", LOST, "") for table in ("shelves", "books")
    }
    lost.refresh_from_db()
    assert lost.last_error == LOST
    assert lost.last_finished_at is not None


def test_the_other_schedules_run(lost: BackupSchedule) -> None:
    assert "default: 2 tables backed up" in run("run_scheduled_backups", code=1).out


def test_it_is_not_due_again_before_its_next_time(lost: BackupSchedule) -> None:
    run("run_scheduled_backups", code=1)
    again = run("run_scheduled_backups", code=1)
    assert f"lost: cannot run: {LOST}" in again.err  # it ails
    assert Backup.objects.filter(schedule=lost).values("run").distinct().count() == 1


def test_its_older_backups_stay_and_may_be_pruned_and_restored(lost: BackupSchedule, store: Path) -> None:
    run("run_scheduled_backups", code=1)
    Backup.objects.filter(status="done").update(schedule=lost)
    run("prune_backups", "--yes")
    assert Backup.objects.filter(status="done").count() == 2
    run("restore_table", "shelves")


def test_with_the_name_back_it_runs_again(lost: BackupSchedule, settings: object, tmp_path: Path) -> None:
    run("run_scheduled_backups", code=1)
    settings.DATAFORGE_BACKUP_STORES = {"lost": str(tmp_path / "found")}  # type: ignore[attr-defined]
    BackupSchedule.objects.update(last_started_at="2026-03-01T00:00Z", last_finished_at="2026-03-01T00:00Z")
    assert "lost: 2 tables backed up" in run("run_scheduled_backups").out


def test_a_schedule_whose_table_is_gone_fails_too_and_keeps_no_other(lost: BackupSchedule) -> None:
    BackupSchedule.objects.filter(pk=lost.pk).update(tables=["gone"], store="default")
    said = run("run_scheduled_backups", code=1)
    assert "lost: gone: no model has such a table." in said.err
    assert "default: 2 tables backed up" in said.out
    assert not Backup.objects.filter(schedule=lost).exists()
