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


def test_what_no_worker_begins_is_said_to_wait_and_after_a_day_to_have_failed() -> None:
    plan_backup(["shelves"])
    Restore.objects.create(table="shelves", path="x")
    assert not any("worker" in line for line in health().ailing)
    later = timezone.now() + timedelta(minutes=11)
    assert [line.partition(" ")[0] for line in health(now=later).ailing] == ["backups", "restores"]
    close_abandoned(now=later)
    assert not Backup.objects.filter(status="failed").exists()
    close_abandoned(now=later + timedelta(days=1))
    for kind in (Backup, Restore):
        assert "Nobody began it" in kind._default_manager.get(status="failed").error


def test_a_restore_is_queued_then_done_or_failed(store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    before = content("shelves")
    query("update shelves set size = 7")
    row = plan_restore(RestoreOrder("shelves"))
    assert (row.status, row.path) == ("queued", str(path))
    run_restore(Restore.objects.get(pk=row.pk))
    row.refresh_from_db()
    assert (row.status, content("shelves")) == ("done", before)
    again = plan_restore(RestoreOrder("shelves"))
    path.write_bytes(b"PAR1")
    with pytest.raises(BackupDamaged):
        run_restore(again)
    again.refresh_from_db()
    assert again.status == "failed"
    assert "bytes, and had" in again.error
