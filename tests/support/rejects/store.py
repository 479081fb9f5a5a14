"""Rejects that nobody sent."""

from typing import Any

from django.utils import timezone

from ingest.models import Batch, RejectedRecord


def store_reject(batch: Batch, **facts: Any) -> RejectedRecord:
    """Store a reject of a table with ``facts``, and else as bare as can be."""
    now = timezone.now()
    bare: dict[str, Any] = {
        "reasons": [],
        "codes": [],
        "fields": [],
        "stage": "check",
        "position": 0,
        "first_seen_at": now,
        "last_seen_at": now,
    }
    return RejectedRecord.objects.create(batch=batch, last_batch=batch, **bare | facts)
