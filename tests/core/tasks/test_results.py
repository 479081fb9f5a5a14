"""Results of tasks: those of dead workers have failed, and old ones go, by the loop that tends everything else."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.errors import WorkerDied
from core.tasks.results import at_work, close_dead
from ingest.chores import tend
from ingest.desk.bulk.worker import bulk_task

LONG_AGO = timedelta(days=15)


def result(rows: Any, status: str, *, ago: timedelta = timedelta()) -> Any:
    """Put a task of ours into the queue that began and, unless it runs, ended so long ago."""
    bulk_task.enqueue(0)
    row = rows.order_by("enqueued_at").last()
    then = timezone.now() - ago
    ended = None if status in ("READY", "RUNNING") else then
    rows.filter(pk=row.pk).update(status=status, enqueued_at=then, started_at=then, finished_at=ended)
    return row


def statuses(rows: Any) -> list[str]:
    return sorted(rows.values_list("status", flat=True))


def test_results_that_are_older_than_the_setting_go_well_or_not_and_what_waits_or_runs_stays(queue: Any) -> None:
    for status in ("SUCCESSFUL", "FAILED", "READY"):
        result(queue, status, ago=LONG_AGO)
        result(queue, status)
    assert tend() == ("results of tasks: 2 results that are older than 14 days went.",)
    assert statuses(queue) == ["FAILED", "READY", "READY", "SUCCESSFUL"]
    assert tend(now=timezone.now() + timedelta(hours=23)) == ()


def test_how_long_they_are_kept_is_a_setting(queue: Any, settings: Any) -> None:
    settings.TASK_RESULTS_KEPT_DAYS = 30
    result(queue, "SUCCESSFUL", ago=LONG_AGO)
    assert tend() == ()


def test_a_task_whose_worker_is_dead_has_failed_and_goes_in_its_time(queue: Any) -> None:
    row = result(queue, "RUNNING", ago=LONG_AGO)
    out = io.StringIO()
    call_command("tend_rejects", stdout=out)
    assert out.getvalue() == "tasks: 1 whose worker ended before they did are marked as failed.\n"
    row.refresh_from_db()
    (error,) = row.task_result.errors
    assert (row.status, error.exception_class) == ("FAILED", WorkerDied)
    assert error.traceback.startswith("The worker was ended before the task was done.")
    later = timezone.now() + LONG_AGO
    assert tend(now=later) == ()  # counted from when it was said to have failed, by the clock of the machine
    queue.update(finished_at=timezone.now() - LONG_AGO)
    assert tend(now=later + timedelta(days=1)) == ("results of tasks: 1 results that are older than 14 days went.",)


def test_a_task_whose_worker_lives_or_has_only_just_taken_it_is_let_be(queue: Any) -> None:
    row = result(queue, "RUNNING", ago=LONG_AGO)
    result(queue, "RUNNING")
    with at_work(row.pk):
        assert close_dead() == 0
    assert statuses(queue) == ["RUNNING", "RUNNING"]
    assert close_dead() == 1


@pytest.mark.django_db
def test_without_a_queue_there_is_nothing_to_tend() -> None:
    assert tend() == ()


def test_a_worker_without_a_queue_says_which_setting_names_one() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"TASKS_BACKEND is not django_tasks_db\.DatabaseBackend"):
        call_command("db_worker")


@pytest.mark.usefixtures("queue")
def test_a_worker_has_no_reloader_that_would_end_a_task_in_the_middle(settings: Any) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match="would end tasks in the middle"):
        call_command("db_worker", "--reload")
