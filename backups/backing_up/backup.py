"""``backup``: tables into files of one snapshot."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import Error, connection, transaction
from django.utils import timezone

from backups.backing_up.snapshot import open_snapshot
from backups.backing_up.write_file import WrittenFile, drafted
from backups.catalogue.liveness import alive, backup_name, cause, close_abandoned
from backups.files.named_stores import DEFAULT, named_store
from backups.files.store import Store
from backups.hashing.row_hashes import assert_server_agrees
from backups.models import Backup, BackupSchedule, Status
from backups.tables import Shape, all_tables, ordered, shape, table_named
from core.errors import DataForgeError, SourceUnreadable
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.explain_errors import explained

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BackupResult:
    """One finished backup."""

    id: UUID
    run: UUID
    table: str
    path: str
    rows: int
    bytes: int
    snapshot_at: datetime


def backup(
    tables: Sequence[str] | None = None,
    *,
    store: Store | None = None,
    origin: str = Backup.Origin.ASKED,
    schedule: BackupSchedule | None = None,
    user: User | None = None,
    on_table: Callable[[str], None] = lambda table: None,
) -> tuple[BackupResult, ...]:
    """Back up ``tables`` (None: those of ``DATAFORGE_BACKUP_TABLES``) as one snapshot of them has them, all or none.

    ``store``: where to; None is the one named ``default``. ``on_table`` hears of each table as its turn comes. Raises
    SourceUnreadable (a table that nobody knows, a place that cannot be written to), BackupRefused (what no file can
    hold), TableBusy, DatabaseUnavailable, DatabaseFailed.
    """
    return run_backup(plan_backup(tables, store=store, origin=origin, schedule=schedule, user=user), on_table=on_table)


def plan_backup(
    tables: Sequence[str] | None = None,
    *,
    store: Store | None = None,
    origin: str = Backup.Origin.ASKED,
    schedule: BackupSchedule | None = None,
    user: User | None = None,
) -> tuple[Backup, ...]:
    """Enter what ``backup`` would do into the catalogue, as queued, for ``run_backup`` now or in another process."""
    names = all_tables() if tables is None else tuple(dict.fromkeys(map(table_named, tables)))
    if not names:
        raise SourceUnreadable(path="backup", problem="no table is named", remedy="Name tables, or --all.")
    run, url = uuid4(), (store or named_store(DEFAULT)).url
    rows = [Backup(run=run, table=name, origin=origin, schedule=schedule, user=user, path=url) for name in names]
    with explained("the backup"):
        return tuple(Backup.objects.bulk_create(rows))


@without_timeouts()
def run_backup(
    rows: Sequence[Backup], *, on_table: Callable[[str], None] = lambda table: None
) -> tuple[BackupResult, ...]:
    """Carry out what ``plan_backup`` entered, all of one run; see ``backup``."""
    by_table = {row.table: row for row in rows}
    with explained("the backup"):
        close_abandoned()
    with explained("the backup"), _recorded(rows), explained("the backup"):  # within, for what the rows say
        with connection.cursor() as cursor:
            assert_server_agrees(cursor)
            shapes = ordered(shape(cursor, name) for name in by_table)
        in_order = [by_table[table.name] for table in shapes]
        written = _write(shapes, in_order, Store(rows[0].path), on_table)
        try:
            for file in written:
                file.publish()
            enter(in_order, written)
        except BaseException:
            discard(written)
            raise
    return tuple(_result(row) for row in in_order)


def enter(rows: Sequence[Backup], written: Sequence[WrittenFile]) -> None:
    """Write what became of ``rows`` into the catalogue, all at once."""
    with transaction.atomic():
        for row, file in zip(rows, written, strict=True):
            manifest = file.beside.manifest
            row.status, row.path, row.rows, row.fingerprint = (
                Status.DONE,
                file.path,
                manifest.rows,
                manifest.fingerprint,
            )
            row.bytes, row.sha256, row.snapshot_at = file.beside.bytes, file.beside.sha256, manifest.snapshot_at
            row.verified_at = timezone.now()
            row.save()


def discard(written: Sequence[WrittenFile]) -> None:
    """Take files away that are not to count."""
    for file in written:
        with suppress(DataForgeError):
            file.discard()


def _write(
    shapes: Sequence[Shape], rows: Sequence[Backup], store: Store, on_table: Callable[[str], None]
) -> list[WrittenFile]:
    """Write the tables one after the other, each proved on a thread of its own while the next one is written."""
    proofs: list[Future[WrittenFile]] = []
    try:
        with (
            ExitStack() as drafts,
            open_snapshot([shape.table for shape in shapes]) as snapshot,
            ThreadPoolExecutor(1, thread_name_prefix="proof") as thread,
        ):
            for shape, row in zip(shapes, rows, strict=True):
                on_table(shape.name)
                prove = drafts.enter_context(drafted(snapshot, shape, store, row))
                if proofs:
                    proofs[-1].result()
                proofs.append(thread.submit(prove))
            return [proof.result() for proof in proofs]
    except BaseException:
        discard([proof.result() for proof in proofs if proof.exception() is None])
        raise


@contextmanager
def _recorded(rows: Sequence[Backup]) -> Iterator[None]:
    """Show ``rows`` in the catalogue as running, and as failed where the block fails."""
    entered = Backup.objects.filter(pk__in=[row.pk for row in rows])
    with ExitStack() as life:
        try:
            life.enter_context(alive(backup_name(rows[0].run)))
            entered.update(status=Status.RUNNING)
            yield
        except BaseException as error:
            try:
                entered.update(status=Status.FAILED, error=cause(error))
            except Error:
                log.warning("the backups of run %s could not be marked failed", rows[0].run)
            raise


def _result(row: Backup) -> BackupResult:
    assert row.rows is not None  # noqa: S101 - set by ``enter``
    assert row.bytes is not None  # noqa: S101
    assert row.snapshot_at is not None  # noqa: S101
    return BackupResult(
        id=row.id,
        run=row.run,
        table=row.table,
        path=row.path,
        rows=row.rows,
        bytes=row.bytes,
        snapshot_at=row.snapshot_at,
    )
