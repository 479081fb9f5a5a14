"""Whether the process of a backup or restore still lives: it holds a lock that PostgreSQL drops with its session."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from backups.models import Backup, Restore, Status
from core.errors import DataForgeError, TableBusy
from core.postgres.locks.advisory_locks import exclusive

QUEUED_AT_MOST = timedelta(days=1)

_MOMENT_SECONDS = 0.01
_NOBODY = f"Nobody began it within {QUEUED_AT_MOST.total_seconds() / 3600:.0f} hours: is a worker at work?"


@contextmanager
def alive(work: object) -> Iterator[None]:
    """Hold the lock of ``work`` (the id of a run of backups or of a restore, a name) in a session of its own."""
    session = connection.copy()
    try:
        with exclusive(session, [_name(work)], what="a backup or restore", timeout_seconds=1):
            yield
    finally:
        session.close()


def close_abandoned(*, now: datetime | None = None) -> None:
    """Mark as failed what is running by the books and whose process has ended, and what nobody began within a day.

    The killed process cannot do so. Called by whatever reads the state of backups and restores, or begins new ones.
    """
    moment = now or timezone.now()
    for run in set(Backup.objects.filter(status=Status.RUNNING).values_list("run", flat=True)):
        if is_dead(run):
            Backup.objects.filter(run=run, status=Status.RUNNING).update(
                status=Status.FAILED, error="The process ended before the backup did."
            )
    for restore in Restore.objects.filter(status=Status.RUNNING).values_list("pk", flat=True):
        if is_dead(restore):
            Restore.objects.filter(pk=restore, status=Status.RUNNING).update(
                status=Status.FAILED,
                error="The process ended before the restore did: nothing was changed.",
                finished_at=moment,
            )
    late = {"status": Status.QUEUED, "started_at__lt": moment - QUEUED_AT_MOST}
    Backup.objects.filter(**late).update(status=Status.FAILED, error=_NOBODY)
    Restore.objects.filter(**late).update(status=Status.FAILED, error=_NOBODY, finished_at=moment)


def is_dead(work: object) -> bool:
    """Tell that nobody holds the lock of ``work``."""
    try:
        with exclusive(connection, [_name(work)], what="", timeout_seconds=_MOMENT_SECONDS):
            return True
    except TableBusy:
        return False


def cause(error: BaseException) -> str:
    """Say why work ended, for its row."""
    if isinstance(error, Exception):
        return str(error) if isinstance(error, DataForgeError) else f"{type(error).__name__}: {error}"
    return "It was stopped before it was done."


def _name(work: object) -> str:
    return f"backups {work}"
