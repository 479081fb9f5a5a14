"""``post``: one unit of records into the tables, with rejects and account, in the caller's transaction."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pyarrow as pa
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.utils import timezone

from core.errors import TableBusy
from core.postgres.advisory_locks import share
from core.postgres.insert_rows import insert_rows
from core.version import __version__
from ingest.accounts.report import FileFacts, TableReport, account_row, status_of
from ingest.accounts.totals import parts_of, parts_of_batch
from ingest.models import Batch
from ingest.posting.judge import Judge
from ingest.posting.judged import TableVerdict
from ingest.posting.outcome import UnitResult
from ingest.posting.settle import question, settle_rejects
from ingest.posting.unit import Unit
from ingest.rejects.describe import rejects_of
from ingest.rejects.merge import RejectOrigin
from ingest.rejects.store import store_numbered
from ingest.tables.locked_parents import tables_of
from ingest.tables.refusals import refused_by_database, refuses_rows
from ingest.tables.write_rows import RowCounts, culprits, key_exists, write

SHARE_TIMEOUT_SECONDS = 1
# Keeps one table's rejects; gives the server's count of them, and their numbers by the indices of their records.
type KeepRejects = Callable[[CursorWrapper, Unit, TableVerdict, Batch], tuple[int, dict[int, int]]]
# Each failure means that another batch with some of the same keys was committed, or that a table refused rows.
ATTEMPTS = 20


def post(
    cursor: CursorWrapper,
    unit: Unit,
    *,
    origin: str,
    user: User | None,
    options: dict[str, Any],
    caused_by: Batch | None = None,
    keep: KeepRejects | None = None,
    replayed: Sequence[int] = (),
) -> UnitResult:
    """Check ``unit``, write what is good, keep what is not, and account for all.

    Must run in a transaction, whose rollback leaves nothing behind. TableBusy where a load or restore holds a table;
    Django's database errors pass through. ``options`` are kept with the batch; ``keep`` says where rejects go,
    ``replayed`` are the numbers of those that the unit replays. Orphans may wait for its records: whoever runs the
    transaction hands the result to ``heal.schedule``.
    """
    started, clock = timezone.now(), time.monotonic()
    share(cursor, tables_of(table.source for table in unit.tables), timeout_seconds=SHARE_TIMEOUT_SECONDS)
    judge = Judge(cursor, unit)
    judged, counts = _write(cursor, unit, judge)
    tables = _reports(unit, judged, counts, seconds=time.monotonic() - clock)
    status = status_of(tables)
    if unit.dry_run:
        return UnitResult(batch=None, status=status, tables=tables, judged=tuple(judged), refused=counts is None)
    batch = Batch(
        id=uuid4(),
        origin=origin,
        status=status,
        user=user,
        options={"mode": unit.mode, "on_conflict": unit.on_conflict, **options},
        caused_by=caused_by,
        app_version=__version__,
        started_at=started,
        finished_at=timezone.now(),
    )
    rows: list[Model] = [batch]
    numbers: dict[int, int] = {}
    for verdict, report in zip(judged, tables, strict=True):
        stored, new_numbers = (keep or keep_rejects)(cursor, unit, verdict, batch)
        numbers |= new_numbers
        account = replace(report, rejected=stored)
        rows.append(account_row(batch.id, verdict.sent.source, account, file=FileFacts(columns=verdict.sent.columns)))
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
        awaited=() if counts is None else settle_rejects(cursor, judged, batch, replayed=replayed),
    )


def _write(cursor: CursorWrapper, unit: Unit, judge: Judge) -> tuple[list[TableVerdict], list[RowCounts] | None]:
    """Judge and write until both agree; None in place of counts where the unit as a whole was refused."""
    for _ in range(ATTEMPTS):
        judged, rows = [], []
        try:
            with transaction.atomic():  # its end lets go of its locks too: the next attempt takes all of them in order
                judged = judge.verdict()
                if unit.mode == "atomic" and any(len(verdict.refused) for verdict in judged):
                    return judged, None
                rows = [verdict.to_write() for verdict in judged]
                if unit.dry_run:
                    return judged, [RowCounts(len(table.new), len(table.changed)) for table in rows]
                return judged, write(cursor, rows)
        except DatabaseError as error:
            if not rows or not refuses_rows(error):
                raise
            if judge.trusts:
                judge.doubt()
                continue
            if key_exists(error) and _overtaken(judge, judged):
                continue
            refused = culprits(cursor, rows)
            if any(map(key_exists, refused.values())) and _overtaken(judge, judged):  # while they were sought
                refused = {index: error for index, error in refused.items() if not key_exists(error)}
            judge.forget()
            judge.refuse(refused_by_database(refused))
    raise TableBusy(
        tables=", ".join(table.source.table for table in unit.tables),
        holder="other batches with the same keys",
        remedy="Send it again.",
    )


def _overtaken(judge: Judge, judged: Sequence[TableVerdict]) -> bool:
    """Ask the tables again; tell whether they hold a key by now that they did not hold before."""
    judge.forget()
    with transaction.atomic():
        again = (judge.stored[verdict.sent.source.table].compare(verdict.processed.rows) for verdict in judged)
        overtaken = any((now.new != verdict.compared.new).any() for now, verdict in zip(again, judged, strict=True))
        transaction.set_rollback(True)
    judge.forget()
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
        )
        reports.append(report)
    return tuple(reports)


def keep_rejects(cursor: CursorWrapper, unit: Unit, judged: TableVerdict, batch: Batch) -> tuple[int, dict[int, int]]:
    """Store one table's rejects, each as a row of its own or seen once more."""
    if not judged.processed.rejected:
        return 0, {}
    contract = judged.sent.source.contract
    rejects = _named(rejects_of(judged.processed, contract), unit)
    # One moment for all tables: by it the rejects are found that this batch saw once more.
    moment = batch.finished_at or timezone.now()
    columns, atomic = judged.sent.columns, unit.mode == "atomic"
    origin = RejectOrigin(batch=batch.id, contract=contract, now=moment, columns=columns, atomic=atomic)
    numbers = store_numbered(cursor, rejects, origin)
    return len(numbers), numbers


def _named(rejects: pa.Table, unit: Unit) -> pa.Table:
    """Put the sender's reference and group on each reject."""
    for name, by_index in (("ref", unit.refs), ("group", unit.groups)):
        if by_index:
            values = pa.array([by_index.get(int(index), "") for index in rejects["position"].to_numpy()], pa.string())
            rejects = rejects.set_column(rejects.column_names.index(name), rejects.schema.field(name), values)
    return rejects
