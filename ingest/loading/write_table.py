"""Write one file's rows into its table: by COPY without indexes where the table is empty, by merge where it is not."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import ArrowColumn
from core.postgres.copy_in import copy_encoded
from core.postgres.drop_and_rebuild import drop_for_load, rebuild
from core.postgres.locks.table_locks import lock_tables_for_load
from ingest.loading.file_plan import FilePlan, FileResult
from ingest.loading.options import LoadOptions
from ingest.loading.read_ahead import FileBlocks
from ingest.processing.reasons import REASON_SCHEMA, reasons
from ingest.rules.contract import Contract
from ingest.rules.sources import Source, is_adopted, sources
from ingest.tables.refusals import STORED_ALREADY, refused_by_database, refuses_rows
from ingest.tables.stage import STAGE, StagingTable

log = logging.getLogger(__name__)

LOCK_TIMEOUT_SECONDS = 30
MISSING_PARENT = "missing_parent"  # the repair under which added parents are counted


@dataclass(frozen=True, kw_only=True)
class FileRowCounts:
    """What the server says it did with the accepted rows; ``late``: reasons that only it could find."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    parents_added: int = 0
    notes: tuple[str, ...] = ()  # what stayed in place, and why
    late: pa.Table = field(default_factory=REASON_SCHEMA.empty_table)


class LimitPassed(Exception):
    """More rejects than the caller allows: the file's rows are not kept."""


class ChecksIncomplete(Exception):
    """PostgreSQL refused rows that the checks had accepted: a merge finds out which."""


class RefusedUnforeseen(Exception):
    """PostgreSQL refused rows in whose place earlier records of their keys may be good: ``reasons`` says which."""

    def __init__(self, reasons: pa.Table) -> None:
        super().__init__()
        self.reasons = reasons


def keep_limit(result: FileResult, options: LoadOptions) -> None:
    """Raise LimitPassed where the file has more rejects than allowed."""
    limit = options.max_rejects
    if limit is not None and limit.passed(rejected=result.rejects.count - result.closed, read=result.read):
        raise LimitPassed


def write_empty(cursor: CursorWrapper, plan: FilePlan, blocks: FileBlocks, options: LoadOptions) -> FileRowCounts:
    """COPY into an empty table with its constraints and indexes dropped, as far as they can be, then rebuild them."""
    contract = plan.source.contract
    if options.dry_run:
        return FileRowCounts(inserted=blocks.result.accepted, parents_added=_count_adopted(blocks.result))
    try:
        lock_tables_for_load(cursor, [contract.db_table], timeout_seconds=LOCK_TIMEOUT_SECONDS)
        dropped = drop_for_load(cursor, contract.db_table)
        inserted = copy_encoded(cursor, contract.db_table, contract.names, blocks)
        keep_limit(blocks.result, options)
        added = _add_parents(cursor, plan.source, blocks.result)
        rebuild(cursor, dropped)
    except DatabaseError as error:
        if not refuses_rows(error):
            raise
        log.error("the rulebook of %s let through what PostgreSQL refuses: %s", contract.table, error)
        raise ChecksIncomplete from error
    return FileRowCounts(inserted=inserted, parents_added=added, notes=dropped.notes)


def write_merged(cursor: CursorWrapper, plan: FilePlan, blocks: FileBlocks, options: LoadOptions) -> FileRowCounts:
    """Stage the rows, compare them with the table by one join, and write only what differs."""
    source, updates = plan.source, options.on_conflict == "update"
    stage = StagingTable(cursor, source.contract, fills_placeholders=is_adopted(source))
    stage.create()
    copy_encoded(cursor, STAGE.string, plan.schema.names, blocks)
    keep_limit(blocks.result, options)
    _discard_superseded(stage, blocks.result)
    counts = stage.classify()
    late = _conflicts(stage, source.contract) if counts.conflicts and not updates else REASON_SCHEMA.empty_table()
    if options.dry_run:
        return FileRowCounts(
            inserted=counts.new,
            updated=counts.placeholders + (counts.conflicts if updates else 0),
            unchanged=counts.unchanged + blocks.result.unchanged,
            parents_added=_count_adopted(blocks.result),
            late=late,
        )
    added = _add_parents(cursor, source, blocks.result)
    updated, refused = (
        stage.update(conflicts=updates) if counts.placeholders or (counts.conflicts and updates) else (0, {})
    )
    inserted, refused_new = stage.insert() if counts.new else (0, {})
    if refused or refused_new:
        unforeseen = refused_by_database({**refused, **refused_new})
        if len(blocks.result.superseded[0]):
            raise RefusedUnforeseen(unforeseen)
        late = pa.concat_tables([late, unforeseen]).sort_by("position")
    return FileRowCounts(
        inserted=inserted,
        updated=updated,
        unchanged=counts.unchanged + blocks.result.unchanged,
        parents_added=added,
        late=late,
    )


def _discard_superseded(stage: StagingTable, result: FileResult) -> None:
    """Leave of each key the row that counts, and of the parents to add those that such a row names."""
    positions, _ = result.superseded
    if not len(positions):
        return
    discarded = stage.discard(positions.tolist())
    result.unchanged -= len(positions) - discarded  # not staged, for the table holds them
    for column, keys in result.adopted.items():
        every = pa.concat_arrays(keys).unique()
        result.adopted[column] = [pa.array(stage.named(column, every.to_pylist()), every.type)]


def _adopted(result: FileResult) -> Iterator[tuple[str, ArrowColumn]]:
    """Yield the distinct keys of the parents to add, by reference column."""
    for column, keys in result.adopted.items():
        yield column, pa.concat_arrays(keys).unique()


def _count_adopted(result: FileResult) -> int:
    return sum(len(keys) for _, keys in _adopted(result))


def _add_parents(cursor: CursorWrapper, source: Source, result: FileResult) -> int:
    """Insert placeholders (a key, all else NULL) for the parents that this file misses; return their number."""
    parents = {reference.column: reference.table for reference in source.contract.references}
    contracts = {other.table: other.contract for other in sources()}
    added = 0
    for column, keys in _adopted(result):
        parent = contracts[parents[column]]
        insert = sql.SQL("insert into {} ({}) select unnest(%s) on conflict do nothing").format(
            sql.Identifier(parent.db_table), sql.Identifier(parent.natural_key[0])
        )
        cursor.execute(insert, [sorted(keys.to_pylist())])
        added += int(cursor.rowcount)
    return added


def _conflicts(stage: StagingTable, contract: Contract) -> pa.Table:
    """Return the reasons of rows that are stored with other content."""
    conflicts = stage.conflicts()
    before, after = STORED_ALREADY.split("{differs}")
    return reasons(
        conflicts["position"],
        field=contract.natural_key[0],
        code="unique",
        message=pc.binary_join_element_wise(before, conflicts["differs"], after, ""),
        values=conflicts["key"],
    )
