"""Whether the process of a backup or restore still lives: it holds a lock that PostgreSQL drops with its connection."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from backups.models import Backup, Restore, Status
from core.errors import DataForgeError
from core.postgres.locks.advisory_locks import held
from core.postgres.locks.held_locks import HeldLocks, exclusive

QUEUED_AT_MOST = timedelta(days=1)

_NOBODY = f"Nobody began it within {QUEUED_AT_MOST.total_seconds() / 3600:.0f} hours: is a worker at work?"


@contextmanager
def alive(*works: str) -> Iterator[HeldLocks]:
    """Hold the locks of ``works``, names as ``backup_name`` gives them; more may be taken beside them.

    ``TableBusy`` where another process holds one of them.
    """
    with exclusive(connection, works, what=works[0], timeout_seconds=1) as locks:
        yield locks


def close_abandoned(*, now: datetime | None = None) -> None:
    """Mark as failed what is running by the books and whose process has ended, and what nobody began within a day.

    The killed process cannot do so. Called by whatever reads the state of backups and restores, or begins new ones.
    """
    moment = now or timezone.now()
    # Read, then looked for, then read again: a lock goes after the books say how the work ended, never before.
    runs = set(Backup.objects.filter(status=Status.RUNNING).values_list("run", flat=True))
    restores = set(Restore.objects.filter(status=Status.RUNNING).values_list("pk", flat=True))
    if runs or restores:
        living = living_of([*map(backup_name, runs), *map(restore_name, restores)])
        dead = [run for run in runs if backup_name(run) not in living]
        Backup.objects.filter(run__in=dead, status=Status.RUNNING).update(
            status=Status.FAILED, error="The process ended before the backup did."
        )
        Restore.objects.filter(
            pk__in=[pk for pk in restores if restore_name(pk) not in living], status=Status.RUNNING
        ).update(
            status=Status.FAILED,
            error="The process ended before the restore did: nothing was changed.",
            finished_at=moment,
        )
    late = {"status": Status.QUEUED, "started_at__lt": moment - QUEUED_AT_MOST}
    Backup.objects.filter(**late).update(status=Status.FAILED, error=_NOBODY)
    Restore.objects.filter(**late).update(status=Status.FAILED, error=_NOBODY, finished_at=moment)


def living_of(works: Iterable[str]) -> frozenset[str]:
    """Return those of ``works`` whose process lives."""
    with connection.cursor() as cursor:
        return held(cursor, works)


def backup_name(run: UUID) -> str:
    """Name a run of backups, to its lock and to whoever meets it."""
    return f"backup {run}"


def restore_name(restore: UUID) -> str:
    """Name a restore likewise."""
    return f"restore {restore}"


def schedule_name(schedule: int) -> str:
    """Name the work on a schedule likewise."""
    return f"schedule {schedule}"


def cause(error: BaseException) -> str:
    """Say why work ended, for its row."""
    if isinstance(error, Exception):
        return str(error) if isinstance(error, DataForgeError) else f"{type(error).__name__}: {error}"
    return "It was stopped before it was done."
