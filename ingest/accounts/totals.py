"""Totals that only ever grow, for whoever watches: kept in any number of parts, so that no two batches meet in one row.

A part is written in the transaction of what it counts. Parts are summed when they are read, and folded now and then.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from core.postgres.insert_rows import insert_rows
from ingest.accounts.report import TableReport
from ingest.models import OUTCOMES, Batch, TotalPart

RECORDS, REJECTS, BATCHES = "records", "rejects", "batches"
BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
BEYOND = "+Inf"
FOLDED_FROM = 2_000  # parts; fewer are summed in a few milliseconds
_FOLDED_ROWS = 20_000  # in one statement

# Sums the parts of every total, and counts them: many parts are a reason to fold.
_TOTALS = """
select series, subject, detail, sum(amount)::bigint, sum(microseconds)::bigint, count(*)
from ingest_tally group by series, subject, detail
"""
# Replaces the oldest parts by their sums. One statement, so a reader sees either the parts or their sum; what another
# folds at this moment is passed over.
_FOLD = """
with parts as (
    delete from ingest_tally where id in (select id from ingest_tally order by id limit %s for update skip locked)
    returning series, subject, detail, amount, microseconds
),
sums as (
    insert into ingest_tally (series, subject, detail, amount, microseconds)
    select series, subject, detail, sum(amount), sum(microseconds) from parts group by series, subject, detail
)
select count(*) from parts
"""


@dataclass(frozen=True)
class Total:
    """A total by its series and two labels, and of how many parts it is made.

    records: table, outcome. rejects: table, code. batches: origin, and :func:`detail_of` status and seconds.
    """

    series: str
    subject: str
    detail: str
    amount: int
    microseconds: int
    parts: int


def parts_of(report: TableReport) -> list[TotalPart]:
    """Count the records of one table by outcome; to be stored with its account."""
    counts = ((outcome, int(getattr(report, outcome))) for outcome in OUTCOMES)
    return [
        TotalPart(series=RECORDS, subject=report.table, detail=outcome, amount=count)
        for outcome, count in counts
        if count
    ]


def parts_of_rejects(table: str, rejects: pa.Table) -> list[TotalPart]:
    """Count the rejects of one table, each once for every one of its ``codes``."""
    codes = rejects["codes"]
    pairs = pa.table([pc.list_parent_indices(codes), pc.list_flatten(codes)], ["record", "code"])
    counts = (
        pairs.group_by(["record", "code"])
        .aggregate([])
        .group_by("code", use_threads=False)
        .aggregate([([], "count_all")])
    )
    return [
        TotalPart(series=REJECTS, subject=table, detail=row["code"], amount=row["count_all"])
        for row in counts.to_pylist()
    ]


def parts_of_batch(batch: Batch) -> list[TotalPart]:
    """Count a batch that has ended, and its seconds."""
    if batch.finished_at is None:
        return []
    seconds = (batch.finished_at - batch.started_at).total_seconds()
    micros = round(seconds * 1_000_000)
    detail = detail_of(batch.status, seconds)
    return [TotalPart(series=BATCHES, subject=batch.origin, detail=detail, amount=1, microseconds=micros)]


def detail_of(status: str, seconds: float) -> str:
    """Name a status, and the least bound that the seconds do not pass, as ``accepted 0.25``."""
    bound = next((f"{bound:g}" for bound in BOUNDS_SECONDS if seconds <= bound), BEYOND)
    return f"{status} {bound}"


def end_batch(batch: Batch) -> bool:
    """Store how a batch ended, and count it; False where it has ended already, and then nothing is changed."""
    running = Batch.objects.filter(pk=batch.pk, status=Batch.Status.RUNNING)
    with transaction.atomic(), connection.cursor() as cursor:
        ended = running.update(status=batch.status, error=batch.error, finished_at=batch.finished_at)
        if ended:
            insert_rows(cursor, parts_of_batch(batch))
    return bool(ended)


def totals() -> list[Total]:
    """Return all totals."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        return [Total(*row) for row in cursor.fetchall()]


def fold() -> None:
    """Replace parts by their sums; safe at any time, also at once with others."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FOLD, [_FOLDED_ROWS])
            if cursor.fetchone()[0] < _FOLDED_ROWS:
                return
