"""Letting closed rejects go when their time is over. Open ones never go by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core.postgres.retry import in_transaction
from ingest.models import RejectedRecord

CLOSED = (
    RejectedRecord.Status.REPLAYED,
    RejectedRecord.Status.SUPERSEDED,
    RejectedRecord.Status.DISMISSED,
)
CHUNK_ROWS = 10_000  # deleted in one transaction


@dataclass(frozen=True, kw_only=True)
class PruneReport:
    """How many rejects went, or would go, by status; closed before ``before``."""

    before: datetime
    counts: dict[str, int]


def kept_for() -> timedelta:
    """Return the age, since it was closed, at which a reject goes."""
    return timedelta(days=settings.REJECTS_KEPT_DAYS)


def prune(*, older_than: timedelta, statuses: Sequence[str] = CLOSED, really: bool) -> PruneReport:
    """Delete rejects that were closed longer ago than ``older_than``; without ``really``, only count them."""
    if not set(statuses) <= set(CLOSED):
        raise ValueError(f"only closed rejects go: {', '.join(CLOSED)}")
    before = timezone.now() - older_than
    counts = {status: RejectedRecord.objects.filter(status=status, closed_at__lt=before).count() for status in statuses}
    while really and in_transaction(lambda cursor: _delete_some(cursor, statuses, before)):
        pass
    return PruneReport(before=before, counts=counts)


def _delete_some(cursor: CursorWrapper, statuses: Sequence[str], before: datetime) -> int:
    """Delete some, and return how many; their corrections go too, and their children lose the link."""
    rejects = RejectedRecord.objects.filter(status__in=statuses, closed_at__lt=before).order_by("pk")
    numbers = list(rejects.select_for_update().values_list("pk", flat=True)[:CHUNK_ROWS])
    cursor.execute("update ingest_rejectedrecord set parent_id = null where parent_id = any(%s)", [numbers])
    cursor.execute("delete from ingest_correction where reject_id = any(%s)", [numbers])
    cursor.execute("delete from ingest_rejectedrecord where id = any(%s)", [numbers])
    return len(numbers)
