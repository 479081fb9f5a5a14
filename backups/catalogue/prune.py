"""Retention: which backups of a schedule may go, and what killed processes left."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from backups.catalogue.leftovers import OnFault, Prunable, heard, leftovers
from backups.files.layout import manifest_name
from backups.files.named_stores import named_store, store_names
from backups.files.store import split
from backups.models import Backup, BackupSchedule, Status
from core.postgres.explain_errors import explained

KEEP_SAFETY = 3  # backups before a restore, of each table

type Period = Callable[[datetime], object]


def prune(*, yes: bool = False, on_fault: OnFault | None = None) -> tuple[Prunable, ...]:
    """Find what the schedules' retention does not keep, and what killed processes left; remove it where ``yes``.

    The newest verified backup of each table always stays, and so does what somebody asked for by hand. ``on_fault``
    hears of each store that cannot be looked into and each thing that cannot be removed, and the others go on; without
    it the first of these is raised. Raises SourceUnreadable, DatabaseUnavailable, DatabaseFailed.
    """
    with explained("the pruning of backups"):
        prunable = list(_prunable_backups())
        for name in store_names():
            with heard(on_fault):
                prunable.extend(leftovers(named_store(name), on_fault=on_fault))
        if not yes:
            return tuple(prunable)
        gone = []
        for file in prunable:
            with heard(on_fault):
                _remove(file)
                gone.append(file)
    return tuple(gone)


def prune_after(schedule: BackupSchedule) -> tuple[Prunable, ...]:
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

    Days, weeks (ISO) and months are those of the schedule's time zone; those without a backup do not count. Among the
    last ones all of the newest day count as one where the last good backup of an earlier day is concerned: however many
    were made today, they are no reason to let that go.
    """
    zone = ZoneInfo(schedule.time_zone)

    def local(row: Backup) -> datetime:
        assert row.snapshot_at is not None  # noqa: S101 - all finished backups have one
        return row.snapshot_at.astimezone(zone)

    kept = {row.id for row in newest_first[: schedule.keep_last]}
    today = local(newest_first[0]).date() if newest_first else None
    good_before = [row for row in newest_first if row.verified_at and local(row).date() != today]
    last_good: dict[date, UUID] = {}
    for row in good_before[: max(schedule.keep_last - 1, 0)]:
        last_good.setdefault(local(row).date(), row.id)
    kept |= set(last_good.values())
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


def _prunable_backups() -> Iterator[Prunable]:
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


def _not_kept(schedule: BackupSchedule, newest_first: Sequence[Backup], last: UUID | None) -> Iterator[Prunable]:
    own = [row for row in newest_first if row.schedule == schedule]
    kept = kept_by(schedule, own) | {last}
    return (_told(row, f"not kept by {schedule.name}") for row in own if row.id not in kept)


def _told(row: Backup, why: str) -> Prunable:
    return Prunable(path=row.path, why=why, id=row.id)


def _remove(file: Prunable) -> None:
    """The manifest goes first: without it the file counts for nothing, whatever happens next."""
    if file.remove is not None:
        file.remove()
        return
    store, name = split(file.path)
    store.remove(manifest_name(name))
    store.remove(name)
    if file.id is not None:
        Backup.objects.filter(pk=file.id).update(status=Status.PRUNED)
