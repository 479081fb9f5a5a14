"""A list of rejects: what was asked for, the counts that stand beside its filters, and one page of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from ingest.desk.cells import EVER, Cell, Span, by_index, find_cells
from ingest.desk.counts import COUNTED_ROWS, Count, total
from ingest.desk.finding import by_batch, by_term

SHOWN_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a list is narrowed to; empty texts for what it is not. ``day`` is a date in ISO form or two
    such (``2026-01-01..2026-01-31``, each may be missing), ``group`` a fingerprint."""

    table: str = ""
    code: str = ""
    field: str = ""
    status: str = ""
    origin: str = ""
    group: str = ""
    day: str = ""
    batch: str = ""
    term: str = ""

    def chooses(self, cell: Cell, *, but: str = "") -> bool:
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
class Listing:
    """All cells in reach of the search, and those asked for. ``found``: numbers of rejects, where a search or a batch
    gave them; ``days``: counts by day."""

    asked: Asked
    cells: tuple[Cell, ...]
    found: tuple[int, ...] | None
    days: dict[date, Count]

    @property
    def chosen(self) -> tuple[Cell, ...]:
        """The cells asked for."""
        return tuple(cell for cell in self.cells if self.asked.chooses(cell))

    @property
    def count(self) -> Count:
        """How many rejects the list has."""
        return total(cell.count for cell in self.chosen)

    def facet(self, name: str) -> dict[str, Count]:
        """Give the values of one filter with their counts, all other filters applied, the most frequent first."""
        values: dict[str, list[Count]] = {}
        for cell in self.cells:
            if self.asked.chooses(cell, but=name):
                for value in _values(cell, name):
                    values.setdefault(value, []).append(cell.count)
        counts = {value: total(found) for value, found in values.items()}
        return dict(sorted(counts.items(), key=lambda item: (-item[1].rows, item[0])))

    def numbers(self, cursor: CursorWrapper, *, first: int, rows: int) -> list[int]:
        """Give the numbers of ``rows`` rejects from the place ``first`` (from 0) on, those seen last at the top."""
        keys: list[Sequence[object]] = list(zip(*(cell.key for cell in self.chosen), strict=True))
        prints, statuses, origins = keys or ((), (), ())
        facts: dict[str, Any] = {
            "prints": list(prints),
            "statuses": list(statuses),
            "origins": list(origins),
            "from": self.asked.span[0],
            "until": self.asked.span[1],
            "found": list(self.found or ()),
            "reach": first + rows,
            "first": first,
            "rows": rows,
        }
        cursor.execute((_PAGE if self.found is None else _PAGE_AMONG) + _IN_ORDER, facts)
        return [number for (number,) in cursor.fetchall()]


_PAGE = """
select r.id from unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[]) c (fingerprint, status, origin)
cross join lateral (
    select id, last_seen_at from ingest_rejectedrecord r
    where r.fingerprint = c.fingerprint and r.status = c.status and r.origin = c.origin
        and r.last_seen_at >= %(from)s and r.last_seen_at < %(until)s
    order by last_seen_at desc, id desc limit %(reach)s
) r
"""
# "materialized" keeps the planner from beginning with the cells, which may hold everything.
_AMONG = """
with r as materialized (
    select r.id, r.last_seen_at, r.fingerprint, r.status, r.origin
    from unnest(%(found)s::bigint[]) f (id) join ingest_rejectedrecord r using (id)
)
"""
_PAGE_AMONG = (
    _AMONG
    + """
select r.id from r
join unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[]) c (fingerprint, status, origin)
    on r.fingerprint = c.fingerprint and r.status = c.status and r.origin = c.origin
where r.last_seen_at >= %(from)s and r.last_seen_at < %(until)s
"""
)
_IN_ORDER = "order by r.last_seen_at desc, r.id desc limit %(rows)s offset %(first)s"
_DAYS = """
select d.day, sum(counted.rows), bool_or(counted.rows > %(limit)s)
from unnest(%(days)s::date[], %(froms)s::timestamptz[], %(untils)s::timestamptz[]) d (day, lower, upper)
cross join unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[]) c (fingerprint, status, origin)
cross join lateral (select count(*) as rows from (
    select from ingest_rejectedrecord r
    where r.fingerprint = c.fingerprint and r.status = c.status and r.origin = c.origin
        and r.last_seen_at >= d.lower and r.last_seen_at < d.upper
    limit %(limit)s + 1
) found) counted
group by d.day
"""
_DAYS_AMONG = (
    _AMONG
    + """
select d.day, count(*), false
from unnest(%(days)s::date[], %(froms)s::timestamptz[], %(untils)s::timestamptz[]) d (day, lower, upper)
join r on r.last_seen_at >= d.lower and r.last_seen_at < d.upper
join unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[]) c (fingerprint, status, origin)
    using (fingerprint, status, origin)
group by d.day
"""
)


def look(cursor: CursorWrapper, asked: Asked, tables: Sequence[str], *, today: date | None = None) -> Listing:
    """Find what was asked for among the rejects of ``tables``. ``cursor`` as ``by_index`` gives it."""
    found = _found(cursor, asked)
    cells = find_cells(cursor, tables, span=asked.span, found=found)
    listing = Listing(asked=asked, cells=tuple(cells), found=found, days={})
    days = [(today or timezone.localdate()) - timedelta(days=back) for back in range(SHOWN_DAYS)]
    # Cells of all days, where the list is of one: the filter's other days have counts too.
    everywhere = cells if asked.span == EVER else find_cells(cursor, tables, found=found)
    chosen = replace(listing, cells=tuple(everywhere)).chosen
    return replace(listing, days=_by_day(cursor, days, chosen, found))


def look_up(asked: Asked, tables: Sequence[str], *, first: int, rows: int) -> tuple[Listing, list[int]]:
    """Find what was asked for, and give one page of it."""
    with by_index() as cursor:
        listing = look(cursor, asked, tables)
        return listing, listing.numbers(cursor, first=first, rows=rows)


def _found(cursor: CursorWrapper, asked: Asked) -> tuple[int, ...] | None:
    if not (asked.term.strip() or asked.batch):
        return None
    parts = [set(by_term(cursor, asked.term))] if asked.term.strip() else []
    parts += [set(by_batch(cursor, asked.batch))] if asked.batch else []
    return tuple(sorted(set.intersection(*parts)))


def _by_day(
    cursor: CursorWrapper, days: Sequence[date], chosen: Sequence[Cell], found: tuple[int, ...] | None
) -> dict[date, Count]:
    spans = [day_span(day) for day in days]
    facts: dict[str, Any] = {
        "days": list(days),
        "froms": [span[0] for span in spans],
        "untils": [span[1] for span in spans],
        "prints": [cell.fingerprint for cell in chosen],
        "statuses": [cell.status for cell in chosen],
        "origins": [cell.origin for cell in chosen],
        "found": list(found or ()),
        "limit": COUNTED_ROWS,
    }
    cursor.execute(_DAYS if found is None else _DAYS_AMONG, facts)
    counts = {day: Count(int(rows), "over" if over else "exact") for day, rows, over in cursor.fetchall()}
    return {day: counts.get(day, Count()) for day in days}


def day_span(day: date) -> Span:
    """Give a day's first moment and the next one's, on our wall clock."""
    zone = timezone.get_current_timezone()
    begin, end = (datetime.combine(moment, time(), zone) for moment in (day, day + timedelta(days=1)))
    return begin, end


def span_of(days: str) -> Span:
    """Give the first moment of a day or some days, and the one after; nothing is in a span that makes no sense."""
    first, dots, last = days.partition("..")
    try:
        lower = day_span(date.fromisoformat(first))[0] if first else EVER[0]
        upper = day_span(date.fromisoformat(last if dots else first))[1] if last or not dots else EVER[1]
    except (ValueError, OverflowError):
        return EVER[0], EVER[0]
    return lower, upper


def _values(cell: Cell, name: str) -> tuple[str, ...]:
    return {
        "table": (cell.table,),
        "code": cell.codes,
        "field": cell.fields,
        "status": (cell.status,),
        "origin": (cell.origin,),
    }[name]
