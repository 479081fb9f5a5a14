"""The one transaction of a restore: lock, compare, keep what is there, write, prove."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as changed
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from backups.backing_up.backup import discard, enter
from backups.backing_up.snapshot import Snapshot
from backups.backing_up.write_file import WrittenFile, write_table
from backups.files.named_stores import DEFAULT, named_store
from backups.files.parquet import BackupFile
from backups.foreign_keys import ForeignKey, Orphans, border, foreign_keys
from backups.hashing.row_hashes import assert_server_agrees, server_fingerprint
from backups.models import Backup, Restore
from backups.restoring.difference import Difference, find_difference
from backups.restoring.fit import FileMatch, match_file
from backups.restoring.merge import merge, orphans_after
from backups.restoring.replace import refuse_orphans, replace
from backups.restoring.report import TableRestore
from backups.restoring.sequences import raise_sequences
from backups.tables import ordered, shape
from core.errors import BackupRefused, DatabaseFailed, TableBusy
from core.postgres.constraints import not_emptied
from core.postgres.fingerprint import Fingerprint
from core.postgres.locks import lock_timeouts
from core.postgres.locks.held_locks import HeldLocks
from core.postgres.locks.long_transactions import end_with_its_client
from core.postgres.locks.table_locks import lock_tables_for_load
from core.postgres.tables import Cursor, Table

LOCK_TIMEOUT_SECONDS = 30
REPLACE_FROM_SHARE = 0.20


@dataclass(kw_only=True)
class Manner:
    """How tables are to be restored. ``mode``, where empty, becomes the one chosen by what differs in ``leading``.

    ``compared``: the differences are told also where a replace would not need them. ``user``: who asked.
    """

    mode: str
    dry_run: bool
    safety_backup: bool
    leading: tuple[str, ...]
    compared: bool = False
    user: User | None = None


@dataclass(frozen=True, kw_only=True)
class RestoreOutcome:
    """What was done, or what a dry run found; ``safety``: by table, the backup of what was there."""

    tables: tuple[TableRestore, ...]
    orphans: tuple[Orphans, ...] = ()
    safety: Mapping[str, Backup]


def carry_out(
    cursor: CursorWrapper, files: Mapping[str, BackupFile], manner: Manner, locks: HeldLocks
) -> RestoreOutcome:
    """Restore the tables of ``files``, all or none; nothing is committed where ``locks`` were lost meanwhile."""
    with _safe() as kept, transaction.atomic():
        end_with_its_client(cursor)
        assert_server_agrees(cursor)
        if not manner.dry_run:
            _lock(cursor, tuple(files), alone=manner.mode == Restore.Mode.REPLACE)
        fits = [match_file(files[table.name], table) for table in ordered(shape(cursor, name) for name in files)]
        keys = foreign_keys(cursor, [fit.shape.table for fit in fits])
        obstacles = not_emptied(cursor, [fit.shape.table for fit in fits])
        if obstacles and manner.mode == Restore.Mode.REPLACE:
            raise BackupRefused(
                what=", ".join(fit.shape.name for fit in fits),
                problem=f"cannot be replaced: {'; '.join(obstacles)}",
                remedy="Restore it with --mode merge, which leaves all that in place.",
            )
        differences, why_merged = _compare(cursor, fits, manner, obstacles)
        notes = {fit.shape.name: why_merged for fit in fits}
        if manner.dry_run:
            orphans = orphans_after(cursor, border(keys, [fit.shape for fit in fits]), differences)
            transaction.set_rollback(True)
            return RestoreOutcome(
                tables=_reports(fits, differences, manner.mode, {}, notes), orphans=orphans, safety={}
            )
        touched = fits
        if manner.mode == Restore.Mode.MERGE:
            touched = [difference.fit for difference in differences if difference.differing]
        safety = _keep(cursor, touched, manner.user, kept) if manner.safety_backup else {}
        notes |= _write(cursor, fits, differences, manner.mode, keys)
        _prove(cursor, fits)
        locks.assert_held()
        paths = {table: backup.path for table, backup in safety.items()}
        return RestoreOutcome(tables=_reports(fits, differences, manner.mode, paths, notes), safety=safety)


def _lock(cursor: CursorWrapper, tables: Sequence[str], *, alone: bool) -> None:
    """Keep writers out, and, where the tables are to be replaced, everybody."""
    if alone:
        lock_tables_for_load(cursor, tables, timeout_seconds=LOCK_TIMEOUT_SECONDS)
        return
    statement = sql.SQL("lock table {} in share row exclusive mode").format(
        sql.SQL(", ").join(map(sql.Identifier, sorted(tables)))
    )
    if not lock_timeouts.take(cursor, statement, lock_timeouts.Deadline(LOCK_TIMEOUT_SECONDS)):
        cursor.execute("select to_regclass(quote_ident(name))::oid::bigint from unnest(%s) as name", [list(tables)])
        ids = [oid for (oid,) in cursor.fetchall()]
        raise TableBusy(
            tables=", ".join(tables),
            holder=lock_timeouts.holders(cursor, locktype="relation", ids=ids),
            remedy="Run it again when that has ended.",
        )


def _compare(
    cursor: CursorWrapper, fits: Sequence[FileMatch], manner: Manner, obstacles: Sequence[str]
) -> tuple[list[Difference], tuple[str, ...]]:
    """Compare tables and files where the mode depends on it, or somebody wants to know; choose the mode.

    ``obstacles`` say why nothing can be replaced; they are returned as notes where that would have been chosen.
    """
    leading = [fit.shape.table for fit in fits if fit.shape.name in manner.leading]
    untold = not (manner.mode or manner.dry_run or obstacles)
    if untold and all(is_empty(cursor, table) for table in leading):
        manner.mode = Restore.Mode.REPLACE
        _lock(cursor, [fit.shape.name for fit in fits], alone=True)
    if manner.mode == Restore.Mode.REPLACE and not (manner.dry_run or manner.compared):
        return [], ()
    differences = [find_difference(cursor, fit, number=number) for number, fit in enumerate(fits)]
    if manner.mode:
        return differences, ()
    whole = _is_whole([difference for difference in differences if difference.fit.shape.table in leading])
    if whole and obstacles:
        manner.mode = Restore.Mode.MERGE
        return differences, tuple(f"merged, since it cannot be replaced: {why}" for why in obstacles)
    manner.mode = Restore.Mode.REPLACE if whole else Restore.Mode.MERGE
    if whole and not manner.dry_run:
        _lock(cursor, [fit.shape.name for fit in fits], alone=True)
    return differences, ()


def _is_whole(differences: Sequence[Difference]) -> bool:
    """Tell that tables, taken together, are better replaced: they are empty, or much of them differs."""
    present = sum(difference.present for difference in differences)
    rows = max(present, sum(difference.fit.rows for difference in differences), 1)
    return present == 0 or sum(difference.differing for difference in differences) / rows > REPLACE_FROM_SHARE


def _write(
    cursor: CursorWrapper,
    fits: Sequence[FileMatch],
    differences: Sequence[Difference],
    mode: str,
    keys: Sequence[ForeignKey],
) -> dict[str, tuple[str, ...]]:
    """Write, and return by table what stayed in place meanwhile."""
    in_place: dict[str, tuple[str, ...]] = {}
    try:
        if mode == Restore.Mode.REPLACE:
            in_place = replace(cursor, fits, keys)
        else:
            refuse_orphans(fits, orphans_after(cursor, border(keys, [fit.shape for fit in fits]), differences))
            merge(cursor, differences, keys)
        cursor.execute("set constraints all immediate")
    except (DataError, IntegrityError) as error:
        raise BackupRefused(
            what=", ".join(fit.shape.name for fit in fits),
            problem=" ".join(str(error).split()),
            remedy="The rows of the file break a rule that the table has now; use a backup that was made since.",
        ) from error
    for fit in fits:
        raise_sequences(cursor, fit.shape)
        if mode == Restore.Mode.REPLACE:
            cursor.execute(sql.SQL("analyze {}").format(fit.shape.identifier))
    return in_place


def _prove(cursor: CursorWrapper, fits: Sequence[FileMatch]) -> None:
    for fit in fits:
        manifest = fit.file.manifest
        content = server_fingerprint(cursor, fit.shape.identifier, fit.schema)
        if content != Fingerprint(manifest.rows, manifest.fingerprint):
            raise DatabaseFailed(
                work=f"the restore of {fit.shape.name}",
                problem=f"its content is {content}, and the backup's is {manifest.fingerprint}",
                remedy="Nothing was changed. A trigger on the table may have changed the rows on their way in.",
            )


@contextmanager
def _safe() -> Iterator[list[WrittenFile]]:
    """Collect safety backups, which go again if the restore does not come about.

    Where the connection is lost nobody knows whether it did: they stay then.
    """
    kept: list[WrittenFile] = []
    try:
        yield kept
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        discard(kept)
        raise


def _keep(
    cursor: CursorWrapper, fits: Sequence[FileMatch], user: User | None, kept: list[WrittenFile]
) -> dict[str, Backup]:
    """Back up what the tables hold now, under the same locks; return the backups by table. Nothing of empty ones."""
    store, run = named_store(DEFAULT), uuid4()
    rows: list[Backup] = []
    cursor.execute("select clock_timestamp()")
    ((now,),) = cursor.fetchall()
    snapshot = Snapshot(cursor, now, None)  # what is locked does not move
    for fit in fits:
        if not is_empty(cursor, fit.shape.table):
            rows.append(Backup(run=run, table=fit.shape.name, origin=Backup.Origin.SAFETY, user=user))
            kept.append(write_table(snapshot, fit.shape, store, rows[-1]))
    for written in kept:
        written.publish()
    enter(rows, kept)
    return {backup.table: backup for backup in rows}


def is_empty(cursor: Cursor, table: Table) -> bool:
    """Tell that a table has no rows."""
    cursor.execute(sql.SQL("select not exists (select from {})").format(table.identifier))
    return cursor.fetchall() == [(True,)]


def _reports(
    fits: Sequence[FileMatch],
    differences: Sequence[Difference],
    mode: str,
    safety: Mapping[str, str],
    notes: Mapping[str, tuple[str, ...]],
) -> tuple[TableRestore, ...]:
    by_table = {difference.fit.shape.name: difference for difference in differences}
    return tuple(
        changed(report, notes=report.notes + notes.get(report.table, ()))
        for fit in fits
        for report in [_report(fit, by_table.get(fit.shape.name), mode, safety.get(fit.shape.name))]
    )


def _report(fit: FileMatch, difference: Difference | None, mode: str, safety: str | None) -> TableRestore:
    report = TableRestore(
        table=fit.shape.name, path=fit.file.path, mode=mode, rows=fit.rows, notes=fit.notes, safety=safety
    )
    if difference is None:
        return report
    return changed(
        report,
        added=difference.added,
        changed=difference.changed,
        removed=difference.removed,
        differences=difference.examples,
    )
