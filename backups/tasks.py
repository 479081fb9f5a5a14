"""Long work as tasks of Django: they get ids of rows, and what became of them stands on these rows.

With Django's own ``ImmediateBackend`` they run within the request; with a worker, after it.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.tasks import TaskResult, TaskResultStatus, task

from backups.backing_up.backup import plan_backup, run_backup
from backups.backing_up.verify import verify
from backups.catalogue.told import told_fault
from backups.files.named_stores import DEFAULT, named_store
from backups.models import Backup, Restore, Status
from backups.restoring.restore import RestoreOrder, plan_restore, run_restore
from core.errors import DatabaseUnavailable, DataForgeError, TableBusy

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why work ended at once without being done."""

    kind: type[BaseException]
    text: str

    def told(self, user: Any, tables: Iterable[str], path: str = "") -> "Failure":
        """Return it in words that ``user`` may be told of ``tables``; that a table is held is told to everybody."""
        for_all = issubclass(self.kind, (TableBusy, DatabaseUnavailable))
        return replace(self, text=told_fault(user, self.text, () if for_all else tables, path))


@task
def back_up(run: str) -> None:
    """Carry out a queued run of backups."""
    rows = list(Backup.objects.filter(run=run, status=Status.QUEUED).select_related("user"))
    if rows:
        run_backup(rows)


@task
def check(backup: str, *, drill: bool) -> None:
    """Verify a backup; a fault is kept on its row."""
    row = Backup.objects.get(pk=backup)
    try:
        verify(row.path, drill=drill)
    except DataForgeError as error:
        Backup.objects.filter(pk=backup).update(error=str(error))
        raise


@task
def bring_back(restore: str) -> None:
    """Carry out a queued restore or dry run."""
    row = Restore.objects.filter(pk=restore, status=Status.QUEUED).select_related("user").first()
    if row is not None:
        run_restore(row)


def ask_for_backup(tables: Sequence[str] | None, *, user: User, store: str = DEFAULT) -> tuple[UUID, Failure | None]:
    """Queue a backup of ``tables`` (None: those of --all); return its run, and why it failed if it did at once."""
    run = enter_backup(tables, user=user, store=store)
    return run, start_backup(run)


def enter_backup(tables: Sequence[str] | None, *, user: User, store: str = DEFAULT) -> UUID:
    """Enter a backup into the catalogue, for ``start_backup``; ``store`` is the name of one of the settings."""
    rows = plan_backup(tables, store=named_store(store), user=user)
    log.info("%s asked for backup run %s: %s", user, rows[0].run, ", ".join(row.table for row in rows))
    return rows[0].run


def start_backup(run: UUID) -> Failure | None:
    """Queue a run that was entered; return why it failed where it did so at once."""
    failed = _enqueue(back_up, str(run))
    error = Backup.objects.filter(run=run, status=Status.FAILED).values_list("error", flat=True).first()
    return _failure(failed, error)


def ask_for_check(backup: Backup, *, drill: bool, user: User) -> Failure | None:
    """Queue a verification; return why it failed where it did so at once."""
    log.info("%s asked for a check of backup %s (%s)", user, backup.pk, backup.table)
    failed = _enqueue(check, str(backup.pk), drill=drill)
    backup.refresh_from_db()
    return _failure(failed, backup.error)


def ask_for_restore(
    backup: Backup, *, mode: str | None, with_children: bool, dry_run: bool, user: User
) -> tuple[Restore, Failure | None]:
    """Queue a restore from ``backup``, or a dry run; return its row, and why it failed where it did so at once."""
    row = enter_restore(backup, mode=mode, with_children=with_children, dry_run=dry_run, user=user)
    return row, start_restore(row)


def enter_restore(backup: Backup, *, mode: str | None, with_children: bool, dry_run: bool, user: User) -> Restore:
    """Enter a restore, or a dry run, among the restores, for ``start_restore``."""
    row = plan_restore(
        RestoreOrder(backup.table, path=backup.path, mode=mode, with_children=with_children, dry_run=dry_run, user=user)
    )
    Restore.objects.filter(pk=row.pk).update(backup=backup)
    log.info("%s asked for restore %s of %s from %s (dry run: %s)", user, row.pk, row.table, backup.pk, dry_run)
    return row


def start_restore(row: Restore) -> Failure | None:
    """Queue a restore that was entered; bring its row up to date, and return why it failed where it did so at once."""
    failed = _enqueue(bring_back, str(row.pk))
    row.refresh_from_db()
    return _failure(failed, row.error)


def _enqueue(work: Any, *args: str, **options: bool) -> type[BaseException] | None:
    """Hand work over; return the class of what ended it, where it has ended so already."""
    enqueue: Callable[..., TaskResult[Any, Any]] = work.enqueue
    result = enqueue(*args, **options)
    if result.status != TaskResultStatus.FAILED:
        return None
    return result.errors[0].exception_class


def _failure(kind: type[BaseException] | None, text: str | None) -> Failure | None:
    return None if kind is None else Failure(kind, text or kind.__name__)
