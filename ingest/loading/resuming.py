"""Runs that died: close their books, and find the files that they had finished.

Called while the load holds its tables alone: a load that still says it is running over one of them is dead.
"""

import hashlib
from collections.abc import Sequence

from django.utils import timezone

from ingest.models import Batch
from ingest.readers.locations import Location
from ingest.sources import Source

_READ_BYTES = 1024 * 1024


def mark_dead(tables: Sequence[str]) -> None:
    """Mark loads over any of ``tables`` that never said how they ended as failed."""
    running = Batch.objects.filter(origin=Batch.Origin.LOAD, status=Batch.Status.RUNNING)
    for batch in running:
        if set(batch.options.get("tables", ())) & set(tables):
            batch.status = Batch.Status.FAILED
            batch.error = "The process ended before the load did."
            batch.finished_at = timezone.now()
            batch.save(update_fields=["status", "error", "finished_at"])


def finished_file(source: Source) -> str | None:
    """Give the SHA-256 of the file that the last load of this table finished, if that load failed later on."""
    last = (
        Batch.objects.filter(origin=Batch.Origin.LOAD, options__tables__contains=[source.table])
        .order_by("-started_at")
        .first()
    )
    if last is None or last.status != Batch.Status.FAILED:
        return None
    kept = (Batch.Status.ACCEPTED, Batch.Status.PARTIAL)
    account = last.accounts.filter(
        table=source.table, status__in=kept, contract_version=source.contract.version
    ).first()
    return account.file_sha256 if account else None


def sha256_of(location: Location, file_name: str) -> str:
    """Hash a whole file."""
    digest = hashlib.sha256()
    with location.open(file_name) as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
