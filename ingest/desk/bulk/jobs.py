"""The life of a job: made, started, stopped, gone on with. Each step is guarded in SQL, so of two people one wins."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from ingest.desk.bulk.recipe import Recipe
from ingest.desk.bulk.select import CHUNK_RECORDS
from ingest.desk.bulk.summary import JobSummary, from_json
from ingest.desk.bulk.worker import bulk_task, carry_on
from ingest.models import Account, BulkJob, RejectedRecord
from ingest.rights import viewable_rejects

SMALL_RECORDS = CHUNK_RECORDS  # up to which a job is done while the person waits
Status = BulkJob.Status
AT_WORK = (Status.QUEUED, Status.RUNNING)
_NOTHING: dict[str, Any] = {"done": 0, "passed": 0, "failed": 0, "left": {}, "reasons": [], "error": ""}


def jobs_of(user: Any) -> QuerySet[BulkJob]:
    """Return the jobs that ``user`` may see: one's own, a superuser all."""
    rows = BulkJob.objects.select_related("user")
    return rows if user.is_superuser else rows.filter(user=user.pk)


def summary_of(job: BulkJob) -> JobSummary:
    """Return what has become of a job's rejects so far."""
    return from_json({"passed": job.passed, "failed": job.failed, "left": job.left, "reasons": job.reasons})


def summary_for(user: Any, job: BulkJob) -> JobSummary:
    """Return it without the reasons of rejects that ``user``, who began the job, may not view any more."""
    summary = summary_of(job)
    sampled = RejectedRecord.objects.filter(pk__in=summary.samples)
    hidden = sampled.exclude(pk__in=viewable_rejects(user).filter(pk__in=summary.samples).values("pk"))
    summary.leave_out(set(hidden.values_list("pk", flat=True)))
    return summary


def others_of(job: BulkJob) -> int:
    """Count the rejects that were replayed with the job's, because they are of one group with some of them."""
    batches = [pk for batches in job.chunks.values_list("batches", flat=True) for pk in batches]
    read = Account.objects.filter(batch__in=batches).aggregate(read=Sum("read"))["read"] or 0
    return max(int(read) - job.passed - job.failed, 0)


def dry_summary_of(job: BulkJob) -> JobSummary | None:
    """Return what its dry run found."""
    return None if job.dry is None else from_json(job.dry)


def draft(action: str, *, user: User, asked: dict[str, str], numbers: list[int] | None) -> BulkJob:
    """Make a job that does nothing yet; ``numbers`` None: all that ``asked`` finds when it is started."""
    return BulkJob.objects.create(action=action, user=user, asked=asked, numbers=numbers)


def do_at_once(action: str, *, user: User, numbers: list[int], why: str = "") -> BulkJob:
    """Make a job of at most ``SMALL_RECORDS`` rejects, and carry it out; those that others are at work on are left."""
    job = draft(action, user=user, asked={}, numbers=numbers)
    carry_out(job, why=why)
    carry_on(job.pk, busy="leave")
    job.refresh_from_db()
    return job


def try_out(job: BulkJob, *, table: str = "", recipe: Recipe | None = None) -> bool:
    """Begin a dry run, with another recipe than before, maybe; False where the job is at work or carried out."""
    with transaction.atomic():
        changed = _still(job, dry_run=True).update(
            **_NOTHING,
            status=Status.QUEUED,
            dry=None,
            table=table,
            recipe=recipe and recipe.as_json(),
            total=None,
            finished_at=None,
            touched_at=timezone.now(),
        )
        if changed:
            job.chunks.all().delete()
    return bool(changed)


def carry_out(job: BulkJob, *, why: str = "") -> bool:
    """Begin the work itself; what was tried out is done to just those records.

    ``job`` is as the person saw it: False where somebody has tried something else since, or carried it out.
    """
    tried = job.status == Status.DONE
    with transaction.atomic():
        changed = (
            _still(job, dry_run=True)
            .filter(finished_at=job.finished_at)
            .update(
                **_NOTHING,
                status=Status.QUEUED,
                dry_run=False,
                dry=summary_of(job).as_json() if tried else None,
                total=job.total if tried else None,
                why=why,
                touched_at=timezone.now(),
                finished_at=None,
            )
        )
        if changed and tried:
            job.chunks.update(done=False)
        elif changed:
            job.chunks.all().delete()  # of a dry run that was stopped: gathered anew
    return bool(changed)


def go_on(job: BulkJob) -> bool:
    """Take up a job that was stopped or failed where it was left."""
    stood = BulkJob.objects.filter(pk=job.pk, status__in=(Status.STOPPED, Status.FAILED))
    return bool(stood.update(status=Status.QUEUED, error="", touched_at=timezone.now()))


def stop(job: BulkJob) -> bool:
    """Have a job end after the chunk that it is at; what is done stays done."""
    at_work = BulkJob.objects.filter(pk=job.pk, status__in=AT_WORK)
    return bool(at_work.update(status=Status.STOPPED, finished_at=timezone.now()))


def hand_over(job: BulkJob, *, small: bool) -> None:
    """Have it done: at once where it is small, else by the task worker."""
    if small:
        carry_on(job.pk, busy="fail")
    else:
        bulk_task.enqueue(job.pk)


def _still(job: BulkJob, *, dry_run: bool) -> Any:
    return BulkJob.objects.filter(pk=job.pk, dry_run=dry_run).exclude(status__in=AT_WORK)
