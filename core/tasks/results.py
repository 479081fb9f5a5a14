"""What the queue's table says of tasks: that one's worker is dead, and those that ended long ago."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.utils import timezone

from core.errors import WorkerDied
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.locks.advisory_locks import held
from core.postgres.locks.held_locks import exclusive

BEGINNING = timedelta(minutes=1)  # from the claim of a task to the lock of its worker, at most
_APP = "django_tasks_database"


def queue_is_stored() -> bool:
    """Tell whether tasks wait in the database for a worker; else they run where they are asked for."""
    return apps.is_installed("django_tasks_db")


def task_results() -> Any:
    """Return the manager of the queue's rows; LookupError unless ``queue_is_stored``."""
    return apps.get_model(_APP, "DBTaskResult")._default_manager


@contextmanager
def at_work(task: UUID) -> Iterator[None]:
    """Hold the lock that says that the worker of a task lives; PostgreSQL drops it with the worker."""
    name = _name(task)
    with exclusive(connection, [name], what=name, timeout_seconds=1):
        yield


def close_dead(*, now: datetime | None = None) -> int:
    """Mark as failed what is running by the books and whose worker has ended, which cannot do so; return how many."""
    if not queue_is_stored():
        return 0
    moment = now or timezone.now()
    # Read, then looked for, then read again: a lock goes after the books say how the task ended, never before.
    running = task_results().running()
    begun = list(running.filter(started_at__lt=moment - BEGINNING).values_list("pk", flat=True))
    if not begun:
        return 0
    with connection.cursor() as cursor:
        living = held(cursor, map(_name, begun))
    return fail([task for task in begun if _name(task) not in living], WorkerDied(), now=moment)


def fail(tasks: list[UUID], error: Exception, *, now: datetime | None = None) -> int:
    """Mark those of ``tasks`` that are running by the books as failed; return how many they were."""
    changed: int = (
        task_results()
        .running()
        .filter(pk__in=tasks)
        .update(
            status="FAILED",
            finished_at=now or timezone.now(),
            exception_class_path=f"{type(error).__module__}.{type(error).__qualname__}",
            traceback=str(error),
        )
    )
    return changed


@without_timeouts()
def prune_results(*, older_than: timedelta, now: datetime | None = None) -> int:
    """Delete the results of tasks that ended longer ago, well or not; return how many."""
    if not queue_is_stored():
        return 0
    ended = task_results().finished().filter(finished_at__lt=(now or timezone.now()) - older_than)
    count, _ = ended.delete()
    return int(count)


def _name(task: UUID) -> str:
    return f"task {task}"
