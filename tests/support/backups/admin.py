"""Pages of backups in the admin, and a backup to be shown there."""

from typing import Any

from django.test import Client

from backups.backing_up.backup import backup
from backups.models import Backup
from tests.support.backups.runs import library

CATALOGUE = "backups/backup/"
SCHEDULES = "backups/backupschedule/"


def send(client: Client, path: str, **data: Any) -> Any:
    """Post a form below ``/admin/`` and follow where it leads."""
    return client.post(f"/admin/{path}", data, secure=True, follow=True)


def shelves() -> Backup:
    """Back the shelves up."""
    library()
    backup(["shelves"])
    return Backup.objects.get()
