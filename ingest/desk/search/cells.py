"""Cells: the rejects of one table with the same codes and fields, one status and one origin.

There are some hundred cells however many rejects there are. They are found by hopping through one index, so a list,
its counts, its filters and the view by likeness never read the table: filters choose cells, and the index gives their
rows in the order in which they were last seen.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from ingest.desk.search.counts import COUNTED_ROWS, Count, rounded, total
from ingest.desk.search.spans import EVER, Span

MAX_CELLS = 2_000  # as far as a page looks: a client that sends ever new fields makes ever new cells


@dataclass(frozen=True, kw_only=True)
class RejectCell:
    """One cell, a sample of it (the one not seen for longest), and how many there are."""

    fingerprint: int
    status: str
    origin: str
    table: str
    codes: tuple[str, ...]
    fields: tuple[str, ...]
    sample: int
    count: Count

    @property
    def key(self) -> tuple[int, str, str]:
        """What all its rejects have in common."""
        return self.fingerprint, self.status, self.origin


# Finds the cells by hopping through the index from each to the next, and counts the rejects of each up to a limit.
_HOP_TO_CELLS = """
with recursive cell as (
    (select fingerprint, status, origin, id from ingest_rejectedrecord
     order by fingerprint, status, origin, last_seen_at limit 1)
    union all
    select next.* from cell cross join lateral (
        select r.fingerprint, r.status, r.origin, r.id from ingest_rejectedrecord r
        where (r.fingerprint, r.status, r.origin) > (cell.fingerprint, cell.status, cell.origin)
        order by r.fingerprint, r.status, r.origin, r.last_seen_at limit 1
    ) next
),
counted as (
    select cell.*, (
        select count(*) from (
            select from ingest_rejectedrecord r
            where r.fingerprint = cell.fingerprint and r.status = cell.status and r.origin = cell.origin
                and r.last_seen_at >= %(from)s and r.last_seen_at < %(until)s
            limit %(limit)s
        ) rows
    ) as rows
    from (select * from cell limit %(cells)s) cell
)
"""
# Puts the rejects of some numbers together into cells, and counts them all.
_CELLS_AMONG = """
with counted as (
    select r.fingerprint, r.status, r.origin, min(r.id) as id, count(*) as rows
    from unnest(%(among)s::bigint[]) f (id) join ingest_rejectedrecord r using (id)
    where r.last_seen_at >= %(from)s and r.last_seen_at < %(until)s
    group by r.fingerprint, r.status, r.origin
)
"""
# Ends either of these two: tells of each cell that is of the tables asked for what its sample shows.
_DESCRIBE_CELLS = """
select c.fingerprint, c.status, c.origin, sample."table", sample.codes, sample.fields, c.id, c.rows,
    (select count(*) from counted)
from counted c join ingest_rejectedrecord sample using (id)
where c.rows > 0 and sample."table" = any(%(tables)s)
"""
# Asks the planner's statistics how many rejects the most frequent fingerprints have.
_ESTIMATE_LIKENESSES = """
select kind.fingerprint, (kind.share * greatest(c.reltuples, 0))::bigint
from pg_stats s join pg_class c on c.oid = 'ingest_rejectedrecord'::regclass
cross join lateral unnest(s.most_common_vals::text::bigint[], s.most_common_freqs) as kind (fingerprint, share)
where s.schemaname = current_schema() and s.tablename = 'ingest_rejectedrecord' and s.attname = 'fingerprint'
"""


@contextmanager
def by_index(cursor: CursorWrapper) -> Iterator[None]:
    """Keep the planner from reading the whole table because some of it is wanted soon: an index serves each query.

    And from reading all of a cell in the index for a bitmap, where the first rows are wanted.
    """
    with transaction.atomic():
        cursor.execute("set local enable_seqscan = off; set local enable_bitmapscan = off")
        yield
        # Not after an error: the rollback does it, and the statement would fail in its place.
        cursor.execute("set local enable_seqscan = on; set local enable_bitmapscan = on")


def find_cells(
    cursor: CursorWrapper,
    tables: Sequence[str],
    *,
    span: Span = EVER,
    among: Sequence[int] | None = None,
    at_most: int | None = MAX_CELLS,
) -> list[RejectCell]:
    """Return the cells of ``tables`` that were seen in ``span``; where given, only of the rejects ``among``.

    Where there may be more than ``at_most``, all counts are lower bounds.
    """
    facts: dict[str, Any] = {
        "from": span[0],
        "until": span[1],
        "tables": list(tables),
        "cells": at_most,
        "limit": COUNTED_ROWS + 1,
    }
    cursor.execute(
        (_HOP_TO_CELLS if among is None else _CELLS_AMONG) + _DESCRIBE_CELLS, facts | {"among": list(among or ())}
    )
    rows = cursor.fetchall()
    cells = [_cell(row, exact=among is not None) for row in rows]
    if among is None and rows and rows[0][-1] == at_most:
        return [replace(cell, count=replace(cell.count, kind="over")) for cell in cells]
    if span == EVER and any(cell.count.kind != "exact" for cell in cells):
        return _estimated(cursor, cells)
    return cells


def keys_of(cells: Sequence[RejectCell]) -> dict[str, Any]:
    """Return what cells have in common as three arrays, for a query."""
    return {
        "prints": [cell.fingerprint for cell in cells],
        "statuses": [cell.status for cell in cells],
        "origins": [cell.origin for cell in cells],
    }


def _cell(row: Sequence[Any], *, exact: bool) -> RejectCell:
    fingerprint, status, origin, table, codes, fields, sample, rows, _ = row
    over = rows > COUNTED_ROWS and not exact
    return RejectCell(
        fingerprint=fingerprint,
        status=status,
        origin=origin,
        table=table,
        codes=tuple(dict.fromkeys(codes)),
        fields=tuple(dict.fromkeys(filter(None, fields))),
        sample=sample,
        count=Count(COUNTED_ROWS, "over") if over else Count(rows),
    )


def _estimated(cursor: CursorWrapper, cells: Sequence[RejectCell]) -> list[RejectCell]:
    """Replace lower bounds by what the planner knows: its share of each fingerprint, less what was counted of it."""
    cursor.execute(_ESTIMATE_LIKENESSES)
    estimates = dict(cursor.fetchall())
    estimated = []
    for cell in cells:
        if cell.count.kind == "over" and cell.fingerprint in estimates:
            alike = [other for other in cells if other.fingerprint == cell.fingerprint]
            counted = total(other.count for other in alike if other.count.kind == "exact").rows
            vague = sum(other.count.kind == "over" for other in alike)
            guess = max((estimates[cell.fingerprint] - counted) // vague, COUNTED_ROWS)
            estimated.append(replace(cell, count=Count(rounded(guess), "about")))
        else:
            estimated.append(cell)
    return estimated
