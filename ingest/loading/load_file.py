"""One file as one unit: its rows, its rejects and its account, in one transaction."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core.arrow import ArrowColumn, indices
from core.errors import SourceUnreadable
from core.postgres.insert_rows import insert_rows
from core.postgres.locks.held_locks import HeldLocks
from core.postgres.locks.long_transactions import end_with_its_client
from ingest.accounts.report import FileFacts, TableReport, account_row
from ingest.accounts.totals import parts_of
from ingest.loading.file_plan import FilePlan, FileResult
from ingest.loading.options import LoadOptions
from ingest.loading.read_ahead import FileBlocks
from ingest.loading.resume import fingerprint_of
from ingest.loading.supersede import supersede
from ingest.loading.write_table import MISSING_PARENT, FileRowCounts, LimitPassed, keep_limit, write_empty, write_merged
from ingest.models import Batch
from ingest.processing.check_records import CheckedRecords, check_records
from ingest.processing.process import superseded_reasons
from ingest.readers.csv.parts import CsvParts
from ingest.readers.csv.pick import pick
from ingest.readers.places.locations import Location
from ingest.readers.signs.reading import SignReader
from ingest.rejects.commonest import commonest_reason
from ingest.rejects.describe import describe
from ingest.rejects.file_names import FileNames
from ingest.rejects.merge import RejectOrigin
from ingest.rejects.store import store_rejects
from ingest.rules.sources import Source


class SignFoundLate(Exception):
    """What shows only after a file's beginning forbids to take the file as it is."""


type RejectsSink = Callable[[Source, FileNames, pa.RecordBatch], None]


def load_file(
    plan: FilePlan,
    blocks: FileBlocks,
    *,
    location: Location,
    options: LoadOptions,
    batch: UUID | None,
    locks: HeldLocks,
    sink: RejectsSink | None = None,
) -> TableReport:
    """Load one file; report status ``rejected`` if it has more rejects than allowed, and then nothing of it is kept.

    Rejects and account are written outside the savepoint that a refused file rolls back. ``batch`` None: a dry run.
    Raises ChecksIncomplete, with nothing written, and DatabaseFailed, too, where ``locks`` were lost meanwhile.
    """
    started = time.monotonic()
    with closing(blocks), transaction.atomic(), connection.cursor() as cursor:
        end_with_its_client(cursor)
        try:
            with transaction.atomic():
                written: FileRowCounts | None = _write(cursor, plan, blocks, location, options)
        except (LimitPassed, SignFoundLate):
            written = None
        if sink is not None:
            for stretch in blocks.result.rejects:
                sink(plan.source, blocks.result.files, stretch)
        stored = blocks.result.rejects.count if batch is None else _store(cursor, plan, blocks.result, batch)
        report = _report(plan, blocks.result, written, rejected=stored, seconds=time.monotonic() - started)
        if report.wholly_rejected:
            report = replace(report, commonest=commonest_reason(blocks.result.rejects))
        if batch is None:
            transaction.set_rollback(True)
        else:
            if written is not None and (written.inserted or written.updated):
                supersede(cursor, plan, options, batch)
            agrees = report.status == Batch.Status.ACCEPTED
            fingerprint = fingerprint_of(cursor, plan.source) if agrees else ""
            file = _facts(plan, blocks.result)
            account = account_row(batch, plan.source, report, file=file, fingerprint=fingerprint)
            insert_rows(cursor, [account, *parts_of(report)])
        locks.assert_held()
    return report


def _write(
    cursor: CursorWrapper, plan: FilePlan, blocks: FileBlocks, location: Location, options: LoadOptions
) -> FileRowCounts:
    write = write_merged if plan.staged else write_empty
    written = write(cursor, plan, blocks, options)
    if len(written.late):
        _spool_late(location, plan, written.late, blocks.result)
    keep_limit(blocks.result, options)
    if blocks.result.refusal:
        raise SignFoundLate
    if len(blocks.result.superseded[0]):
        _spool_superseded(location, plan, blocks.result)
    cursor.execute("set constraints all immediate")  # Django's foreign keys would wait for the commit
    if not options.dry_run and (written.inserted or written.updated):
        cursor.execute(f"analyze {cursor.db.ops.quote_name(plan.source.contract.db_table)}")
    return written


def _spool_late(location: Location, plan: FilePlan, late: pa.Table, result: FileResult) -> None:
    """Spool the records that only the table refused, with their reasons."""
    for checked in _picked(location, plan, late["position"].combine_chunks(), result):
        position = checked.records.position
        here = late.filter(pc.is_in(late["position"], position))
        result.rejects.add(describe(checked.records, checked.rows, here, plan.source.contract))
        impossible = here.filter(pc.equal(here["code"], "database"))
        if len(impossible):
            result.refused_late.append(checked.rows.take(pc.index_in(impossible["position"], position)))


def _spool_superseded(location: Location, plan: FilePlan, result: FileResult) -> None:
    """Spool the records in whose place a later one of the file counts."""
    source = plan.source
    positions, winners = result.superseded
    for checked in _picked(location, plan, indices(positions), result):
        here = checked.records.position.to_numpy()
        keys = checked.rows.select(source.contract.natural_key)
        why = superseded_reasons(here, winners[np.searchsorted(positions, here)], keys)
        result.rejects.add(describe(checked.records, checked.rows, why, source.contract))
        result.closed += len(here)


def _picked(location: Location, plan: FilePlan, positions: ArrowColumn, result: FileResult) -> Iterator[CheckedRecords]:
    """Read the file again for records that were counted as accepted and are rejects after all."""
    contract, found = plan.source.contract, location.find(plan.source.file_name)
    with CsvParts(found, expected=contract.names, signs=plan.signs) as file:
        reader = SignReader(contract, plan.signs)
        for records in pick(file, positions):
            checked = check_records(reader.read(records), contract)
            result.take_back(checked)
            yield checked
    if file.sha256 != result.sha256:
        raise SourceUnreadable(path=found.path, problem="changed while it was being loaded", remedy="Load it again.")


def _store(cursor: CursorWrapper, plan: FilePlan, result: FileResult, batch: UUID) -> int:
    origin = RejectOrigin(
        batch=batch,
        contract=plan.source.contract,
        now=timezone.now(),
        files=result.files,
        columns=result.columns,
        signs=plan.signs,
    )
    return store_rejects(cursor, result.rejects, origin)


def _report(
    plan: FilePlan, result: FileResult, written: FileRowCounts | None, *, rejected: int, seconds: float
) -> TableReport:
    repaired = dict(+result.repaired)
    if written is not None and written.parents_added:
        repaired[MISSING_PARENT] = written.parents_added
    return TableReport.of(
        plan.source.table,
        read=result.read,
        accepted=result.accepted,
        written=None if written is None else (written.inserted, written.updated, written.unchanged),
        duplicates=result.duplicates,
        rejected=rejected,
        repaired=repaired,
        seconds=seconds,
        notes=() if written is None else written.notes,
        refusal=result.refusal,
        signs=result.signs.as_json(),
        lines_skipped=dict(result.skipped),
    )


def _facts(plan: FilePlan, result: FileResult) -> FileFacts:
    return FileFacts(
        name=plan.source.file_name,
        sha256=result.sha256,
        size=result.size,
        columns=result.columns,
        signs=result.signs.as_json(),
    )
