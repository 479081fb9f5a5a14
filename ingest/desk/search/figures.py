"""The figures of the front page: what came in and what was refused, and what is still open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from ingest.desk.search.cells import RejectCell, by_index, find_cells
from ingest.desk.search.counts import COUNTED_ROWS, Count, total
from ingest.desk.search.spans import day_span, span_of
from ingest.models import RejectedRecord
from ingest.rules.sources import sources

SHOWN_DAYS = 14
OPEN = RejectedRecord.Status.OPEN.value


@dataclass(frozen=True)
class Flow:
    """Records of one day and origin."""

    day: date
    origin: str
    accepted: int
    rejected: int


@dataclass(frozen=True)
class TableSize:
    """How many rows a table has, by the planner's estimate; None where it was never analysed."""

    table: str
    rows: int | None


@dataclass(frozen=True)
class Age:
    """Open rejects first seen in some days (in the form of ``spans.span_of``)."""

    name: str
    days: str
    count: Count


# Adds up what was accepted and what was refused, by day and origin.
_SUM_BY_DAY = """
select (b.started_at at time zone %(zone)s)::date as day, b.origin,
    sum(a.inserted + a.updated + a.unchanged + a.duplicates), sum(a.rejected)
from ingest_batch b join ingest_account a on a.batch_id = b.id
where b.started_at >= %(from)s and a."table" = any(%(tables)s)
group by day, b.origin order by day, b.origin
"""
# Asks the planner's statistics how many rows some tables have.
_ESTIMATE_ROWS = """
select relname, reltuples::bigint from pg_class where oid = any(select to_regclass(n) from unnest(%s::text[]) n)
"""
# Counts the open rejects first seen in each of some spans; of each table no more than a limit and one.
_COUNT_BY_AGE = """
select s.place, sum(counted.rows)::bigint, bool_or(counted.rows > %(limit)s)
from unnest(%(froms)s::timestamptz[], %(untils)s::timestamptz[]) with ordinality s (lower, upper, place)
cross join unnest(%(tables)s::text[]) t (name)
cross join lateral (select count(*) as rows from (
    select from ingest_rejectedrecord r
    where r."table" = t.name and r.status = 'open' and r.first_seen_at >= s.lower and r.first_seen_at < s.upper
    limit %(limit)s + 1
) found) counted
group by s.place
"""


def flow(cursor: CursorWrapper, tables: Sequence[str], today: date) -> list[Flow]:
    """Return what came in of ``tables`` in the last ``SHOWN_DAYS`` days."""
    first = today - timedelta(days=SHOWN_DAYS - 1)
    zone = timezone.get_current_timezone_name()
    cursor.execute(_SUM_BY_DAY, {"zone": zone, "from": day_span(first)[0], "tables": list(tables)})
    return [Flow(day, origin, int(good), int(bad)) for day, origin, good, bad in cursor.fetchall()]


def rows_of_tables(cursor: CursorWrapper, tables: Sequence[str]) -> list[TableSize]:
    """Return the rows of ``tables``, parents first."""
    chosen = [source for source in sources() if source.table in tables]
    names = [source.model._meta.db_table for source in chosen]
    cursor.execute(_ESTIMATE_ROWS, [names])
    estimates = dict(cursor.fetchall())
    rows = {source.table: estimates.get(source.model._meta.db_table, -1) for source in chosen}
    return [TableSize(table, count if count >= 0 else None) for table, count in rows.items()]


def open_rejects(cursor: CursorWrapper, tables: Sequence[str], today: date) -> tuple[list[RejectCell], list[Age]]:
    """Return the open rejects of ``tables`` as cells, and by age."""
    with by_index(cursor):
        cells = [cell for cell in find_cells(cursor, tables) if cell.status == OPEN]
        spans = [(name, days, span_of(days)) for name, days in _buckets(today)]
        cursor.execute(
            _COUNT_BY_AGE,
            {
                "froms": [span[0] for _, _, span in spans],
                "untils": [span[1] for _, _, span in spans],
                "tables": list(tables),
                "limit": COUNTED_ROWS,
            },
        )
        counts = {place: Count(rows, "over" if over else "exact") for place, rows, over in cursor.fetchall()}
    ages = [Age(name, days, counts.get(place, Count())) for place, (name, days, _) in enumerate(spans, start=1)]
    return cells, ages


def by_table(cells: Sequence[RejectCell]) -> dict[str, Count]:
    """Count by table, the most first."""
    return _sorted({table: total(c.count for c in cells if c.table == table) for table in {c.table for c in cells}})


def by_code(cells: Sequence[RejectCell]) -> dict[str, Count]:
    """Count by code, the most first; a reject with two codes counts twice."""
    codes = {code for cell in cells for code in cell.codes}
    return _sorted({code: total(c.count for c in cells if code in c.codes) for code in codes})


def _sorted(counts: dict[str, Count]) -> dict[str, Count]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1].rows, item[0])))


def _buckets(today: date) -> list[tuple[str, str]]:
    def back(days: int) -> str:
        return (today - timedelta(days=days)).isoformat()

    return [
        ("today", back(0)),
        ("yesterday", back(1)),
        ("2 to 7 days", f"{back(7)}..{back(2)}"),
        ("8 to 30 days", f"{back(30)}..{back(8)}"),
        ("older", f"..{back(31)}"),
    ]
