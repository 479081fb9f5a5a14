"""What a schedule may say, judged on plain values: its moments, time zone, tables, store and what it keeps."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from django.utils import timezone

from backups.files.named_stores import store_url
from backups.tables import table_named
from core.errors import DataForgeError

FIVE_FIELDS = "Five fields are needed: minute, hour, day of month, month, day of week."
_SECONDS = "Six fields are given, and a schedule knows no seconds: its finest is each minute"


def moments(cron: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """Yield the moments of a cron expression after ``after``, in its time zone, each later than the one before.

    A wall time that a change of the clock repeats is one moment, the first of the two; one that the change leaves out
    is the first moment after the gap. Where minute or hour begin with ``*``, they are counted on the clock that goes
    on, so also in both of the two hours.
    """
    zone = ZoneInfo(time_zone)
    counted = any(field.startswith("*") for field in cron.split()[:2])
    last = after.astimezone(UTC)
    for instant in _counted(cron, zone, last) if counted else _named(cron, zone, last):
        if instant > last:
            last = instant
            yield instant.astimezone(zone)


def _named(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield when named wall times are, in UTC.

    Of a repeated one cronsim gives the first instant, also to who asks in the second hour: that has passed.
    """
    for moment in CronSim(cron, after.astimezone(zone)):
        yield moment.astimezone(UTC)


def _counted(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield when a clock that goes on shows what is asked for, in UTC, from one change of the clock to the next.

    Over a change of half an hour cronsim itself steps past moments.
    """
    since, offset = after, after.astimezone(zone).utcoffset() or timedelta()
    begin = since
    while True:
        for wall in CronSim(cron, (begin + offset).replace(tzinfo=None)):
            instant = (wall - offset).replace(tzinfo=UTC)
            if instant.astimezone(zone).utcoffset() != offset:
                break
            since = instant
            yield instant
        else:
            return
        since = _change(zone, since, instant)
        begin, offset = since - timedelta(seconds=1), since.astimezone(zone).utcoffset() or timedelta()


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Find a second at which the offset of ``zone`` becomes another than it was ``before``."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        between = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if between.astimezone(zone).utcoffset() == offset:
            before = between
        else:
            after = between
    return after


def in_words(cron: str) -> str:
    """Read a cron expression in English; only of one that ``schedule_errors`` has no word against."""
    return CronSim(cron, timezone.now()).explain()


def schedule_errors(
    *, cron: str, time_zone: str, tables: Sequence[str], store: str, keeps: Sequence[int]
) -> dict[str, str]:
    """Say what about a schedule could not run, by field of ``BackupSchedule``; empty where all is well."""
    errors: dict[str, str] = {}
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
        errors["time_zone"] = f"{time_zone!r} is no time zone: write it as America/Sao_Paulo."
    if wrong := _cron_error(cron, zone):
        errors["cron"] = wrong
    for field, check, values in (
        ("tables", table_named, tables),
        ("store", store_url, [store]),
    ):
        try:
            for value in values:
                check(value)
        except DataForgeError as error:
            errors[field] = str(error)
    if not any(keeps):
        errors["keep_last"] = "At least one backup must be kept."
    return errors


def _cron_error(cron: str, zone: ZoneInfo) -> str:
    if len(cron.split()) == 6:  # which cronsim takes for seconds before the five
        return f"{_SECONDS}. {FIVE_FIELDS}"
    try:
        next(CronSim(cron, timezone.now().astimezone(zone)))
    except CronSimError as error:
        return f"{error}. {FIVE_FIELDS}"
    except StopIteration:
        return "No day of the calendar is one of these."
    return ""
