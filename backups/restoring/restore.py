"""``restore``: a table, or a table with its children, back to a backup, in one transaction."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import Error, connection
from django.utils import timezone

from backups.catalogue.choose import choose, entry, sibling
from backups.catalogue.liveness import alive, cause, close_abandoned, restore_name
from backups.files.parquet import BackupFile, opened
from backups.foreign_keys import descendants
from backups.models import Restore, Status
from backups.restoring.report import RestoreReport
from backups.restoring.transaction import carry_out, is_empty
from backups.tables import table_named
from core.errors import BackupRefused
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.explain_errors import explained
from core.postgres.locks.held_locks import HeldLocks
from core.postgres.tables import Cursor, find_table

log = logging.getLogger(__name__)

LOCK_WAIT_SECONDS = 2


@dataclass(frozen=True)
class RestoreOrder:
    """Which table is to come back, from which backup, and how: what a queued restore is made of.

    The backup is the file at ``path``, or the table's newest verified one (not after ``at``). ``mode``: ``replace``,
    ``merge``, or None: replace where the table is empty or more than a fifth of it differs. ``with_children``: also all
    tables that refer to it, and to these, from the same snapshot.
    """

    table: str
    _: KW_ONLY
    path: str | None = None
    at: datetime | None = None
    mode: str | None = None
    with_children: bool = False
    dry_run: bool = False
    user: User | None = None


def restore(order: RestoreOrder, *, safety_backup: bool = True) -> RestoreReport:
    """Bring a table back to a backup, verified by fingerprint before it is committed.

    Raises SourceUnreadable, BackupRefused, BackupDamaged, TableBusy, DatabaseUnavailable, DatabaseFailed: nothing is
    changed then.
    """
    return run_restore(plan_restore(order), safety_backup=safety_backup)


def plan_restore(order: RestoreOrder) -> Restore:
    """Choose the backup and keep what ``restore`` would do as queued, for ``run_restore`` now or in another process."""
    name = table_named(order.table)
    with explained("the restore"):
        return Restore.objects.create(
            table=name,
            path=choose(name, path=order.path, at=order.at),
            mode=order.mode or "",
            with_children=order.with_children,
            dry_run=order.dry_run,
            user=order.user,
        )


@without_timeouts()
def run_restore(row: Restore, *, safety_backup: bool = True) -> RestoreReport:
    """Carry out what ``plan_restore`` kept; see ``restore``."""
    started = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(explained("the restore"))
        close_abandoned()
        locks = stack.enter_context(_recorded(row))
        stack.enter_context(explained("the restore"))  # within, for what the row says
        file = stack.enter_context(opened(row.path))
        row.backup = entry(file)
        files = {row.table: file}
        if row.with_children:
            with connection.cursor() as cursor:
                children = _children(cursor, row.table, file)
            for path in children:
                child = stack.enter_context(opened(path))
                files[child.manifest.table] = child
        if not row.dry_run:
            locks.take(files, timeout_seconds=LOCK_WAIT_SECONDS)
        with connection.cursor() as cursor:
            outcome = carry_out(cursor, files, row, locks, safety_backup=safety_backup)
        report = RestoreReport(
            id=str(row.id),
            dry_run=row.dry_run,
            seconds=time.monotonic() - started,
            tables=outcome.tables,
            orphans=outcome.orphans,
        )
        row.report = report.as_json()
    return report


def _children(cursor: Cursor, table: str, file: BackupFile) -> list[str]:
    """Find the backups of the tables that refer to ``table``; one that has no rows needs none."""
    paths = []
    for child in descendants(cursor, find_table(cursor, table)):
        path = sibling(file, child.name)
        if path is not None:
            paths.append(path)
        elif not is_empty(cursor, child):
            raise BackupRefused(
                what=file.path,
                problem=f"there is no backup of {child.name} of the same snapshot",
                remedy="Restore without --with-children, or from a run that backed up both (--all).",
            )
    return paths


@contextmanager
def _recorded(row: Restore) -> Iterator[HeldLocks]:
    """Keep ``row`` as running, and at the end, while its process still counts as alive, as what became of it.

    Yields the locks by which it counts so, beside which those of its tables are taken.
    """
    row.status = Status.RUNNING
    with ExitStack() as life:
        try:
            locks = life.enter_context(alive(restore_name(row.id)))
            row.save()
            yield locks
            row.status = Status.DONE
        except BaseException as error:
            row.status, row.error, row.safety = Status.FAILED, cause(error), None
            raise
        finally:
            row.finished_at = timezone.now()
            try:
                row.save()
            except Error:
                log.warning("the restore %s could not be marked %s", row.pk, row.status)
