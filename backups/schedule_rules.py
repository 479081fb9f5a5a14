"""What a schedule may say, judged on plain values: its moments, time zone, tables, store and what it keeps."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from django.utils import timezone

from backups.files.named_stores import store_url
from backups.tables import table_named
from core.errors import DataForgeError


def moments(cron: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """Yield the moments of a cron expression after ``after``, in its time zone, in their order."""
    yield from CronSim(cron, after.astimezone(ZoneInfo(time_zone)))


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
    try:
        next(CronSim(cron, timezone.now().astimezone(zone)))
    except CronSimError as error:
        errors["cron"] = f"{error}. Five fields are needed: minute, hour, day of month, month, day of week."
    except StopIteration:
        errors["cron"] = "No day of the calendar is one of these."
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
