"""A glance at the rejects of a job before anything is tried: how many, of what tables, wrong where, what values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper

from ingest.desk.bulk.select import asked_of
from ingest.desk.search.counts import Count
from ingest.desk.search.listing import look_up
from ingest.models import BulkJob, RejectedRecord
from ingest.rights import viewable_tables

LOOKED_AT = 1_000  # rejects, those seen last
SHOWN_VALUES = 20

# Counts the wrong fields of some rejects of one table, the most frequent first; an empty name is the whole record.
_COUNT_WRONG_FIELDS = """
select field, count(*) from (
    select distinct r.id, unnest(r.fields) as field from ingest_rejectedrecord r
    where r.id = any(%(numbers)s) and r."table" = %(table)s
) wrong where field <> '' group by field order by count(*) desc, field
"""
# Counts the values of one field in some rejects, as they came or as last corrected; without one it is an empty text.
_COUNT_VALUES = """
select left(coalesce(coalesce(r.correction, r.record) ->> %(field)s, ''), 500) as value, count(*)
from ingest_rejectedrecord r
where r.id = any(%(numbers)s) and r."table" = %(table)s and r.record is not null
group by value order by count(*) desc, value limit %(shown)s
"""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """``count`` open rejects of ``tables``; ``numbers`` of the first ``LOOKED_AT``."""

    count: Count
    tables: tuple[str, ...]
    numbers: tuple[int, ...]

    @property
    def small(self) -> bool:
        """Whether these are all."""
        return self.count.kind == "exact" and self.count.rows <= LOOKED_AT

    def fields(self, cursor: CursorWrapper, table: str) -> dict[str, int]:
        """Count the wrong fields, the most frequent first."""
        cursor.execute(_COUNT_WRONG_FIELDS, {"numbers": list(self.numbers), "table": table})
        return dict(cursor.fetchall())

    def values(self, cursor: CursorWrapper, table: str, field: str) -> list[tuple[str, int]]:
        """Count the values of a field as they came, or as last corrected; an empty text for none."""
        facts: dict[str, Any] = {"numbers": list(self.numbers), "table": table, "field": field, "shown": SHOWN_VALUES}
        cursor.execute(_COUNT_VALUES, facts)
        return list(cursor.fetchall())


def glance(cursor: CursorWrapper, job: BulkJob, user: User) -> Preview:
    """Look at the open rejects of a job, selected or found by its list."""
    tables = viewable_tables(user)
    if job.numbers is not None:
        return _selected(job.numbers, tables)
    listing, numbers = look_up(cursor, asked_of(job), tables, first=0, rows=LOOKED_AT)
    names = sorted({cell.table for cell in listing.chosen})
    return Preview(count=listing.count, tables=tuple(names), numbers=tuple(numbers))


def _selected(numbers: Sequence[int], tables: Sequence[str]) -> Preview:
    mine = RejectedRecord.objects.filter(pk__in=numbers, table__in=tables, status=RejectedRecord.Status.OPEN)
    table_of = dict(mine.order_by("pk").values_list("pk", "table"))
    return Preview(count=Count(len(table_of)), tables=tuple(sorted(set(table_of.values()))), numbers=tuple(table_of))
