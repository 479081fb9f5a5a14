"""Work that is planned in one process and carried out in another keeps its state on its own rows."""

from pathlib import Path

import pytest

from backups.backup import mark_dead, plan_backup, run_backup
from backups.models import Backup, Restore
from backups.restore import plan_restore, run_restore
from dataforge.errors import BackupDamaged, SourceUnreadable
from tests.backups.runs import backup_file, content, library, query

pytestmark = pytest.mark.usefixtures("committed")


def test_a_backup_is_queued_then_running_then_done(store: Path) -> None:
    library()
    rows = plan_backup(["shelves", "books"])
    mark_dead()
    assert set(Backup.objects.values_list("status", flat=True)) == {"queued"}
    seen: list[str] = []
    run_backup(rows, on_table=lambda table: seen.append(Backup.objects.get(table=table).status))
    assert seen == ["running", "running"]
    assert set(Backup.objects.values_list("status", "run")) == {("done", rows[0].run)}


def test_what_cannot_be_planned_leaves_no_row() -> None:
    with pytest.raises(SourceUnreadable):
        plan_backup(["shelves", "nowhere"])
    assert not Backup.objects.exists()


def test_a_restore_is_queued_then_done_or_failed(store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    before = content("shelves")
    query("update shelves set size = 7")
    row = plan_restore("shelves")
    assert (row.status, row.path) == ("queued", str(path))
    run_restore(Restore.objects.get(pk=row.pk))
    row.refresh_from_db()
    assert (row.status, content("shelves")) == ("done", before)
    again = plan_restore("shelves")
    path.write_bytes(b"PAR1")
    with pytest.raises(BackupDamaged):
        run_restore(again)
    again.refresh_from_db()
    assert again.status == "failed"
    assert "bytes, and had" in again.error
