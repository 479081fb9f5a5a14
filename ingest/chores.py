"""What must happen by itself: orphans healed, old rejects let go, long work taken up again, dead loads said to be dead.

When each was last begun stands in the database, so any number of processes may look, and one of them does it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core.postgres.explain_errors import explained
from core.postgres.retry import in_transaction
from ingest.accounts.load_batches import close_dead_loads
from ingest.desk.bulk.jobs import AT_WORK
from ingest.desk.bulk.worker import resume_stalled
from ingest.models import BulkJob
from ingest.rejects.prune import kept_for, prune
from ingest.replaying.heal import sweep

DRAFTS_KEPT = timedelta(days=1)

# Writes down that a routine is begun, where it is due: of several processes one changes the row.
_CLAIM_ROUTINE = """
insert into ingest_chore as c (name, begun_at) values (%(name)s, %(now)s)
on conflict (name) do update set begun_at = excluded.begun_at where c.begun_at <= %(before)s
"""


@dataclass(frozen=True)
class Routine:
    """Something to be done every so often; ``work`` says what it did, or nothing where there was nothing to do."""

    name: str
    every: timedelta
    work: Callable[[], str]


def tend(*, now: datetime | None = None) -> tuple[str, ...]:
    """Do what is due and nobody else does; return a line for each that did something.

    Raises DatabaseUnavailable and DatabaseFailed.
    """
    lines = []
    for routine in ROUTINES:
        with explained(f"{routine.name} of rejects"):
            said = routine.work() if _claimed(routine, now or timezone.now()) else ""
        lines += [f"{routine.name}: {said}"] if said else []
    return tuple(lines)


def _claimed(routine: Routine, now: datetime) -> bool:
    facts: dict[str, Any] = {"name": routine.name, "now": now, "before": now - routine.every}

    def claim(cursor: CursorWrapper) -> bool:
        cursor.execute(_CLAIM_ROUTINE, facts)
        return cursor.rowcount == 1

    return in_transaction(claim)


def _heal() -> str:
    tried, closed = sweep()
    return f"{tried:,} orphans whose parents are there were replayed: {closed:,} are in." if tried else ""


def _prune() -> str:
    gone = prune(older_than=kept_for(), really=True).counts
    now = timezone.now()
    BulkJob.objects.filter(status=BulkJob.Status.DRAFT, created_at__lt=now - DRAFTS_KEPT).delete()
    BulkJob.objects.filter(finished_at__lt=now - kept_for()).exclude(status__in=AT_WORK).delete()
    told = ", ".join(f"{count:,} {status}" for status, count in gone.items() if count)
    return f"closed rejects older than {kept_for().days} days went: {told}." if told else ""


def _resume() -> str:
    count = resume_stalled()
    return f"{count:,} bulk jobs without a sign of life were taken up again." if count else ""


def _bury() -> str:
    count = close_dead_loads()
    return f"{count:,} whose process ended before they did are marked as failed." if count else ""


ROUTINES = (
    Routine("sweep", timedelta(minutes=10), _heal),
    Routine("pruning", timedelta(days=1), _prune),
    Routine("bulk jobs", timedelta(minutes=1), _resume),
    Routine("loads", timedelta(minutes=1), _bury),
)
