"""Work that is planned in one process and carried out in another keeps its state on its own rows."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backups.backing_up.backup import plan_backup, run_backup
from backups.catalogue.liveness import close_abandoned
from backups.models import Backup, Restore
from backups.restoring.restore import RestoreOrder, plan_restore, run_restore
from backups.schedules.health import health
from core.errors import BackupDamaged, SourceUnreadable
from tests.support.backups.runs import backup_file, content, library
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")
LONG = timedelta(minutes=11)


def test_a_backup_is_queued_then_running_then_done(store: Path) -> None:
    library()
    rows = plan_backup(["shelves", "books"])
    close_abandoned()
    assert set(Backup.objects.values_list("status", flat=True)) == {"queued"}
    seen: list[str] = []
    run_backup(rows, on_table=lambda table: seen.append(Backup.objects.get(table=table).status))
    assert seen == ["running", "running"]
    assert set(Backup.objects.values_list("status", "run")) == {("done", rows[0].run)}


def test_what_cannot_be_planned_leaves_no_row() -> None:
    with pytest.raises(SourceUnreadable):
        plan_backup(["shelves", "nowhere"])
    assert not Backup.objects.exists()


@pytest.fixture
def unbegun(committed: None) -> None:
    """A backup and a restore that no worker begins."""
    plan_backup(["shelves"])
    Restore.objects.create(table="shelves", path="x")


@pytest.mark.usefixtures("unbegun")
def test_what_was_just_queued_is_no_fault_of_the_worker() -> None:
    assert not any("worker" in line for line in health().ailing)


@pytest.mark.usefixtures("unbegun")
def test_what_no_worker_begins_is_said_to_wait() -> None:
    ailing = health(now=timezone.now() + LONG).ailing
    assert [line.partition(" ")[0] for line in ailing] == ["backups", "restores"]


@pytest.mark.usefixtures("unbegun")
def test_what_no_worker_begins_has_not_failed_while_it_may_still_begin() -> None:
    close_abandoned(now=timezone.now() + LONG)
    assert not Backup.objects.filter(status="failed").exists()


@pytest.mark.usefixtures("unbegun")
def test_what_no_worker_begins_has_failed_after_a_day() -> None:
    close_abandoned(now=timezone.now() + LONG + timedelta(days=1))
    for kind in (Backup, Restore):
        assert "Nobody began it" in kind._default_manager.get(status="failed").error


@pytest.fixture
def backed_up(committed: None, store: Path) -> Path:
    """The newest backup of the shelves."""
    library()
    return backup_file("shelves", store)


def test_a_restore_is_queued_with_the_backup_that_it_is_of(backed_up: Path) -> None:
    row = plan_restore(RestoreOrder("shelves"))
    assert (row.status, row.path) == ("queued", str(backed_up))


@pytest.mark.usefixtures("backed_up")
def test_a_restore_that_was_queued_is_done() -> None:
    before = content("shelves")
    query("update shelves set size = 7")
    row = plan_restore(RestoreOrder("shelves"))
    run_restore(Restore.objects.get(pk=row.pk))
    row.refresh_from_db()
    assert (row.status, content("shelves")) == ("done", before)


def test_a_restore_of_a_backup_that_was_damaged_meanwhile_has_failed(backed_up: Path) -> None:
    row = plan_restore(RestoreOrder("shelves"))
    backed_up.write_bytes(b"PAR1")
    with pytest.raises(BackupDamaged):
        run_restore(row)
    row.refresh_from_db()
    assert row.status == "failed"
    assert "bytes, and had" in row.error
