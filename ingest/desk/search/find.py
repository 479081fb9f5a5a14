"""Finding rejects by a value in the record, an id, their batch or their age: some, or as many as there are."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from ingest.rules.sources import sources

REACH_ROWS = 10_000
MAX_TERM = 500  # characters
# Begins a query of the rejects of some numbers. "materialized" keeps the planner from beginning with the cells, which
# may hold everything.
WITH_REJECTS_AMONG = """
with r as materialized (
    select r.id, r.last_seen_at, r.fingerprint, r.status, r.origin
    from unnest(%(among)s::bigint[]) f (id) join ingest_rejectedrecord r using (id)
)
"""
# Where rejects are looked for by something else, "offset 0" keeps the planner from beginning with their tables.

# Finds rejects of some tables one of whose fields has one of some values, by the index of the records.
_BY_VALUE = """
select r.id from unnest(%(patterns)s::jsonb[]) p (part)
cross join lateral (
    select id from (select id, "table" from ingest_rejectedrecord where record @> p.part offset 0) found
    where "table" = any(%(tables)s) limit %(limit)s
) r
"""
# Finds rejects of some tables by their natural key.
_BY_NATURAL_KEY = """
select r.id from unnest(%(tables)s::text[]) t (name)
cross join lateral (
    select id from ingest_rejectedrecord where "table" = t.name and natural_key = %(term)s limit %(limit)s
) r
"""
# Finds rejects by the name that their sender gave them.
_BY_REF = """
select id from (select id, "table" from ingest_rejectedrecord where ref = %(term)s and ref <> '' offset 0) found
where "table" = any(%(tables)s) limit %(limit)s
"""
# Finds a reject by its number, and those that wait for it.
_BY_NUMBER = """
select r.id from ingest_rejectedrecord r
where (r.id = %(number)s or r.parent_id = %(number)s) and exists (
    select from ingest_rejectedrecord found where found.id = %(number)s and found."table" = any(%(tables)s))
"""
# Finds the open rejects of some tables that were first seen between two moments.
_BY_AGE = """
select r.id from unnest(%(tables)s::text[]) t (name) cross join lateral (
    select id from ingest_rejectedrecord
    where "table" = t.name and status = 'open' and first_seen_at >= %(from)s and first_seen_at < %(until)s
    limit %(limit)s
) r limit %(limit)s
"""
# Finds the rejects of some tables that a batch refused first or last. Two look-ups, since one with "or" would not stop
# at the limit before it has read both.
_BY_BATCH = """
select id from (
    (select id from (select id, "table" from ingest_rejectedrecord where last_batch_id = %(batch)s offset 0) last
     where "table" = any(%(tables)s) limit %(limit)s)
    union
    (select id from (select id, "table" from ingest_rejectedrecord where batch_id = %(batch)s offset 0) first
     where "table" = any(%(tables)s) limit %(limit)s)
) refused limit %(limit)s
"""


def by_term(cursor: CursorWrapper, term: str, tables: Sequence[str], *, at_most: int | None) -> list[int]:
    """Find rejects of ``tables`` with ``term`` as a whole value, natural key or sender's name; also by their number,
    their parent's, or a batch. Those of other tables do not count for ``at_most``: that there are many is not told."""
    term = term.strip().replace("\0", "\ufffd")[:MAX_TERM]
    names = {name for source in sources() if source.table in tables for name in source.contract.names}
    spellings = sorted({term, term.lower(), term.upper()})
    patterns = [json.dumps({name: spelling}) for name in sorted(names) for spelling in spellings]
    parts = [_BY_VALUE, _BY_NATURAL_KEY, _BY_REF]
    facts: dict[str, Any] = {
        "patterns": patterns,
        "tables": list(tables),
        "term": term,
        "limit": at_most,
        "number": int(term) if term.isascii() and term.isdigit() and len(term) < 19 else None,
        "batch": as_uuid(term),
    }
    parts += [_BY_NUMBER] * (facts["number"] is not None) + [_BY_BATCH] * (facts["batch"] is not None)
    cursor.execute("set local enable_bitmapscan = on")  # the only way into an index of values
    cursor.execute(" union ".join(f"({part})" for part in parts) + " limit %(limit)s", facts)
    numbers = [number for (number,) in cursor.fetchall()]
    cursor.execute("set local enable_bitmapscan = off")
    return numbers


def by_batch(cursor: CursorWrapper, batch: str, tables: Sequence[str], *, at_most: int | None) -> list[int]:
    """Find the rejects of ``tables`` that a batch refused, first or last."""
    cursor.execute(_BY_BATCH, {"batch": as_uuid(batch), "tables": list(tables), "limit": at_most})
    return [number for (number,) in cursor.fetchall()]


def by_age(
    cursor: CursorWrapper, span: tuple[datetime, datetime], tables: Sequence[str], *, at_most: int | None
) -> list[int]:
    """Find the open rejects of ``tables`` that were first seen between two moments."""
    cursor.execute(_BY_AGE, {"from": span[0], "until": span[1], "tables": list(tables), "limit": at_most})
    return [number for (number,) in cursor.fetchall()]


def as_uuid(text: str) -> UUID | None:
    """Read the id of a batch."""
    try:
        return UUID(text)
    except ValueError:
        return None
