"""A list of rejects: what was asked for, the counts that stand beside its filters, and one page of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.backends.utils import CursorWrapper

from ingest.desk.search.cells import MAX_CELLS, RejectCell, by_index, find_cells, keys_of
from ingest.desk.search.counts import Count, total
from ingest.desk.search.days import count_days
from ingest.desk.search.find import REACH_ROWS, WITH_REJECTS_AMONG, by_age, by_batch, by_term
from ingest.desk.search.spans import EVER, Span, span_of


@dataclass(frozen=True, kw_only=True)
class RejectFilter:
    """What a list is narrowed to; empty texts for what it is not. ``day`` (last seen) is a date in ISO form or two
    such (``2026-01-01..2026-01-31``, each may be missing), ``first`` likewise when open ones were first seen, ``group``
    (as people call a likeness) a fingerprint."""

    table: str = ""
    code: str = ""
    field: str = ""
    status: str = ""
    origin: str = ""
    group: str = ""
    day: str = ""
    first: str = ""
    batch: str = ""
    term: str = ""

    def chooses(self, cell: RejectCell, *, but: str = "") -> bool:
        """Tell whether the cell's rejects are asked for; ``but`` names a filter to leave out."""
        has = {
            "table": (cell.table,),
            "code": cell.codes,
            "field": cell.fields,
            "status": (cell.status,),
            "origin": (cell.origin,),
            "group": (str(cell.fingerprint),),
        }
        wanted = {name: getattr(self, name) for name in has if name != but}
        return all(not value or value in has[name] for name, value in wanted.items())

    @property
    def span(self) -> Span:
        """The moments between which the rejects were last seen."""
        return span_of(self.day) if self.day else EVER


@dataclass(frozen=True, kw_only=True)
class RejectList:
    """All cells in reach of the search, and those asked for. ``among``: numbers of rejects, where a search, an age or a
    batch gave them; ``beside``: likewise, of any batch; ``cut``: one of these gave more than were looked at; ``days``:
    counts of the latest days that have any."""

    asked: RejectFilter
    cells: tuple[RejectCell, ...]
    among: tuple[int, ...] | None
    beside: tuple[int, ...] | None
    cut: bool
    days: dict[date, Count]

    @property
    def chosen(self) -> tuple[RejectCell, ...]:
        """The cells asked for."""
        return tuple(cell for cell in self.cells if self.asked.chooses(cell))

    @property
    def count(self) -> Count:
        """How many rejects the list has."""
        counted = total(cell.count for cell in self.chosen)
        return replace(counted, kind="over") if self.cut else counted

    def facet(self, name: str) -> dict[str, Count]:
        """Return the values of one filter with their counts, all other filters applied, the most frequent first."""
        values: dict[str, list[Count]] = {}
        for cell in self.cells:
            if self.asked.chooses(cell, but=name):
                for value in _values(cell, name):
                    values.setdefault(value, []).append(cell.count)
        counts = {value: total(parts) for value, parts in values.items()}
        return dict(sorted(counts.items(), key=lambda item: (-item[1].rows, item[0])))

    def numbers(self, cursor: CursorWrapper, *, first: int, rows: int) -> list[int]:
        """Return the numbers of ``rows`` rejects from the place ``first`` (from 0) on, those seen last at the top."""
        facts = self._facts() | {"reach": first + rows, "first": first, "rows": rows}
        cursor.execute((_NUMBERS_OF_CELLS if self.among is None else _NUMBERS_AMONG) + _IN_ORDER, facts)
        return [number for (number,) in cursor.fetchall()]

    def whole(self) -> tuple[str, dict[str, Any]]:
        """Return the query of all its numbers, however many, and the query's parameters."""
        return _NUMBERS_OF_CELLS if self.among is None else _NUMBERS_AMONG, self._facts() | {"reach": None}

    def _facts(self) -> dict[str, Any]:
        span = self.asked.span
        return {**keys_of(self.chosen), "from": span[0], "until": span[1], "among": list(self.among or ())}


# Finds the numbers of the rejects of some cells, of each those seen last.
_NUMBERS_OF_CELLS = """
select r.id from unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[]) c (fingerprint, status, origin)
cross join lateral (
    select id, last_seen_at from ingest_rejectedrecord r
    where r.fingerprint = c.fingerprint and r.status = c.status and r.origin = c.origin
        and r.last_seen_at >= %(from)s and r.last_seen_at < %(until)s
    order by last_seen_at desc, id desc limit %(reach)s
) r
"""
# Finds those of some numbers whose rejects are of the cells asked for.
_NUMBERS_AMONG = (
    WITH_REJECTS_AMONG
    + """
select r.id from r
join unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[]) c (fingerprint, status, origin)
    on r.fingerprint = c.fingerprint and r.status = c.status and r.origin = c.origin
where r.last_seen_at >= %(from)s and r.last_seen_at < %(until)s
"""
)
_IN_ORDER = "order by r.last_seen_at desc, r.id desc limit %(rows)s offset %(first)s"


def look(cursor: CursorWrapper, asked: RejectFilter, tables: Sequence[str]) -> RejectList:
    """Find what was asked for among the rejects of ``tables``. Within ``by_index``."""
    listing = _listing(cursor, asked, tables, at_most=REACH_ROWS + 1)
    # Cells of all days, where the list is of one: the filter's other days have counts too.
    everywhere = listing.cells if asked.span == EVER else find_cells(cursor, tables, among=listing.among)
    chosen = replace(listing, cells=tuple(everywhere)).chosen
    return replace(listing, days=count_days(cursor, chosen, listing.among))


def look_at_all(cursor: CursorWrapper, asked: RejectFilter, tables: Sequence[str]) -> RejectList:
    """Find all of it, however long that takes; without counts by day."""
    return _listing(cursor, asked, tables, at_most=None)


def _listing(cursor: CursorWrapper, asked: RejectFilter, tables: Sequence[str], *, at_most: int | None) -> RejectList:
    parts: list[list[int]] = []
    if asked.term.strip():
        parts.append(by_term(cursor, asked.term, tables, at_most=at_most))
    if asked.first:
        parts.append(by_age(cursor, span_of(asked.first), tables, at_most=at_most))
    beside = _common(parts)
    if asked.batch:
        parts.append(by_batch(cursor, asked.batch, tables, at_most=at_most))
    among = _common(parts)
    cells = find_cells(cursor, tables, span=asked.span, among=among, at_most=None if at_most is None else MAX_CELLS)
    cut = at_most is not None and any(len(part) >= at_most for part in parts)
    if cut:
        cells = [replace(cell, count=replace(cell.count, kind="over")) for cell in cells]
    return RejectList(asked=asked, cells=tuple(cells), among=among, beside=beside, cut=cut, days={})


def _common(parts: Sequence[Sequence[int]]) -> tuple[int, ...] | None:
    """Return the numbers that are in each part, in order; None without any part."""
    return tuple(sorted(set.intersection(*map(set, parts)))) if parts else None


def look_up(
    cursor: CursorWrapper, asked: RejectFilter, tables: Sequence[str], *, first: int, rows: int
) -> tuple[RejectList, list[int]]:
    """Find what was asked for, and return one page of it."""
    with by_index(cursor):
        listing = look(cursor, asked, tables)
        return listing, listing.numbers(cursor, first=first, rows=rows)


def _values(cell: RejectCell, name: str) -> tuple[str, ...]:
    return {
        "table": (cell.table,),
        "code": cell.codes,
        "field": cell.fields,
        "status": (cell.status,),
        "origin": (cell.origin,),
    }[name]
