"""The rows of restores, kept up to date while these are at work."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from django.db import Error, transaction
from django.utils import timezone

from backups.catalogue.liveness import alive, cause, restore_name
from backups.models import Restore, Status
from core.postgres.locks.held_locks import HeldLocks

log = logging.getLogger(__name__)


@contextmanager
def recorded(rows: Sequence[Restore]) -> Iterator[HeldLocks]:
    """Keep ``rows`` as running, and at the end, while their process still counts as alive, as what became of them.

    All of them end alike: they are one transaction. Yields the locks by which they count so, beside which those of
    their tables are taken.
    """
    with ExitStack() as life:
        try:
            locks = life.enter_context(alive(*(restore_name(row.id) for row in rows)))
            _keep(rows, Status.RUNNING)
            yield locks
        except BaseException as error:
            for row in rows:
                row.error, row.safety = cause(error), None
            _end(rows, Status.FAILED)
            raise
        _end(rows, Status.DONE)


def _keep(rows: Sequence[Restore], status: Status) -> None:
    with transaction.atomic():
        for row in rows:
            row.status = status
            row.save()


def _end(rows: Sequence[Restore], status: Status) -> None:
    for row in rows:
        row.finished_at = timezone.now()
    try:
        _keep(rows, status)
    except Error:
        log.warning("the restore %s could not be marked %s", rows[0].pk, status)
