"""``restore``: a table, or a table with its children, back to a backup, in one transaction."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection

from backups.catalogue.choose import Candidate, choose, sibling
from backups.catalogue.liveness import close_abandoned
from backups.catalogue.places import OpenedBackup, opened_at
from backups.foreign_keys import descendants
from backups.models import Restore
from backups.restoring.opening import Opened, open_candidate
from backups.restoring.recorded import recorded
from backups.restoring.report import RestoreReport
from backups.restoring.transaction import Manner, carry_out, is_empty
from backups.tables import table_named
from core.errors import BackupRefused
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.explain_errors import explained
from core.postgres.locks.held_locks import HeldLocks
from core.postgres.tables import Cursor, find_table

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


def restore(order: RestoreOrder, *, safety_backup: bool = True, fallback: bool = False) -> RestoreReport:
    """Bring a table back to a backup, verified by fingerprint before it is committed.

    Of a backup that lies in several places the first is taken that is what was written. ``fallback``: where none is,
    the next older backup that is sound. Raises SourceUnreadable, BackupRefused, BackupDamaged, TableBusy,
    DatabaseUnavailable, DatabaseFailed: nothing is changed then.
    """
    with explained("the restore"):
        candidates = choose(table_named(order.table), path=order.path, at=order.at)
    return _run(_planned(order, candidates), candidates, safety_backup=safety_backup, fallback=fallback)


def plan_restore(order: RestoreOrder) -> Restore:
    """Choose the backup and keep what ``restore`` would do as queued, for ``run_restore`` now or in another process."""
    with explained("the restore"):
        return _planned(order, choose(table_named(order.table), path=order.path, at=order.at))


def run_restore(row: Restore, *, safety_backup: bool = True) -> RestoreReport:
    """Carry out what ``plan_restore`` kept, from the place that it kept; see ``restore``."""
    only = Candidate(places={row.table: (row.path,)}, rows={})
    return _run(row, [only], safety_backup=safety_backup, fallback=False)


def restored(
    files: Opened, manner: Manner, rows: Mapping[str, Restore], locks: HeldLocks, *, instead: str
) -> RestoreReport:
    """Carry a restore out, and write on ``rows``, by table, what became of each; see ``transaction.carry_out``."""
    started = time.monotonic()
    if not manner.dry_run:
        locks.take(files, timeout_seconds=LOCK_WAIT_SECONDS)
    with connection.cursor() as cursor:
        outcome = carry_out(cursor, {table: opened.file for table, opened in files.items()}, manner, locks)
    tables = [replace(table, passed_over=files[table.table].passed_over) for table in outcome.tables]
    report = RestoreReport(
        id=str(next(iter(rows.values())).id),
        dry_run=manner.dry_run,
        seconds=time.monotonic() - started,
        tables=tuple(tables),
        orphans=outcome.orphans,
        instead=instead,
    )
    for name, row in rows.items():
        row.mode, row.safety = manner.mode, outcome.safety.get(name)
    return report


@without_timeouts()
def _run(row: Restore, candidates: Sequence[Candidate], *, safety_backup: bool, fallback: bool) -> RestoreReport:
    with ExitStack() as stack:
        stack.enter_context(explained("the restore"))
        close_abandoned()
        locks = stack.enter_context(recorded([row]))
        stack.enter_context(explained("the restore"))  # within, for what the row says
        chosen = open_candidate(stack, candidates, fallback=fallback)
        head = chosen.files[row.table]
        row.path, row.backup = head.file.path, head.known
        files = {row.table: head}
        if row.with_children:
            files |= _children(stack, row.table, head)
        manner = Manner(
            mode=row.mode,
            dry_run=row.dry_run,
            safety_backup=safety_backup,
            leading=(row.table,),
            compared=bool(chosen.instead),
            user=row.user,
        )
        report = restored(files, manner, {row.table: row}, locks, instead=chosen.instead)
        row.report = report.as_json()
    return report


def _planned(order: RestoreOrder, candidates: Sequence[Candidate]) -> Restore:
    table = table_named(order.table)
    with explained("the restore"):
        return Restore.objects.create(
            table=table,
            path=candidates[0].places[table][0],
            mode=order.mode or "",
            with_children=order.with_children,
            dry_run=order.dry_run,
            user=order.user,
        )


def _children(stack: ExitStack, table: str, head: OpenedBackup) -> dict[str, OpenedBackup]:
    """Open the backups of the tables that refer to ``table``; one that has no rows needs none."""
    with connection.cursor() as cursor:
        places = _places_of_children(cursor, table, head)
    return {child: stack.enter_context(opened_at(paths)) for child, paths in places.items()}


def _places_of_children(cursor: Cursor, table: str, head: OpenedBackup) -> dict[str, tuple[str, ...]]:
    places = {}
    for child in descendants(cursor, find_table(cursor, table)):
        if paths := sibling(head.file, child.name):
            places[child.name] = paths
        elif not is_empty(cursor, child):
            raise BackupRefused(
                what=head.file.path,
                problem=f"there is no backup of {child.name} of the same snapshot",
                remedy="Restore without --with-children, or from a run that backed up both (--all).",
            )
    return places
