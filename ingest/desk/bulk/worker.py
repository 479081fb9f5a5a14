"""Working through a job, chunk by chunk: each in a transaction of its own, so that a killed worker loses nothing."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from django.contrib.auth.models import User
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.tasks import task
from django.utils import timezone

from core.errors import TableBusy
from core.postgres.retry import in_transaction, others_in_the_way
from ingest.desk.actions import rights
from ingest.desk.bulk.chunk import dismiss_some, replay_some
from ingest.desk.bulk.recipe import from_json
from ingest.desk.bulk.select import gather
from ingest.desk.bulk.summary import JobSummary
from ingest.desk.bulk.summary import from_json as summary_from_json
from ingest.models import BulkChunk, BulkJob

log = logging.getLogger(__name__)

PATIENCE_SECONDS = (1, 5, 20, 60)  # between attempts at a chunk, where a load holds the table or the database is away
STALLED = timedelta(minutes=5)  # without a sign of life of its worker
NOBODY = "Whoever asked for it is gone, or may not work here any more."
AT_WORK_ELSEWHERE = "Somebody else is at work on the same records."
BROKEN = "It could not go on: {problem} What was done is kept; go on when the cause is gone."
Status = BulkJob.Status
# What is done where others are at work: wait for them, let the job fail, which can be gone on with, or leave those
# records alone and deal with the rest.
type Busy = Literal["wait", "fail", "leave"]


@task
def bulk_task(number: int) -> None:
    """Do a job's work: what the task worker does."""
    carry_on(number)


def carry_on(number: int, *, busy: Busy = "wait") -> None:
    """Work on a job until it is done, stopped or failed. Several at once share its chunks, and none is done twice.

    Only who waits for others waits for a database that is away, too; else the job fails, and can be gone on with.
    """
    while _patiently(lambda cursor: _step(cursor, number, busy), number, patient=busy == "wait"):
        pass


def resume_stalled() -> int:
    """Hand jobs over again whose worker gave no sign of life; return how many."""
    since = timezone.now() - STALLED
    stalled = BulkJob.objects.filter(status__in=(Status.QUEUED, Status.RUNNING), touched_at__lt=since)
    claimed = [job for job in stalled.order_by("pk") if _take(job)]
    for job in claimed:
        log.warning("bulk job %s gave no sign of life for %s: it goes on", job.pk, STALLED)
        bulk_task.enqueue(job.pk)
    return len(claimed)


def _take(job: BulkJob) -> bool:
    """Claim a stalled job: of several that look, one hands it over."""
    same = BulkJob.objects.filter(pk=job.pk, touched_at=job.touched_at)
    return bool(same.update(touched_at=timezone.now()))


def _patiently(work: Callable[[CursorWrapper], bool], number: int, *, patient: bool) -> bool:
    for wait in (*(PATIENCE_SECONDS if patient else ()), None):
        try:
            return in_transaction(work)
        except (TableBusy, OperationalError, InterfaceError) as error:
            if wait is None:
                return _fail(number, error)
            log.warning("bulk job %s waits %s s: %s", number, wait, error)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            time.sleep(wait)
        except Exception as error:  # a fault of ours: it stands on the job, not only in a worker's log
            log.exception("bulk job %s failed", number)
            return _fail(number, error)
    raise AssertionError("unreachable")


def _fail(number: int, error: Exception) -> bool:
    problem = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, OperationalError) and others_in_the_way(error):
        problem = AT_WORK_ELSEWHERE
    text = BROKEN.format(problem=problem if problem.endswith(".") else f"{problem}.")
    try:
        _of(number).update(status=Status.FAILED, error=text, finished_at=timezone.now())
    except (DatabaseError, InterfaceError):  # the database is away: it counts as stalled once that is back
        log.exception("bulk job %s failed, and that could not be written down", number)
    return False


def _of(number: int) -> "QuerySet[BulkJob]":
    return BulkJob.objects.filter(pk=number, status__in=(Status.QUEUED, Status.RUNNING))


def _step(cursor: CursorWrapper, number: int, busy: Busy = "wait") -> bool:
    """Do one chunk, or gather all; False where there is no more to do. The job's row is locked meanwhile."""
    job = _of(number).select_related("user").select_for_update(of=("self",)).first()
    if job is None:
        return False
    user = job.user
    deed = "dismiss" if job.action == BulkJob.Action.DISMISS else "repair"
    if user is None or not (user.is_staff and rights.may(user, deed)):  # nobody who is not active has a right
        return _end(job, Status.FAILED, NOBODY)
    if job.total is None:
        job.total, job.status, job.touched_at = gather(cursor, job, user), Status.RUNNING, timezone.now()
        job.save(update_fields=["total", "status", "touched_at"])
        return True
    chunk = job.chunks.filter(done=False).order_by("place").first()
    if chunk is None:
        return _end(job, Status.DONE)
    summary = _deal(cursor, job, chunk, user, busy)
    chunk.done, chunk.batches = True, summary.batches
    chunk.save(update_fields=["done", "batches"])
    _add(job, summary)
    return True


def _deal(cursor: CursorWrapper, job: BulkJob, chunk: BulkChunk, user: User, busy: Busy) -> JobSummary:
    if job.action == BulkJob.Action.DISMISS:
        return dismiss_some(chunk.numbers, why=job.why, user=user)
    recipe = from_json(job.recipe) if job.recipe else None
    return replay_some(
        cursor,
        chunk.numbers,
        recipe=recipe,
        user=user,
        job=job.pk,
        dry_run=job.dry_run,
        leave_busy=busy == "leave",
    )


def _add(job: BulkJob, summary: JobSummary) -> None:
    so_far = {"passed": job.passed, "failed": job.failed, "left": job.left, "reasons": job.reasons}
    for name, value in summary_from_json(so_far).add(summary).as_json().items():
        setattr(job, name, value)
    job.done += summary.count
    job.status, job.touched_at = Status.RUNNING, timezone.now()
    job.save(update_fields=["done", *so_far, "status", "touched_at"])


def _end(job: BulkJob, status: str, error: str = "") -> bool:
    job.status, job.error, job.finished_at = status, error, timezone.now()
    job.save(update_fields=["status", "error", "finished_at"])
    return False
