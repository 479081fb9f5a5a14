"""``post``: one unit of records into the tables, with rejects and account, in the caller's transaction."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from uuid import uuid4

import pyarrow as pa
from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.utils import timezone

from core.errors import TableBusy
from core.postgres.insert_rows import insert_rows
from core.postgres.locks.advisory_locks import share
from core.version import __version__
from ingest.accounts.report import FileFacts, TableReport, account_row, status_of
from ingest.accounts.totals import parts_of, parts_of_batch
from ingest.models import Batch
from ingest.posting.judge import asked, check_unit, optimistic, stored_rows
from ingest.posting.judged import TableVerdict
from ingest.posting.outcome import UnitResult
from ingest.posting.settle import question, settle_rejects
from ingest.posting.unit import Origin, Unit
from ingest.processing.check_records import CheckedRecords
from ingest.processing.reasons import REASON_SCHEMA
from ingest.rejects.describe import rejects_of
from ingest.rejects.merge import RejectOrigin
from ingest.rejects.store import renew_rejects, store_numbered
from ingest.tables.locked_parents import tables_of
from ingest.tables.refusals import refused_by_database, refuses_rows
from ingest.tables.write_rows import RowCounts, TableRows, culprits, key_exists, write

SHARE_TIMEOUT_SECONDS = 1
# Each failure means that another batch with some of the same keys was committed, or that a table refused rows.
ATTEMPTS = 20


def post(
    cursor: CursorWrapper, unit: Unit, origin: Origin, *, replays: Mapping[int, int] = MappingProxyType({})
) -> UnitResult:
    """Check ``unit``, write what is good, keep what is not, and account for all.

    Must run in a transaction, whose rollback leaves nothing behind. TableBusy where a load or restore holds a table;
    Django's database errors pass through. ``replays``: where the unit is a replay, the number of each record's reject,
    by index; one that is refused again gets new reasons. Orphans may wait for its records: whoever runs the transaction
    hands the result to ``heal.schedule``.
    """
    started, clock = timezone.now(), time.monotonic()
    share(cursor, tables_of(table.source for table in unit.tables), timeout_seconds=SHARE_TIMEOUT_SECONDS)
    judged, counts = _write(cursor, unit)
    tables = _reports(unit, judged, counts, seconds=time.monotonic() - clock)
    status = status_of(tables)
    if unit.dry_run:
        return UnitResult(batch=None, status=status, tables=tables, judged=tuple(judged), refused=counts is None)
    batch = Batch(
        id=uuid4(),
        origin=origin.kind,
        status=status,
        user=origin.user,
        options={"mode": unit.mode, "on_conflict": unit.on_conflict, **origin.options},
        caused_by=origin.caused_by,
        app_version=__version__,
        started_at=started,
        finished_at=timezone.now(),
    )
    rows: list[Model] = [batch]
    numbers: dict[int, int] = {}
    for verdict, report in zip(judged, tables, strict=True):
        kept, new_numbers = _keep_rejects(cursor, unit, verdict, batch, replays)
        numbers |= new_numbers
        account = replace(report, rejected=kept)
        text = FileFacts(columns=verdict.sent.columns, signs=verdict.sent.signs.as_json())
        rows.append(account_row(batch.id, verdict.sent.source, account, file=text))
        rows += parts_of(account)
    rows += parts_of_batch(batch)
    # Rejects that name the batch came first: their foreign key waits for the commit.
    insert_rows(cursor, rows, asking=None if counts is None else question(judged))
    return UnitResult(
        batch=batch,
        status=status,
        tables=tables,
        judged=tuple(judged),
        refused=counts is None,
        rejects=numbers,
        awaited=() if counts is None else settle_rejects(cursor, judged, batch, replayed=list(replays.values())),
    )


def _write(cursor: CursorWrapper, unit: Unit) -> tuple[list[TableVerdict], list[RowCounts] | None]:
    """Judge and write until both agree; None in place of counts where the unit as a whole was refused."""
    checked = check_unit(unit)
    hoped = _write_hoping(cursor, unit, checked)
    return hoped or _write_asking(cursor, unit, checked)


def _write_hoping(
    cursor: CursorWrapper, unit: Unit, checked: Sequence[CheckedRecords]
) -> tuple[list[TableVerdict], list[RowCounts]] | None:
    """Write what the first verdict takes for good; None where it has none, or PostgreSQL refuses some of it."""
    if unit.on_conflict == "update" or unit.dry_run:  # stored rows are looked for in any case
        return None
    try:
        with transaction.atomic():
            judged = optimistic(cursor, unit, checked)
            return None if judged is None else (judged, write(cursor, [verdict.to_write() for verdict in judged]))
    except DatabaseError as error:
        if not refuses_rows(error):
            raise
        return None


def _write_asking(
    cursor: CursorWrapper, unit: Unit, checked: Sequence[CheckedRecords]
) -> tuple[list[TableVerdict], list[RowCounts] | None]:
    """Judge with what is stored, and write, until PostgreSQL refuses nothing of it."""
    known = REASON_SCHEMA.empty_table()
    for _ in range(ATTEMPTS):
        judged: list[TableVerdict] = []
        rows: list[TableRows] = []
        try:
            with transaction.atomic():  # its end lets go of its locks too: the next attempt takes all of them in order
                judged = asked(cursor, unit, checked, known)
                if unit.mode == "atomic" and any(len(verdict.faulty) for verdict in judged):
                    return [verdict.reinstated() for verdict in judged], None
                rows = [verdict.to_write() for verdict in judged]
                if unit.dry_run:
                    return judged, [RowCounts(len(table.new), len(table.changed)) for table in rows]
                return judged, write(cursor, rows)
        except DatabaseError as error:
            if not rows or not refuses_rows(error):
                raise
            if key_exists(error) and _overtaken(cursor, unit, judged):
                continue
            refused = culprits(cursor, rows)
            if any(map(key_exists, refused.values())) and _overtaken(cursor, unit, judged):  # while they were sought
                refused = {index: error for index, error in refused.items() if not key_exists(error)}
            known = pa.concat_tables([known, refused_by_database(refused)])
    raise TableBusy(
        tables=", ".join(table.source.table for table in unit.tables),
        holder="other batches with the same keys",
        remedy="Send it again.",
    )


def _overtaken(cursor: CursorWrapper, unit: Unit, judged: Sequence[TableVerdict]) -> bool:
    """Ask the tables again; tell whether they hold a key by now that they did not hold before."""
    with transaction.atomic():
        again = (
            rows.compare(verdict.processed.rows)
            for rows, verdict in zip(stored_rows(cursor, unit), judged, strict=True)
        )
        overtaken = any((now.new != verdict.compared.new).any() for now, verdict in zip(again, judged, strict=True))
        transaction.set_rollback(True)
    return overtaken


def _reports(
    unit: Unit, judged: Sequence[TableVerdict], counts: Sequence[RowCounts] | None, *, seconds: float
) -> tuple[TableReport, ...]:
    """Account for every table; each gets its share of the unit's ``seconds`` by records."""
    reports = []
    for number, verdict in enumerate(judged):
        processed, written = verdict.processed, None
        if counts is not None:
            written = counts[number].inserted, counts[number].updated, int(verdict.compared.unchanged.sum())
        report = TableReport.of(
            verdict.sent.source.table,
            read=processed.read,
            accepted=len(processed.rows),
            written=written,
            duplicates=len(processed.duplicates),
            rejected=processed.rejected,
            repaired=processed.repairs,
            seconds=seconds * processed.read / max(len(unit), 1),
            lines_skipped=dict(verdict.sent.skipped),
        )
        reports.append(report)
    return tuple(reports)


def _keep_rejects(
    cursor: CursorWrapper, unit: Unit, judged: TableVerdict, batch: Batch, replays: Mapping[int, int]
) -> tuple[int, Mapping[int, int]]:
    """Keep one table's rejects; return the server's count of them, and their numbers by the indices of the records.

    Each is a row of its own, or seen once more, or one that was replayed in vain.
    """
    if not judged.processed.rejected:
        return 0, {}
    contract = judged.sent.source.contract
    rejects = _named(rejects_of(judged.processed, contract), unit)
    # One moment for all tables: by it the rejects are found that this batch saw once more.
    moment = batch.finished_at or timezone.now()
    origin = RejectOrigin(
        batch=batch.id,
        contract=contract,
        now=moment,
        columns=judged.sent.columns,
        signs=judged.sent.signs,
        atomic=unit.mode == "atomic",
    )
    if replays:
        return renew_rejects(cursor, rejects, replays, origin), replays
    numbers = store_numbered(cursor, rejects, origin)
    return len(numbers), numbers


def _named(rejects: pa.Table, unit: Unit) -> pa.Table:
    """Put the sender's reference and group on each reject."""
    for name, by_index in (("ref", unit.refs), ("group", unit.groups)):
        if by_index:
            values = pa.array([by_index.get(int(index), "") for index in rejects["position"].to_numpy()], pa.string())
            rejects = rejects.set_column(rejects.column_names.index(name), rejects.schema.field(name), values)
    return rejects
