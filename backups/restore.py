"""``restore``: a table, or a table with its children, back to a backup, in one transaction."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import Error, connection
from django.utils import timezone

from backups.choosing import choose, entry, sibling
from backups.files import BackupFile, opened
from backups.models import Restore, Status
from backups.references import descendants
from backups.reports import RestoreReport
from backups.restoring import carry_out
from backups.tables import table_named
from dataforge.errors import BackupRefused
from dataforge.postgres.failures import explained
from dataforge.postgres.locks import exclusive
from dataforge.postgres.tables import find_table

log = logging.getLogger(__name__)

LOCK_WAIT_SECONDS = 2


def restore(
    table: str,
    *,
    path: str | None = None,
    at: datetime | None = None,
    mode: str | None = None,
    dry_run: bool = False,
    with_children: bool = False,
    safety_backup: bool = True,
    user: User | None = None,
) -> RestoreReport:
    """Bring ``table`` back to the backup at ``path``, or to its newest verified one (not after ``at``).

    ``mode``: ``replace``, ``merge``, or None: replace where the table is empty or more than a fifth of it differs.
    ``with_children``: also all tables that refer to it, and to these, from the same snapshot. Verified by fingerprint
    before it is committed. Raises SourceUnreadable, BackupRefused, BackupDamaged, TableBusy, DatabaseUnavailable,
    DatabaseFailed: nothing is changed then.
    """
    started = time.monotonic()
    name = table_named(table)
    with ExitStack() as stack:
        stack.enter_context(explained("the restore"))
        file = stack.enter_context(opened(choose(name, path=path, at=at)))
        row = stack.enter_context(
            _recorded(
                Restore(
                    table=name,
                    path=file.path,
                    backup=entry(file),
                    mode=mode or "",
                    with_children=with_children,
                    dry_run=dry_run,
                    user=user,
                )
            )
        )
        files = {name: file}
        for child in _children(name) if with_children else ():
            files[child] = stack.enter_context(opened(_sibling(file, child)))
        stack.enter_context(exclusive(connection, files, what="restore", timeout_seconds=LOCK_WAIT_SECONDS))
        outcome = carry_out(files, row, safety_backup=safety_backup)
        report = RestoreReport(
            id=str(row.id),
            dry_run=dry_run,
            seconds=time.monotonic() - started,
            tables=outcome.tables,
            orphans=outcome.orphans,
        )
        row.report = report.as_json()
    return report


def _children(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [each.name for each in descendants(cursor, find_table(cursor, table))]


def _sibling(file: BackupFile, table: str) -> str:
    path = sibling(file, table)
    if path is None:
        raise BackupRefused(
            what=file.path,
            problem=f"there is no backup of {table} of the same snapshot",
            remedy="Restore without --with-children, or from a run that backed up both (--all).",
        )
    return path


@contextmanager
def _recorded(row: Restore) -> Iterator[Restore]:
    """Keep ``row`` as running, and at the end as what became of it."""
    row.save()
    try:
        yield row
        row.status = Status.DONE
    except BaseException as error:
        row.status, row.error, row.safety = Status.FAILED, str(error) or type(error).__name__, None
        raise
    finally:
        row.finished_at = timezone.now()
        try:
            row.save()
        except Error:
            log.warning("the restore %s could not be marked %s", row.pk, row.status)
