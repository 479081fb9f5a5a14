"""Batches as the desk needs them: the latest that refused something, and why they refused it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from ingest.desk.cells import by_index
from ingest.desk.finding import REACH_ROWS
from ingest.models import Batch

LATEST_BATCHES = 300  # among which those with rejects are looked for
SHOWN_BATCHES = 7


@dataclass(frozen=True)
class Refusing:
    """A batch that refused records."""

    pk: UUID
    origin: str
    started_at: datetime
    rejected: int

    @property
    def name(self) -> str:
        """Say what it was, and when."""
        return f"{self.origin}, {timezone.localtime(self.started_at):%d %b %H:%M}"


_REFUSING = """
select b.id, b.origin, b.started_at, sum(a.rejected)
from (select id, origin, started_at from ingest_batch order by started_at desc limit %(latest)s) b
join ingest_account a on a.batch_id = b.id and a.rejected > 0 and a."table" = any(%(tables)s)
group by b.id, b.origin, b.started_at order by b.started_at desc limit %(shown)s
"""
_WHY = """
select "table", codes, fields, count(*), bool_or(status = 'open') from (
    select r."table", r.codes, r.fields, r.status from ingest_rejectedrecord r
    where r.last_batch_id = %(batch)s and r."table" = any(%(tables)s) limit %(reach)s
) r
group by "table", codes, fields order by count(*) desc limit %(shown)s
"""
SHOWN_REASONS = 16


def with_rejects(tables: Sequence[str]) -> list[Refusing]:
    """Give the latest batches that refused records of ``tables``, the newest first."""
    with connection.cursor() as cursor:
        facts: dict[str, Any] = {"latest": LATEST_BATCHES, "shown": SHOWN_BATCHES, "tables": list(tables)}
        cursor.execute(_REFUSING, facts)
        return [Refusing(pk, origin, started, int(rows)) for pk, origin, started, rows in cursor.fetchall()]


@dataclass(frozen=True)
class Why:
    """Rejects of one batch that are alike."""

    table: str
    codes: tuple[str, ...]
    fields: tuple[str, ...]
    rows: int
    open: bool


def rejects_by_reason(batch: Batch, tables: Sequence[str]) -> list[Why]:
    """Count what a batch was the last to refuse, by reasons; looks at no more than ``REACH_ROWS`` rejects."""
    facts: dict[str, Any] = {"batch": batch.pk, "tables": list(tables), "reach": REACH_ROWS, "shown": SHOWN_REASONS}
    with by_index() as cursor:
        cursor.execute(_WHY, facts)
        return [
            Why(table, tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(filter(None, fields))), rows, is_open)
            for table, codes, fields, rows, is_open in cursor.fetchall()
        ]
