"""How backups stand, for a front page: schedules that ail, and how old the newest verified backup is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min
from django.utils import timezone

from backups.catalogue.told import told_fault
from backups.files.named_stores import without_addresses
from backups.models import Backup, BackupSchedule, Restore, Status
from backups.schedules.run_due import ailing
from backups.tables import all_tables

WAITING_AT_MOST = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Health:
    """``ailing``: a line for each schedule that failed, was missed or cannot run, and for work that no worker takes.

    ``verified_at``: the snapshot of the newest verified backup; ``age``: how long ago that was.
    """

    ailing: tuple[str, ...]
    schedules: int
    verified_at: datetime | None
    age: timedelta | None

    @property
    def well(self) -> bool:
        """Tell that nothing needs somebody's attention."""
        return not self.ailing and self.verified_at is not None


def health_for(user: Any) -> Health:
    """Look at it as ``user`` may be told of it."""
    return health(why=lambda schedule: told_fault(user, schedule.last_error, schedule.tables or all_tables()))


def health(
    *, now: datetime | None = None, why: Callable[[BackupSchedule], str] = lambda schedule: schedule.last_error
) -> Health:
    """Look at the schedules that are on, and at the newest backup that was verified and not made before a restore.

    ``why``: what is said of a schedule that failed.
    """
    moment = now or timezone.now()
    finished = Backup.objects.filter(status=Status.DONE, verified_at__isnull=False)
    asked_for = finished.exclude(origin=Backup.Origin.SAFETY)
    newest: datetime | None = asked_for.aggregate(newest=Max("snapshot_at"))["newest"]
    return Health(
        ailing=(*map(without_addresses, ailing(now=moment, why=why)), *_waiting(moment)),
        schedules=BackupSchedule.objects.filter(enabled=True).count(),
        verified_at=newest,
        age=None if newest is None else moment - newest,
    )


def _waiting(moment: datetime) -> tuple[str, ...]:
    """Say that work waits for a worker."""
    lines = []
    for kind in (Backup, Restore):
        waiting = kind._default_manager.filter(status=Status.QUEUED, started_at__lt=moment - WAITING_AT_MOST)
        since = waiting.aggregate(first=Min("started_at"))["first"]
        if since is not None:
            name = kind._meta.verbose_name_plural
            at = timezone.localtime(since)
            lines.append(f"{name} wait since {at:%Y-%m-%d %H:%M}: is a worker at work (manage.py db_worker)?")
    return tuple(lines)
