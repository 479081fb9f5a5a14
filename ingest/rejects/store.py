"""Storing rejects: each once for the same raw record of the same table, however often it is seen."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import IntegrityError, transaction
from django.db.backends.utils import CursorWrapper

from core.arrow import ArrowColumn, Rows, bools, indices, schema_of
from core.errors import DatabaseFailed
from core.postgres.array_literals import array_text
from core.postgres.copy_in import copy_in
from core.postgres.insert_rows import insert_rows
from core.postgres.planner import fetch_by_index
from core.version import __version__
from ingest.accounts.totals import parts_of_rejects
from ingest.models import RejectedRecord
from ingest.rejects.describe import REJECT_SCHEMA, are_superseded
from ingest.rejects.links import link, parents_of
from ingest.rejects.merge import SUPERSEDED_WHY, RejectOrigin, merge_rejects, renew

CHUNK_ROWS = 16_384
CHUNK_BYTES = 32 << 20

_TABLE = RejectedRecord._meta.db_table
_STORED_SCHEMA = schema_of(
    *REJECT_SCHEMA,
    pa.field("id", pa.int64()),
    pa.field("times_seen", pa.int64()),
    pa.field("table", pa.string()),
    pa.field("batch_id", pa.binary(16)),
    pa.field("last_batch_id", pa.binary(16)),
    pa.field("file_name", pa.string()),
    pa.field("contract_version", pa.string()),
    pa.field("app_version", pa.string()),
    pa.field("first_seen_at", pa.timestamp("us", "UTC")),
    pa.field("last_seen_at", pa.timestamp("us", "UTC")),
    pa.field("attempts", pa.int32()),
    pa.field("reading", pa.string()),
    pa.field("status", pa.string()),
    pa.field("closed_at", pa.timestamp("us", "UTC")),
    pa.field("closed_why", pa.string()),
    pa.field("parent_id", pa.int64()),
)
# Which of these raw records are stored already, by their hashes, and as many new numbers: see ``fetch_by_index``.
_KNOWN = """
select array(
    select encode(raw_sha256, 'hex') from ingest_rejectedrecord
    where "table" = %(table)s and reading = %(reading)s and raw_sha256 = any(array(
        select decode(hash, 'hex') from unnest(%(hashes)s::text[]) as hash
    )) order by raw_sha256
), array(
    select nextval((select pg_get_serial_sequence('ingest_rejectedrecord', 'id')::regclass))
    from generate_series(1, %(count)s)
)
"""


def store_rejects(cursor: CursorWrapper, rejects: Iterable[pa.RecordBatch], origin: RejectOrigin) -> int:
    """Store ``rejects`` (``REJECT_SCHEMA``, by position); return the number of records whose reject is stored.

    Must run in a transaction, outside any savepoint that a refused unit rolls back.
    """
    return sum(len(store_numbered(cursor, chunk, origin)) for chunk in _chunks(rejects))


def store_numbered(cursor: CursorWrapper, rejects: pa.Table, origin: RejectOrigin) -> dict[int, int]:
    """Store ``rejects`` likewise; return by position the number under which each is kept."""
    distinct = _Distinct(rejects)
    facts = {"table": origin.contract.table, "reading": origin.reading, "hashes": array_text(distinct.hashes)}
    ((known, numbers),) = fetch_by_index(cursor, _KNOWN, {**facts, "count": len(distinct.hashes)})
    fresh = ~np.isin(distinct.hashes, known) if known else np.ones(len(distinct.hashes), bool)
    stored = _add(cursor, distinct, np.flatnonzero(fresh), numbers[: fresh.sum()], origin) if fresh.any() else {}
    if stored is None:
        fresh[:], stored = False, {}
    if not fresh.all():
        others = rejects.take(indices(np.flatnonzero(~fresh[distinct.place])))
        merged = merge_rejects(cursor, others, origin)
        link(cursor, others, merged, origin)
        stored |= merged
    insert_rows(cursor, parts_of_rejects(origin.contract.table, rejects))
    return stored


def renew_rejects(cursor: CursorWrapper, rejects: pa.Table, numbers: Mapping[int, int], origin: RejectOrigin) -> int:
    """Store the reasons of a replay that failed again with its rejects; ``numbers``: theirs, by position.

    Returns the server's count. What came first (raw, record, position, key) stays.
    """
    if not len(rejects):
        return 0
    renewed = renew(cursor, rejects, numbers, origin)
    link(cursor, rejects, numbers, origin)
    insert_rows(cursor, parts_of_rejects(origin.contract.table, rejects))
    return renewed


class _Distinct:
    """The raw records among n rejects, each once and in the order of their hashes.

    In that order, two batches with the same bad records cannot lock each other out.
    """

    def __init__(self, rejects: pa.Table) -> None:
        digests = [sha256(raw or b"").hexdigest() for raw in rejects["raw"].to_pylist()]
        self.hashes = sorted(set(digests))
        places = {digest: place for place, digest in enumerate(self.hashes)}
        self.place: Rows = np.fromiter((places[digest] for digest in digests), np.int64, len(digests))
        grouped = pc.not_equal(rejects["group"], "").to_numpy()
        # Of equal ones, the first that stands or falls with others; reasons that only the table gave came last. One
        # that is superseded needs nobody, another does.
        order = np.lexsort((rejects["position"].to_numpy(), ~grouped, are_superseded(rejects)))
        _, first, self.times = np.unique(self.place[order], return_index=True, return_counts=True)
        self.rows = rejects.take(indices(order[first]))
        self.position: Rows = rejects["position"].to_numpy()


def _add(
    cursor: CursorWrapper, distinct: _Distinct, fresh: Rows, numbers: list[int], origin: RejectOrigin
) -> dict[int, int] | None:
    """Add the ``fresh`` ones under ``numbers``; None where another batch was the first with one of them."""
    rows = distinct.rows.take(indices(fresh))
    by_position = np.sort(np.array(numbers))[np.argsort(np.argsort(rows["position"].to_numpy()))]
    more = [
        pa.array(by_position),
        pa.array(distinct.times[fresh]),
        *_constants(origin, rows["position"].combine_chunks()),
        *_status(rows, origin),
    ]
    stored = pa.table([*rows.columns, *more, parents_of(cursor, rows, origin)], schema=_STORED_SCHEMA)
    try:
        with transaction.atomic():
            count = copy_in(cursor, _TABLE, [stored], schema=_STORED_SCHEMA)
    except IntegrityError:
        return None
    if count != len(rows):
        raise DatabaseFailed(
            work="storing rejects",
            problem=f"{count:,} of {len(rows):,} were stored",
            remedy=f"A trigger on {_TABLE} may keep rows out: the account would not add up.",
        )
    numbered = np.full(len(distinct.hashes), -1)
    numbered[fresh] = by_position
    assigned = numbered[distinct.place]
    return dict(zip(distinct.position[assigned >= 0].tolist(), assigned[assigned >= 0].tolist(), strict=True))


def _constants(origin: RejectOrigin, position: ArrowColumn) -> list[Any]:
    """Return what all of n rejects have in common, but for the part of their file that each came in."""
    moment, batch = pa.scalar(origin.now, pa.timestamp("us", "UTC")), pa.scalar(origin.batch.bytes, pa.binary(16))
    before: list[Any] = [pa.scalar(origin.contract.table), batch, batch]
    after: list[Any] = [*map(pa.scalar, (origin.contract.version, __version__)), moment, moment]
    after += [pa.scalar(0, pa.int32()), pa.scalar(origin.reading)]
    count = len(position)
    return [
        *(pa.repeat(value, count) for value in before),
        origin.files.of(position),
        *(pa.repeat(value, count) for value in after),
    ]


def _status(rows: pa.Table, origin: RejectOrigin) -> list[ArrowColumn]:
    """Return the status of n rejects, when they were closed and why: at once, where they are superseded already."""
    status, moment = RejectedRecord.Status, pa.scalar(origin.now, pa.timestamp("us", "UTC"))
    superseded = bools(are_superseded(rows))
    return [
        pc.if_else(superseded, status.SUPERSEDED.value, status.OPEN.value),
        pc.if_else(superseded, moment, pa.scalar(None, moment.type)),
        pc.if_else(superseded, SUPERSEDED_WHY, ""),
    ]


def _chunks(rejects: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in rejects:
        held.append(batch)
        if sum(map(len, held)) >= CHUNK_ROWS or sum(part.nbytes for part in held) >= CHUNK_BYTES:
            yield pa.Table.from_batches(held)
            held = []
    if any(map(len, held)):
        yield pa.Table.from_batches(held)
