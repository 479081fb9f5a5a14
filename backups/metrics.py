"""What Prometheus is told of backups."""

from collections.abc import Iterator
from math import inf

from django.db import connection
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backups.models import Backup, Status
from backups.schedules.run_due import ailing
from backups.tables import all_tables

# The age of the newest verified backup of each table: one look into the index a table, whatever the catalogue holds.
_NEWEST = """
select t.name, extract(epoch from now() - newest.snapshot_at)::float8
from unnest(%s::text[]) as t (name) left join lateral (
    select snapshot_at from backups_backup b
    where b."table" = t.name and b.status = 'done' and b.verified_at is not null and b.origin <> 'safety'
    order by snapshot_at desc limit 1) newest on true
"""


class BackupsCollector(Collector):
    """The catalogue, and the schedules that ail."""

    def collect(self) -> Iterator[Metric]:
        """Ask the database."""
        yield _statuses()
        yield _ages()
        yield GaugeMetricFamily(
            "dataforge_backup_schedules_ailing",
            "Schedules whose last run failed, that were missed or that cannot run.",
            value=len(ailing(now=timezone.now())),
        )


def _statuses() -> Metric:
    family = GaugeMetricFamily("dataforge_backups", "Backups in the catalogue, by status.", labels=("status",))
    counts = dict(Backup.objects.order_by().values_list("status").annotate(Count("pk")))
    for status in Status.values:
        family.add_metric([status], counts.get(status, 0))
    return family


def _ages() -> Metric:
    family = GaugeMetricFamily(
        "dataforge_backup_age_seconds",
        "Age of the newest verified backup, of each table that `backup_table --all` means; +Inf where there is none.",
        labels=("table",),
    )
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [list(all_tables())])
        for table, age in cursor.fetchall():
            family.add_metric([table], inf if age is None else age)
    return family
