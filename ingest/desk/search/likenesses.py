"""Rejects by fingerprint: one broken client makes a thousand alike, and they are one line here.

On the pages and in addresses people call a likeness a group; here a group is what stands or falls together.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from ingest.desk.search.cells import RejectCell, by_index
from ingest.desk.search.counts import Count, total

SHOWN_LIKENESSES = 100
LOOKED_AT = 100  # of alike rejects, those not seen for longest: the first of them is when it began


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Rejects of one table with the same codes and fields, in the order of their reasons."""

    fingerprint: int
    table: str
    codes: tuple[str, ...]
    fields: tuple[str, ...]
    count: Count
    open: Count
    sample: int
    sample_key: str
    message: str
    first_seen: datetime
    last_seen: datetime


# Tells of each fingerprint its sample's key and words, and when its rejects were first and last seen.
_SAMPLES_AND_SPANS = """
select g.fingerprint, sample.natural_key, sample.reasons -> 0 ->> 'message',
    (select min(first_seen_at) from unnest(g.keys) k (key) cross join lateral (
        select first_seen_at from ingest_rejectedrecord r
        where r.fingerprint = g.fingerprint and r.status = split_part(k.key, ' ', 1)
            and r.origin = split_part(k.key, ' ', 2)
        order by last_seen_at, id limit %(looked)s) oldest),
    (select max(last_seen_at) from unnest(g.keys) k (key) cross join lateral (
        select last_seen_at from ingest_rejectedrecord r
        where r.fingerprint = g.fingerprint and r.status = split_part(k.key, ' ', 1)
            and r.origin = split_part(k.key, ' ', 2)
        order by last_seen_at desc, id desc limit 1) newest)
from (select fingerprint, min(sample) as sample, array_agg(status || ' ' || origin) as keys
      from unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[], %(samples)s::bigint[])
          c (fingerprint, status, origin, sample)
      group by fingerprint) g
join ingest_rejectedrecord sample on sample.id = g.sample
"""


def find_likenesses(cursor: CursorWrapper, cells: Iterable[RejectCell]) -> list[Likeness]:
    """Put cells together by fingerprint: at most ``SHOWN_LIKENESSES``, the largest first."""
    alike: dict[int, list[RejectCell]] = {}
    for cell in cells:
        alike.setdefault(cell.fingerprint, []).append(cell)
    counts = {fingerprint: total(cell.count for cell in parts) for fingerprint, parts in alike.items()}
    largest = sorted(alike, key=lambda fingerprint: (-counts[fingerprint].rows, fingerprint))[:SHOWN_LIKENESSES]
    shown = [cell for fingerprint in largest for cell in alike[fingerprint]]
    return [_likeness(alike[row[0]], counts[row[0]], row) for row in sorted(_facts(cursor, shown), key=_place(largest))]


def _place(largest: list[int]) -> Callable[[tuple[Any, ...]], int]:
    places = {fingerprint: place for place, fingerprint in enumerate(largest)}
    return lambda row: places[row[0]]


def _facts(cursor: CursorWrapper, cells: list[RejectCell]) -> list[tuple[Any, ...]]:
    with by_index(cursor):
        cursor.execute(
            _SAMPLES_AND_SPANS,
            {
                "prints": [cell.fingerprint for cell in cells],
                "statuses": [cell.status for cell in cells],
                "origins": [cell.origin for cell in cells],
                "samples": [cell.sample for cell in cells],
                "looked": LOOKED_AT,
            },
        )
        return list(cursor.fetchall())


def _likeness(cells: list[RejectCell], count: Count, row: tuple[Any, ...]) -> Likeness:
    _, key, message, first_seen, last_seen = row
    return Likeness(
        fingerprint=cells[0].fingerprint,
        table=cells[0].table,
        codes=cells[0].codes,
        fields=cells[0].fields,
        count=count,
        open=total(cell.count for cell in cells if cell.status == "open"),
        sample=min(cell.sample for cell in cells),
        sample_key=key,
        message=message or "",
        first_seen=first_seen,
        last_seen=last_seen,
    )
