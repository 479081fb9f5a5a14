"""Finding rejects by a value in the record, an id, or their batch: at most ``REACH_ROWS`` of them."""

import json
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from ingest.sources import sources

REACH_ROWS = 10_000
MAX_TERM = 500  # characters
_VALUES = """
select r.id from unnest(%(patterns)s::jsonb[]) p (part)
cross join lateral (
    select id from ingest_rejectedrecord where record @> p.part limit %(limit)s
) r
"""
_KEYS = """
select r.id from unnest(%(tables)s::text[]) t (name)
cross join lateral (
    select id from ingest_rejectedrecord where "table" = t.name and natural_key = %(term)s limit %(limit)s
) r
"""
_NUMBER = "select id from ingest_rejectedrecord where id = %(number)s or parent_id = %(number)s"
# Two look-ups, since one with "or" would not stop at the limit before it has read both.
_BATCH = """
select id from (
    (select id from ingest_rejectedrecord where last_batch_id = %(batch)s limit %(limit)s)
    union
    (select id from ingest_rejectedrecord where batch_id = %(batch)s limit %(limit)s)
) refused limit %(limit)s
"""


def by_term(cursor: CursorWrapper, term: str) -> list[int]:
    """Find rejects with ``term`` as a whole value or natural key; also by their number, their parent's, or a batch."""
    term = term.strip().replace("\0", "\ufffd")[:MAX_TERM]
    names = {name for source in sources() for name in source.contract.names}
    spellings = sorted({term, term.lower(), term.upper()})
    patterns = [json.dumps({name: spelling}) for name in sorted(names) for spelling in spellings]
    parts = [_VALUES, _KEYS]
    facts: dict[str, Any] = {
        "patterns": patterns,
        "tables": [source.table for source in sources()],
        "term": term,
        "limit": REACH_ROWS,
        "number": int(term) if term.isascii() and term.isdigit() and len(term) < 19 else None,
        "batch": as_uuid(term),
    }
    parts += [_NUMBER] * (facts["number"] is not None) + [_BATCH] * (facts["batch"] is not None)
    cursor.execute("set local enable_bitmapscan = on")  # the only way into an index of values
    cursor.execute(" union ".join(f"({part})" for part in parts) + " limit %(limit)s", facts)
    found = [number for (number,) in cursor.fetchall()]
    cursor.execute("set local enable_bitmapscan = off")
    return found


def by_batch(cursor: CursorWrapper, batch: str) -> list[int]:
    """Find the rejects that a batch refused, first or last."""
    cursor.execute(_BATCH, {"batch": as_uuid(batch), "limit": REACH_ROWS})
    return [number for (number,) in cursor.fetchall()]


def as_uuid(text: str) -> UUID | None:
    """Read the id of a batch."""
    try:
        return UUID(text)
    except ValueError:
        return None
