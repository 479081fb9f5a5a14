"""Batches as the desk needs them: the latest that refused something, and why they refused it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from ingest.desk.search.cells import by_index
from ingest.desk.search.counts import Count, rounded
from ingest.desk.search.find import REACH_ROWS
from ingest.desk.search.listing import RejectList
from ingest.models import Batch

LATEST_BATCHES = 300  # among which those with rejects are looked for
SHOWN_BATCHES = 7


@dataclass(frozen=True)
class RefusingBatch:
    """A batch that refused records."""

    pk: UUID
    origin: str
    started_at: datetime
    rejected: int

    @property
    def name(self) -> str:
        """Say what it was, and when."""
        return f"{self.origin}, {timezone.localtime(self.started_at):%d %b %H:%M}"


# Finds the latest batches that refused records of some tables, and how many.
_LATEST_REFUSING = """
select b.id, b.origin, b.started_at, sum(a.rejected)
from (select id, origin, started_at from ingest_batch order by started_at desc limit %(latest)s) b
join ingest_account a on a.batch_id = b.id and a.rejected > 0 and a."table" = any(%(tables)s)
group by b.id, b.origin, b.started_at order by b.started_at desc limit %(shown)s
"""
# Counts what a batch was the last to refuse by table, codes and fields, among so many of its rejects. The batch that
# had a replayed one last is the one that took it.
_COUNT_BY_REASON = """
select "table", codes, fields, count(*), bool_or(status = 'open') from (
    select r."table", r.codes, r.fields, r.status from ingest_rejectedrecord r
    where r.last_batch_id = %(batch)s and r.status <> 'replayed' and r."table" = any(%(tables)s) limit %(reach)s
) r
group by "table", codes, fields order by count(*) desc limit %(shown)s
"""
SHOWN_REASONS = 16
LOOKED_AT = 1_000  # rejects of one batch; of more, the share that is in the list is an estimate

# Counts of each batch the rejects of some tables that were looked at, and those of them that are in the list.
_COUNT_IN_LIST = """
select b.id, count(r.id), count(r.id) filter (where (%(table)s = '' or r."table" = %(table)s)
    and (%(code)s = '' or r.codes @> array[%(code)s])
    and (%(field)s = '' or r.fields @> array[%(field)s])
    and (%(status)s = '' or r.status = %(status)s)
    and (%(origin)s = '' or r.origin = %(origin)s)
    and (%(group)s = '' or r.fingerprint::text = %(group)s)
    and r.last_seen_at >= %(from)s and r.last_seen_at < %(until)s
    and (%(beside)s::bigint[] is null or r.id = any(%(beside)s)))
from unnest(%(batches)s::uuid[]) b (id) left join lateral (
    select * from (
        (select * from (select * from ingest_rejectedrecord where last_batch_id = b.id offset 0) last
         where "table" = any(%(tables)s) limit %(looked)s)
        union all
        (select * from (
            select * from ingest_rejectedrecord where batch_id = b.id and last_batch_id <> b.id offset 0) first
         where "table" = any(%(tables)s) limit %(looked)s)
    ) refused limit %(looked)s
) r on true
group by b.id
"""


def with_rejects(
    cursor: CursorWrapper, listing: RejectList, tables: Sequence[str]
) -> list[tuple[RefusingBatch, Count]]:
    """Return the latest batches with records in the list, whatever batch it is narrowed to, the newest first."""
    facts: dict[str, Any] = {"latest": LATEST_BATCHES, "shown": SHOWN_BATCHES, "tables": list(tables)}
    with by_index(cursor):
        cursor.execute(_LATEST_REFUSING, facts)
        batches = [RefusingBatch(pk, origin, started, int(rows)) for pk, origin, started, rows in cursor.fetchall()]
        asked, beside = listing.asked, listing.beside
        facts |= {name: getattr(asked, name) for name in ("table", "code", "field", "status", "origin", "group")}
        facts |= {"from": asked.span[0], "until": asked.span[1], "beside": None if beside is None else list(beside)}
        cursor.execute(_COUNT_IN_LIST, {**facts, "batches": [batch.pk for batch in batches], "looked": LOOKED_AT + 1})
        shares = {pk: (looked, matched) for pk, looked, matched in cursor.fetchall()}
    counted = [(batch, _count(batch, *shares[batch.pk], cut=listing.cut)) for batch in batches]
    return [(batch, count) for batch, count in counted if count.rows]


def _count(batch: RefusingBatch, looked: int, matched: int, *, cut: bool) -> Count:
    if cut:
        return Count(matched, "over")
    if looked <= LOOKED_AT:
        return Count(matched)
    return Count(rounded(max(matched, batch.rejected * matched // looked)), "about")


@dataclass(frozen=True)
class ReasonCount:
    """Rejects of one batch that are alike."""

    table: str
    codes: tuple[str, ...]
    fields: tuple[str, ...]
    rows: int
    open: bool


def rejects_by_reason(cursor: CursorWrapper, batch: Batch, tables: Sequence[str]) -> list[ReasonCount]:
    """Count what a batch was the last to refuse, by reasons; looks at no more than ``REACH_ROWS`` rejects."""
    facts: dict[str, Any] = {"batch": batch.pk, "tables": list(tables), "reach": REACH_ROWS, "shown": SHOWN_REASONS}
    with by_index(cursor):
        cursor.execute(_COUNT_BY_REASON, facts)
        return [
            ReasonCount(table, tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(filter(None, fields))), rows, is_open)
            for table, codes, fields, rows, is_open in cursor.fetchall()
        ]
