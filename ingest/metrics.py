"""What Prometheus is told of the pipeline: figures of the database, so they hold for all workers and for every load."""

import json
from collections.abc import Iterator

from django.db import connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest import tallies
from ingest.desk.cells import by_index
from ingest.models import OUTCOMES, Batch
from ingest.sources import sources

COUNTED_ROWS = 5_000  # open rejects of one table that are counted one by one; of more, the planner's estimate is told
_DATABASE = "database"  # the code that must never come up, and so is told of before it does
_OPEN = """
select t.name, (select count(*) from (
    select from ingest_rejectedrecord r where r.status = 'open' and r."table" = t.name limit %s) found)
from unnest(%s::text[]) as t (name)
"""
_ESTIMATE = """explain (format json) select from ingest_rejectedrecord where status = 'open' and "table" = %s"""

type Totals = dict[tuple[str, str, str], int]


class IngestCollector(Collector):
    """Records, rejects and batches."""

    def collect(self) -> Iterator[Metric]:
        """Ask the database. Reads no table whose size grows with the records, but for a bounded part of an index."""
        found, parts = tallies.totals()
        if parts > tallies.FOLDED_FROM:
            tallies.fold()
        tables = [source.table for source in sources()]
        yield _counter(
            "records", "Records by table and what became of them.", ("table", "outcome"), found, tables, OUTCOMES
        )
        yield _counter("rejects", "Records refused, by table and code.", ("table", "code"), found, tables, [_DATABASE])
        ended = [status for status in Batch.Status.values if status != Batch.Status.RUNNING]
        yield _counter(
            "batches",
            "Batches that ended, by origin (a load is one) and status.",
            ("origin", "status"),
            found,
            Batch.Origin.values,
            ended,
        )
        yield _seconds(found)
        yield _open_rejects(tables)


def _counter(
    series: str,
    told: str,
    labels: tuple[str, str],
    found: Totals,
    subjects: list[str],
    details: "list[str] | tuple[str, ...]",
) -> Metric:
    """Give a series' totals; those that may be expected start at 0, so that the first one counts as an increase."""
    family = CounterMetricFamily(f"dataforge_{series}", told, labels=labels)
    values = {(subject, detail): 0 for subject in subjects for detail in details}
    values |= {(subject, detail): amount for (name, subject, detail), amount in found.items() if name == series}
    for key, amount in sorted(values.items()):
        family.add_metric(key, amount)
    return family


def _seconds(found: Totals) -> Metric:
    family = HistogramMetricFamily(
        "dataforge_batch_seconds", "Seconds of the batches that did not fail, by origin.", labels=("origin",)
    )
    bounds = [*(f"{bound:g}" for bound in tallies.BOUNDS_SECONDS), tallies.BEYOND]
    for origin in Batch.Origin.values:
        buckets, below = [], 0
        for bound in bounds:
            below += found.get((tallies.SECONDS_UP_TO, origin, bound), 0)
            buckets.append((bound, below))
        total = found.get((tallies.MICROSECONDS, origin, ""), 0) / 1_000_000
        family.add_metric([origin], buckets=buckets, sum_value=total)
    return family


def _open_rejects(tables: list[str]) -> Metric:
    family = GaugeMetricFamily(
        "dataforge_open_rejects",
        f"Rejects that wait for somebody, by table; over {COUNTED_ROWS} an estimate.",
        labels=("table",),
    )
    with by_index() as cursor:
        cursor.execute(_OPEN, [COUNTED_ROWS + 1, tables])
        counts = dict(cursor.fetchall())
    for table in tables:
        count = counts[table]
        family.add_metric([table], count if count <= COUNTED_ROWS else max(count, _estimate(table)))
    return family


def _estimate(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATE, [table])
        plan = cursor.fetchone()[0]
    return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])
