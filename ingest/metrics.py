"""What Prometheus is told of the pipeline: figures of the database, so they hold for all workers and for every load."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from django.db import connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from core.postgres.planner import planned_rows
from ingest.accounts import totals
from ingest.accounts.load_batches import close_dead_loads
from ingest.accounts.totals import Total
from ingest.desk.search.cells import by_index
from ingest.models import OUTCOMES, Batch, RejectedRecord
from ingest.rules.sources import sources

COUNTED_ROWS = 5_000  # open rejects of one table that are counted one by one; of more, the planner's estimate is told
_DATABASE = "database"  # the code that must never come up, and so is told of before it does
# Counts the open rejects of each table, up to a limit.
_COUNT_OPEN = """
select t.name, (select count(*) from (
    select from ingest_rejectedrecord r where r.status = 'open' and r."table" = t.name limit %s) found)
from unnest(%s::text[]) as t (name)
"""

type Counts = dict[tuple[str, str], int]


class IngestCollector(Collector):
    """Records, rejects and batches."""

    def collect(self) -> Iterator[Metric]:
        """Ask the database. Reads no table whose size grows with the records, but for a bounded part of an index."""
        close_dead_loads()
        sums = totals.totals()
        if sum(total.parts for total in sums) > totals.FOLDED_FROM:
            totals.fold()
        tables = [source.table for source in sources()]
        records = _counts(sums, totals.RECORDS, tables, OUTCOMES)
        yield _counter("records", "Records by table and what became of them.", ("table", "outcome"), records)
        rejects = _counts(sums, totals.REJECTS, tables, [_DATABASE])
        yield _counter("rejects", "Records refused, by table and code.", ("table", "code"), rejects)
        batches = [total for total in sums if total.series == totals.BATCHES]
        yield _batches(batches)
        yield _seconds(batches)
        yield _open_rejects(tables)


def _counts(sums: Iterable[Total], series: str, subjects: Sequence[str], details: Sequence[str]) -> Counts:
    """Return a series by its labels; what may be expected starts at 0, so that the first one counts as an increase."""
    expected = {(subject, detail): 0 for subject in subjects for detail in details}
    return expected | {(total.subject, total.detail): total.amount for total in sums if total.series == series}


def _counter(name: str, told: str, labels: tuple[str, str], counts: Counts) -> Metric:
    family = CounterMetricFamily(f"dataforge_{name}", told, labels=labels)
    for key, amount in sorted(counts.items()):
        family.add_metric(key, amount)
    return family


def _batches(sums: Sequence[Total]) -> Metric:
    ended = [status for status in Batch.Status.values if status != Batch.Status.RUNNING]
    counts: Counts = {(origin, status): 0 for origin in Batch.Origin.values for status in ended}
    for total in sums:
        counts[total.subject, total.detail.split()[0]] += total.amount
    return _counter(
        "batches", "Batches that ended, by origin (a load is one) and status.", ("origin", "status"), counts
    )


def _seconds(sums: Sequence[Total]) -> Metric:
    family = HistogramMetricFamily(
        "dataforge_batch_seconds", "Seconds of the batches that did not fail, by origin.", labels=("origin",)
    )
    bounds = [*(f"{bound:g}" for bound in totals.BOUNDS_SECONDS), totals.BEYOND]
    for origin in Batch.Origin.values:
        told = [part for part in sums if part.subject == origin and not part.detail.startswith(Batch.Status.FAILED)]
        counts = [sum(part.amount for part in told if part.detail.split()[1] == bound) for bound in bounds]
        total = sum(part.microseconds for part in told) / 1_000_000
        family.add_metric([origin], buckets=list(zip(bounds, accumulate(counts), strict=True)), sum_value=total)
    return family


def _open_rejects(tables: list[str]) -> Metric:
    family = GaugeMetricFamily(
        "dataforge_open_rejects",
        f"Rejects that wait for somebody, by table; over {COUNTED_ROWS} an estimate.",
        labels=("table",),
    )
    with connection.cursor() as cursor, by_index(cursor):
        cursor.execute(_COUNT_OPEN, [COUNTED_ROWS + 1, tables])
        counts = dict(cursor.fetchall())
    for table in tables:
        count = counts[table]
        if count > COUNTED_ROWS:
            waiting = RejectedRecord.objects.filter(status=RejectedRecord.Status.OPEN, table=table)
            count = max(count, planned_rows(waiting))
        family.add_metric([table], count)
    return family
