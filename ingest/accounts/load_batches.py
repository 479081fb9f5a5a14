"""The books of loads, whoever writes them: the load itself, or, where its process was killed, whoever looks next.

A load holds the lock of its batch from before the books say ``running`` until after they say how it ended. So one that
is running by the books and whose lock nobody holds is dead.
"""

from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from core.postgres.insert_rows import insert_rows
from core.postgres.locks.advisory_locks import held
from ingest.accounts.totals import end_batch, parts_of_batch
from ingest.models import Batch

KILLED = "The process ended before the load did."


def load_name(batch: UUID) -> str:
    """Name a load, to its lock and to whoever meets it."""
    return f"load {batch}"


def close_dead_loads() -> int:
    """Mark loads whose process ended before it could say so as failed; return how many there were.

    Whoever shows batches, or counts them, calls this first. It writes, once for each dead load, also where somebody
    only reads: so lists, their filters and the totals agree at once, and none of them has to know of locks. While no
    load is at work it is one look into an index, and a second query while one is.
    """
    # Read, then looked for, then read again (by ``end_batch``): a load that ends says so before its lock goes.
    running = list(Batch.objects.filter(origin=Batch.Origin.LOAD, status=Batch.Status.RUNNING))
    if not running:
        return 0
    with connection.cursor() as cursor:
        living = held(cursor, [load_name(batch.id) for batch in running])
    return sum(_fail(batch) for batch in running if load_name(batch.id) not in living)


def _fail(batch: Batch) -> bool:
    batch.status, batch.error, batch.finished_at = Batch.Status.FAILED, KILLED, timezone.now()
    return end_batch(batch)


def end_load(batch: Batch) -> None:
    """Store how a load ended; of one that lost its locks, and that somebody took for dead, the true reason."""
    if not end_batch(batch) and batch.error:
        Batch.objects.filter(pk=batch.pk, error=KILLED).update(error=batch.error)


def keep_turned_away(batch: Batch, *, why: str) -> None:
    """Keep a load that never began, as failed."""
    batch.status, batch.error, batch.finished_at = Batch.Status.FAILED, why, timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        insert_rows(cursor, [batch, *parts_of_batch(batch)])
