"""Totals that only ever grow, for whoever watches: kept in any number of parts, so that no two batches meet in one row.

A part is written in the transaction of what it counts. Parts are summed when they are read, and folded now and then.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from django.db import connection
from django.db.backends.utils import CursorWrapper

from ingest.accounts import TableReport
from ingest.models import OUTCOMES, Batch

RECORDS, REJECTS, BATCHES = "records", "rejects", "batches"
SECONDS_UP_TO, MICROSECONDS = "seconds_up_to", "microseconds"
BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
BEYOND = "+Inf"
FOLDED_FROM = 2_000  # parts; fewer are summed in a few milliseconds
_FOLDED_ROWS = 20_000  # in one statement

type Part = tuple[str, str, str, int]  # series, and two labels whose meaning depends on it; how many more

_INSERT = "insert into ingest_tally (series, subject, detail, amount) values "
# One statement, so a reader sees either the parts or their sum; what another folds at this moment is passed over.
_FOLD = """
with parts as (
    delete from ingest_tally where id in (select id from ingest_tally order by id limit %s for update skip locked)
    returning series, subject, detail, amount
),
sums as (
    insert into ingest_tally (series, subject, detail, amount)
    select series, subject, detail, sum(amount) from parts group by series, subject, detail
)
select count(*) from parts
"""
_CODES = """
insert into ingest_tally (series, subject, detail, amount)
select %s, %s, code, count(*) from (select distinct position, unnest(codes) as code from reject_stage) found
group by code
"""


def count_accounts(cursor: CursorWrapper, reports: Iterable[TableReport], batch: Batch | None = None) -> None:
    """Count the records of ``reports`` by table and outcome, and ``batch``, where it ends with them."""
    _insert(cursor, [*chain.from_iterable(map(_records, reports)), *(_batch(batch) if batch else ())])


def count_batch(cursor: CursorWrapper, batch: Batch) -> None:
    """Count a batch that has ended, by origin and status; its seconds too, unless it failed."""
    _insert(cursor, _batch(batch))


def count_codes(cursor: CursorWrapper, table: str) -> None:
    """Count the records of ``reject_stage``, each once for every code that it was refused for."""
    cursor.execute(_CODES, [REJECTS, table])


def totals() -> tuple[dict[tuple[str, str, str], int], int]:
    """Give the totals by series and labels, and of how many parts they are made."""
    statement = "select series, subject, detail, sum(amount)::bigint, count(*) from ingest_tally group by 1, 2, 3"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
    return {(series, subject, detail): amount for series, subject, detail, amount, _ in rows}, sum(r[4] for r in rows)


def fold() -> None:
    """Replace parts by their sums; safe at any time, also at once with others."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FOLD, [_FOLDED_ROWS])
            if cursor.fetchone()[0] < _FOLDED_ROWS:
                return


def _records(report: TableReport) -> list[Part]:
    counts = ((outcome, int(getattr(report, outcome))) for outcome in OUTCOMES)
    return [(RECORDS, report.table, outcome, count) for outcome, count in counts if count]


def _batch(batch: Batch) -> list[Part]:
    found: list[Part] = [(BATCHES, batch.origin, batch.status, 1)]
    if batch.status != Batch.Status.FAILED and batch.finished_at is not None:
        seconds = (batch.finished_at - batch.started_at).total_seconds()
        bound = next((f"{bound:g}" for bound in BOUNDS_SECONDS if seconds <= bound), BEYOND)
        found += [(SECONDS_UP_TO, batch.origin, bound, 1), (MICROSECONDS, batch.origin, "", int(seconds * 1_000_000))]
    return found


def _insert(cursor: CursorWrapper, parts: Sequence[Part]) -> None:
    if parts:
        places = ", ".join(["(%s, %s, %s, %s)"] * len(parts))
        cursor.execute(_INSERT + places, list(chain.from_iterable(parts)))
