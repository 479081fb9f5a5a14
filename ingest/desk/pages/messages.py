"""Carrying out what a person asked for, and telling them in words what came of it."""

from collections.abc import Callable

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpRequest

from core.errors import DataForgeError
from core.postgres.retry import others_in_the_way
from ingest.desk.actions.replay import ReplayResult
from ingest.desk.bulk.jobs import others_of, summary_of
from ingest.models import BulkJob
from ingest.replaying.replay import NotReplayable

LOCKED = "Somebody else is at work on the same records. Nothing was done; try again in a moment."


def act[T](request: HttpRequest, deed: Callable[[], T]) -> T | None:
    """Return what ``deed`` gives, or None after saying why it could not be done."""
    try:
        return deed()
    except NotReplayable as problem:
        messages.error(request, str(problem))
    except DataForgeError as problem:
        messages.error(request, f"{problem} Nothing was done; try again in a moment.")
    except OperationalError as problem:
        if not others_in_the_way(problem):
            raise
        messages.error(request, LOCKED)
    return None


def tell_replayed(request: HttpRequest, number: int, done: ReplayResult) -> None:
    """Say what became of one reject."""
    group = f" It was replayed with {done.others} other records of its group." if done.others else ""
    if done.fate.outcome == "rejected":
        messages.error(request, f"Record {number} was refused again; its reasons are those of today.{group}")
    else:
        messages.success(request, f"Record {number} is in: {done.fate.outcome}. Its reject is closed.{group}")


def tell_job(request: HttpRequest, job: BulkJob) -> None:
    """Say what became of the rejects of a job that is done."""
    summary, others = summary_of(job), others_of(job)
    if job.action == BulkJob.Action.DISMISS:
        messages.success(request, f"Dismissed {summary.passed:,}.")
    elif summary.tried:
        level = messages.WARNING if summary.failed else messages.SUCCESS
        text = f"Replayed {summary.tried:,}: {summary.passed:,} are in, {summary.failed:,} were refused again."
        with_them = f" {others:,} more of their groups went with them." if others else ""
        messages.add_message(request, level, f"{text}{with_them}")
    for why, count in summary.left.items():
        messages.warning(request, f"Left out {count:,}: {why}.")
