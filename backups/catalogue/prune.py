"""Retention: which backups of a schedule may go, and what killed processes left."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from backups.files.layout import manifest_name, unfinished
from backups.files.named_stores import named_store, store_names
from backups.files.store import split
from backups.models import Backup, BackupSchedule, Status
from core.postgres.explain_errors import explained

KEEP_SAFETY = 3  # backups before a restore, of each table
LEFTOVER_AGE_SECONDS = 86_400.0

type Period = Callable[[datetime], object]


@dataclass(frozen=True, kw_only=True)
class PrunableFile:
    """A file that may go: a backup (``id`` is its number in the catalogue), or what a killed process left."""

    path: str
    why: str
    id: UUID | None = None


def prune(*, yes: bool = False) -> tuple[PrunableFile, ...]:
    """Find what the schedules' retention does not keep; remove it where ``yes``.

    The newest verified backup of each table always stays, and so does what somebody asked for by hand. Raises
    SourceUnreadable, DatabaseUnavailable, DatabaseFailed.
    """
    with explained("the pruning of backups"):
        prunable = (*_prunable_backups(), *_leftovers())
        for file in prunable if yes else ():
            _remove(file)
    return prunable


def prune_after(schedule: BackupSchedule) -> tuple[PrunableFile, ...]:
    """Remove those backups of ``schedule`` that its retention does not keep; as ``prune`` does, and nothing else."""
    tables = Backup.objects.filter(schedule=schedule, status=Status.DONE).values("table")
    with explained("the pruning of backups"):
        prunable = [
            file
            for rows, last in _by_table(Backup.objects.filter(table__in=tables))
            for file in _not_kept(schedule, rows, last)
        ]
        for file in prunable:
            _remove(file)
    return tuple(prunable)


def kept_by(schedule: BackupSchedule, newest_first: Sequence[Backup]) -> set[UUID]:
    """Choose which backups of one table a schedule keeps: the last ones, and the newest of so many days, weeks, months.

    Days, weeks (ISO) and months are those of the schedule's time zone; those without a backup do not count.
    """
    zone = ZoneInfo(schedule.time_zone)

    def local(row: Backup) -> datetime:
        assert row.snapshot_at is not None  # noqa: S101 - all finished backups have one
        return row.snapshot_at.astimezone(zone)

    kept = {row.id for row in newest_first[: schedule.keep_last]}
    periods: tuple[tuple[int, Period], ...] = (
        (schedule.keep_daily, lambda moment: moment.date()),
        (schedule.keep_weekly, lambda moment: moment.isocalendar()[:2]),
        (schedule.keep_monthly, lambda moment: (moment.year, moment.month)),
    )
    for count, period in periods:
        newest: dict[object, UUID] = {}
        for row in newest_first:
            newest.setdefault(period(local(row)), row.id)
        kept |= set(list(newest.values())[:count])
    return kept


def _prunable_backups() -> Iterator[PrunableFile]:
    for rows, last in _by_table(Backup.objects.all()):
        for schedule in {row.schedule for row in rows if row.schedule is not None}:
            yield from _not_kept(schedule, rows, last)
        safety = [row for row in rows if row.origin == Backup.Origin.SAFETY]
        yield from (_told(row, f"not of the last {KEEP_SAFETY} before a restore") for row in safety[KEEP_SAFETY:])


def _by_table(wanted: QuerySet[Backup]) -> Iterator[tuple[list[Backup], UUID | None]]:
    """Yield the finished backups of each table, newest first, and the one of them that never goes."""
    rows = wanted.filter(status=Status.DONE).select_related("schedule").order_by("table", "-snapshot_at")
    for _, group in groupby(rows, key=lambda row: row.table):
        of_table = list(group)
        sound = (row.id for row in of_table if row.verified_at and row.origin != Backup.Origin.SAFETY)
        yield of_table, next(sound, None)


def _not_kept(schedule: BackupSchedule, newest_first: Sequence[Backup], last: UUID | None) -> Iterator[PrunableFile]:
    own = [row for row in newest_first if row.schedule == schedule]
    kept = kept_by(schedule, own) | {last}
    return (_told(row, f"not kept by {schedule.name}") for row in own if row.id not in kept)


def _told(row: Backup, why: str) -> PrunableFile:
    return PrunableFile(path=row.path, why=why, id=row.id)


def _leftovers() -> Iterator[PrunableFile]:
    """Find files of backups that never were finished, a day after they were last written to."""
    now = time.time()
    for store in map(named_store, store_names()):
        for name in unfinished(set(store.names())):
            if store.age_seconds(name, now=now) > LEFTOVER_AGE_SECONDS:
                yield PrunableFile(path=store.path(name), why="left by a backup that did not end")


def _remove(file: PrunableFile) -> None:
    """The manifest goes first: without it the file counts for nothing, whatever happens next."""
    store, name = split(file.path)
    store.remove(manifest_name(name))
    store.remove(name)
    if file.id is not None:
        Backup.objects.filter(pk=file.id).update(status=Status.PRUNED)
