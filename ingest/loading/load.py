"""``load``: files into tables, parents first, one transaction a file, with an account that adds up."""

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from uuid import UUID

from django.db import Error, connection
from django.utils import timezone

from core.errors import DataForgeError, TableBusy
from core.postgres.column_types import assert_matches
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.explain_errors import explained
from core.postgres.insert_rows import insert_rows
from core.postgres.locks.held_locks import HeldLocks, held_locks
from core.postgres.tables import find_table
from core.version import __version__
from ingest.accounts.load_batches import close_dead_loads, end_load, keep_turned_away, load_name
from ingest.accounts.report import FileFacts, TableReport, account_row, status_of
from ingest.accounts.totals import parts_of
from ingest.loading.find_signs import find_signs
from ingest.loading.lanes import Lane, apart, run_lanes
from ingest.loading.load_file import RejectsSink
from ingest.loading.options import LoadOptions, LoadReport
from ingest.loading.reject_file import RejectsFile, assert_no_source
from ingest.loading.resume import fingerprint_of, last_agreement, sha256_of
from ingest.loading.write_table import MISSING_PARENT
from ingest.models import Batch
from ingest.readers.csv.signs import Signs
from ingest.readers.places.locations import Location, open_location
from ingest.replaying.heal import heal
from ingest.rules.sources import Source, sources

log = logging.getLogger(__name__)


@without_timeouts()
def load(place: str, options: LoadOptions) -> LoadReport:
    """Load the folder, archive or address ``place``.

    Raises SourceUnreadable, HeaderRefused, TableBusy, DatabaseUnavailable, DatabaseFailed. Refused records raise
    nothing: they are in the report, and stored.
    """
    chosen = [source for source in sources() if not options.tables or source.table in options.tables]
    location = open_location(place)
    with explained("the load"):
        signs = find_signs(location, chosen, options.signs)
    if options.rejects_out:
        taken = [place, *(part.path for source in chosen for part in location.find(source.file_name).parts)]
        assert_no_source(options.rejects_out, taken)
    with ExitStack() as stack:
        stack.enter_context(explained("the load"))
        batch = None if options.dry_run else _batch(place, chosen, options)
        locks = stack.enter_context(held_locks(connection, what=load_name(batch.id) if batch else "load (dry run)"))
        _take(locks, chosen, options, batch)
        out = stack.enter_context(RejectsFile(options.rejects_out)) if options.rejects_out else None
        report = _Load(location, chosen, options, batch, locks, signs, out.write if out else None).run()
    if report.batch is not None:
        _heal(report.batch)
    return report


def _heal(batch: UUID) -> None:
    """Replay the orphans that waited for what was loaded. The load is done, whatever becomes of that."""
    try:
        with explained("the replay of orphans"):
            heal(batch)
    except DataForgeError as error:
        log.warning("orphans of batch %s were not replayed, manage.py replay_rejects will: %s", batch, error)


def _batch(place: str, chosen: Iterable[Source], options: LoadOptions) -> Batch:
    """Make the batch of a load, which is not stored before its tables are held, or refused to it."""
    limit = options.max_rejects
    return Batch(
        origin=Batch.Origin.LOAD,
        source=place,
        app_version=__version__,
        options={
            "tables": [source.table for source in chosen],
            "on_conflict": options.on_conflict,
            "max_rejects": None if limit is None else str(limit),
            **{name: sign.value for name, sign in options.signs.by_name.items()},
        },
    )


def _take(locks: HeldLocks, chosen: Iterable[Source], options: LoadOptions, batch: Batch | None) -> None:
    """Take the tables, and the lock that says that the process of ``batch`` lives."""
    names = [source.contract.db_table for source in chosen]
    try:
        locks.take([*names, load_name(batch.id)] if batch else names, timeout_seconds=options.wait_seconds)
    except TableBusy as busy:
        if batch is not None:
            keep_turned_away(batch, why=str(busy))
        raise


class _Load:
    """One run, with its tables held; ``batch`` None: a dry run."""

    def __init__(
        self,
        location: Location,
        chosen: list[Source],
        options: LoadOptions,
        batch: Batch | None,
        locks: HeldLocks,
        signs: Mapping[str, Signs],
        sink: RejectsSink | None,
    ) -> None:
        self.location, self.chosen, self.options, self.sink = location, chosen, options, sink
        self.reports: dict[str, TableReport] = {}
        self.planned, self.locks, self.signs = batch, locks, signs
        self.batch: Batch | None = None  # as soon as it is stored

    def run(self) -> LoadReport:
        started = time.monotonic()
        try:
            self._load(self._begin())
        except BaseException as error:
            self._end(Batch.Status.FAILED, error=str(error) or type(error).__name__)
            raise
        wholly_rejected = any(report.wholly_rejected for report in self.reports.values())
        status = Batch.Status.REJECTED if wholly_rejected else status_of(self.reports.values())
        self._end(status)
        return LoadReport(
            batch=self.batch.id if self.batch else None,
            status=status,
            seconds=time.monotonic() - started,
            tables=tuple(self.reports[source.table] for source in self.chosen),
        )

    def _begin(self) -> list[Source]:
        """Close the books of runs that died and open ours; return the files to be loaded."""
        with connection.cursor() as cursor:
            for source in self.chosen:
                find_table(cursor, source.contract.db_table)  # all rows of which can be seen
                assert_matches(cursor, source.contract.db_table, source.contract.schema)
        batch = self.planned
        if batch is None:
            return self.chosen
        close_dead_loads()
        batch.started_at = timezone.now()  # not when it began to wait
        batch.save(force_insert=True)
        self.batch = batch
        return [source for source in self.chosen if not self._agrees(source, batch)]

    def _agrees(self, source: Source, batch: Batch) -> bool:
        """Know a file as unchanged: it, the rules and the whole table are what they were when they agreed.

        So a run after one that was interrupted goes on with the files that this had not finished.
        """
        last = last_agreement(source)
        stored = self.location.find(source.file_name)
        if last is None or stored.unpacked_size not in (None, last.file_bytes):
            return False
        if Signs.from_json(last.signs) != self.signs[source.table]:
            return False
        with connection.cursor() as cursor:
            if fingerprint_of(cursor, source) != last.table_fingerprint:
                return False
        if sha256_of(stored) != last.file_sha256:
            return False
        report = TableReport(
            table=source.table,
            read=last.read,
            unchanged=last.inserted + last.updated + last.unchanged,
            duplicates=last.duplicates,
            repaired={rule: count for rule, count in last.repaired.items() if rule != MISSING_PARENT},
            signs=self.signs[source.table].as_json(),
            lines_skipped=last.skipped,
        )
        file = FileFacts(
            name=source.file_name,
            sha256=last.file_sha256,
            size=last.file_bytes,
            columns=last.columns,
            signs=self.signs[source.table].as_json(),
        )
        with connection.cursor() as cursor:
            account = account_row(batch.id, source, report, file=file, fingerprint=last.table_fingerprint)
            insert_rows(cursor, [account, *parts_of(report)])
        self.reports[source.table] = report
        return True

    def _load(self, remaining: list[Source]) -> None:
        batch = self.batch.id if self.batch else None
        lanes = [
            Lane(group, self.location, self.options, self.signs, batch=batch, locks=self.locks, sink=self.sink)
            for group in apart(remaining)
        ]
        try:
            run_lanes(lanes)
        finally:
            for lane in lanes:
                self.reports |= lane.reports
        self.locks.assert_held()  # else somebody may have said by now that it is dead

    def _end(self, status: str, *, error: str = "") -> None:
        if self.batch is None:
            return
        self.batch.status, self.batch.error, self.batch.finished_at = status, error, timezone.now()
        try:
            end_load(self.batch)
        except Error:
            # The database is gone; whoever looks next closes the books.
            log.warning("the batch %s could not be marked %s", self.batch.id, status)
