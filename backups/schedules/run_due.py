"""Schedules: when the next backup is due, and running those that are."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backups.backing_up.backup import backup
from backups.catalogue.liveness import alive, close_abandoned, living_of, schedule_name
from backups.catalogue.prune import prune_after
from backups.files.named_stores import named_store
from backups.models import UNDECIDED, Backup, BackupSchedule, Status
from backups.schedule_rules import moments
from backups.tables import all_tables, table_named
from core.errors import DataForgeError, TableBusy
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.explain_errors import explained

log = logging.getLogger(__name__)

_UNDECIDED = "where it went is no store of the settings. Choose one for it in the admin."
GRACE_SECONDS = 600  # how late a backup may start before it counts as missed


@dataclass(frozen=True, kw_only=True)
class ScheduleRun:
    """One schedule that was due, since when, and what came of it: ``error`` is empty where all went well.

    ``tables`` were backed up, and ``pruned`` older backups of the schedule removed, as its retention wants.
    """

    name: str
    due_at: datetime
    tables: int
    pruned: int
    error: str


def next_times(schedule: BackupSchedule, *, after: datetime, count: int = 3) -> tuple[datetime, ...]:
    """Return the next moments of a schedule, in its time zone; fewer where there are no more."""
    return tuple(islice(_moments(schedule, after), count))


def due_since(schedule: BackupSchedule, *, now: datetime) -> datetime | None:
    """Tell since when a schedule has been due; None where it is not.

    However many moments passed during an outage, it is due once: the next run counts for all of them. No moment is due
    that is not later than the one of the last run. One that cannot run is due too, and fails, unless it names no
    moments.
    """
    if not schedule.enabled or {"cron", "time_zone"} & schedule.errors_by_field().keys():
        return None
    if _unfinished(schedule):
        return schedule.last_due_at or schedule.last_started_at
    known = (schedule.created_at, schedule.last_started_at, schedule.last_due_at)
    moment = next(_moments(schedule, max(filter(None, known))), None)
    return moment if moment is not None and moment.astimezone(UTC) <= now else None


def begin(schedule: BackupSchedule, due_at: datetime, *, now: datetime) -> None:
    """Note on a schedule, unsaved, that it runs ``now`` for the moment ``due_at``: no moment up to then comes again."""
    schedule.last_due_at = max(due_at.astimezone(UTC), schedule.last_due_at or due_at)
    schedule.last_started_at, schedule.last_finished_at = now, None


@without_timeouts()
def run_due(*, now: datetime | None = None, go_on: Callable[[], bool] = lambda: True) -> tuple[ScheduleRun, ...]:
    """Run every schedule that is due and that nobody else is running; a failed one does not keep the others.

    ``go_on`` is asked before each: where it says no, the others stay due.
    Raises DatabaseUnavailable and DatabaseFailed where the schedules cannot be read.
    """
    done = []
    with explained("the scheduled backups"):
        close_abandoned()
    for pk in _enabled():
        if not go_on():
            break
        with ExitStack() as stack, explained("the scheduled backups"):
            claimed = _claim(pk, now or timezone.now(), stack)
            if claimed is not None:
                done.append(_run(*claimed))
    return tuple(done)


def ailing(
    *, now: datetime | None = None, why: Callable[[BackupSchedule], str] = lambda schedule: schedule.last_error
) -> tuple[str, ...]:
    """Say which schedules failed (and ``why``), cannot run, or were missed: one line each."""
    moment, lines = now or timezone.now(), []
    for schedule in BackupSchedule.objects.filter(Q(enabled=True) | Q(store=UNDECIDED)).order_by("name"):
        since = due_since(schedule, now=moment)
        if schedule.store == UNDECIDED:
            lines.append(f"{schedule.name}: is off: {_UNDECIDED}")
        elif wrong := schedule.errors_by_field():
            lines.append(f"{schedule.name}: cannot run: {' '.join(wrong.values())}")
        elif schedule.last_error:
            lines.append(f"{schedule.name}: failed: {why(schedule)}")
        elif since is None or (moment - since).total_seconds() <= GRACE_SECONDS:
            continue
        elif not _unfinished(schedule) or not living_of([schedule_name(schedule.pk)]):  # else it is at work
            lines.append(f"{schedule.name}: missed: due since {timezone.localtime(since):%Y-%m-%d %H:%M}")
    return tuple(lines)


def _moments(schedule: BackupSchedule, after: datetime) -> Iterator[datetime]:
    return moments(schedule.cron, schedule.time_zone, after)


def _unfinished(schedule: BackupSchedule) -> bool:
    started, finished = schedule.last_started_at, schedule.last_finished_at
    return started is not None and (finished is None or finished < started)


def _enabled() -> list[int]:
    with explained("the scheduled backups"):
        return list(BackupSchedule.objects.filter(enabled=True).order_by("pk").values_list("pk", flat=True))


def _claim(pk: int, now: datetime, stack: ExitStack) -> tuple[BackupSchedule, datetime] | None:
    """Take a schedule that is due, and a lock that says that its process lives; None where others have it."""
    with transaction.atomic():
        schedule = BackupSchedule.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
        since = None if schedule is None else due_since(schedule, now=now)
        if schedule is None or since is None:
            return None
        try:
            stack.enter_context(alive(schedule_name(pk)))
        except TableBusy:  # it is running
            return None
        begin(schedule, since, now=now)
        schedule.save(update_fields=["last_due_at", "last_started_at", "last_finished_at"])
    return schedule, since


def _keep_failure(schedule: BackupSchedule, error: str) -> None:
    """Show a run that could not begin as failed in the catalogue."""
    tables = dict.fromkeys(map(table_named, schedule.tables or all_tables()))
    run, origin = uuid4(), Backup.Origin.SCHEDULE
    Backup.objects.bulk_create(
        Backup(run=run, table=table, origin=origin, schedule=schedule, status=Status.FAILED, error=error)
        for table in tables
    )


def _run(schedule: BackupSchedule, since: datetime) -> ScheduleRun:
    done: tuple[object, ...] = ()
    pruned: tuple[object, ...] = ()
    error, started = "", time.monotonic()
    try:
        if wrong := schedule.errors_by_field():
            error = " ".join(wrong.values())
            if "tables" not in wrong:
                _keep_failure(schedule, error)
        else:
            done = backup(
                schedule.tables or None,
                store=named_store(schedule.store),
                origin=Backup.Origin.SCHEDULE,
                schedule=schedule,
            )
            pruned = prune_after(schedule)
    except DataForgeError as failure:
        error = f"{'The backups were made. ' if done else ''}{failure}"
    schedule.last_finished_at, schedule.last_error = timezone.now(), error
    schedule.save(update_fields=["last_finished_at", "last_error"])
    facts = {
        "schedule": schedule.name,
        "status": "failed" if error else "done",
        "tables": len(done),
        "seconds": round(time.monotonic() - started, 3),
    }
    log.log(logging.ERROR if error else logging.INFO, "scheduled backup", extra=facts)
    return ScheduleRun(name=schedule.name, due_at=since, tables=len(done), pruned=len(pruned), error=error)
