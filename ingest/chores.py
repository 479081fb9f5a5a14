"""What must happen by itself: orphans healed, long work taken up again, old rejects and results of tasks let go.

Loads and tasks whose process is dead are said to have failed.

When each was last begun stands in the database, so any number of processes may look, and one of them does it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core.postgres.explain_errors import explained
from core.postgres.retry import in_transaction
from core.tasks.results import close_dead, prune_results
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


def tend(*, now: datetime | None = None, go_on: Callable[[], bool] = lambda: True) -> tuple[str, ...]:
    """Do what is due and nobody else does; return a line for each that did something.

    ``go_on`` is asked before each: where it says no, the others stay due.
    Raises DatabaseUnavailable and DatabaseFailed.
    """
    lines = []
    for routine in ROUTINES:
        if not go_on():
            break
        with explained(f"the chore {routine.name!r}"):
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


def _bury_tasks() -> str:
    count = close_dead()
    return f"{count:,} whose worker ended before they did are marked as failed." if count else ""


def _prune_tasks() -> str:
    days = settings.TASK_RESULTS_KEPT_DAYS
    count = prune_results(older_than=timedelta(days=days))
    return f"{count:,} results that are older than {days} days went." if count else ""


ROUTINES = (
    Routine("sweep", timedelta(minutes=10), _heal),
    Routine("pruning", timedelta(days=1), _prune),
    Routine("bulk jobs", timedelta(minutes=1), _resume),
    Routine("loads", timedelta(minutes=1), _bury),
    Routine("tasks", timedelta(minutes=1), _bury_tasks),
    Routine("results of tasks", timedelta(days=1), _prune_tasks),
)
