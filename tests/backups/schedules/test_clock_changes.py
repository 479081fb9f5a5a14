"""A moment runs once, also where the clock is put forward or back: looked at every 20 seconds, as the loop does."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest

from backups.models import BackupSchedule
from backups.schedule_rules import moments
from backups.schedules.run_due import begin, due_since
from core.loops import POLL_SECONDS

AROUND = timedelta(hours=2)  # before and after a change


def utc(text: str) -> datetime:
    """Read a moment of 2026 in UTC, as in "03-08 07:00"."""
    return datetime.fromisoformat(f"2026-{text}+00:00")


# The change, a wall time that it repeats or leaves out, and the one instant at which that is due.
CHANGES = [
    ("America/New_York", "03-08 07:00", "30 2 * * *", "03-08 07:00"),
    ("America/New_York", "11-01 06:00", "30 1 * * *", "11-01 05:30"),
    ("Europe/Berlin", "03-29 01:00", "30 2 * * *", "03-29 01:00"),
    ("Europe/Berlin", "10-25 01:00", "30 2 * * *", "10-25 00:30"),
    ("Australia/Lord_Howe", "04-04 15:00", "45 1 * * *", "04-04 14:45"),  # by half an hour
    ("Australia/Lord_Howe", "10-03 15:30", "15 2 * * *", "10-03 15:30"),
    ("America/Santiago", "04-05 03:00", "30 23 * * *", "04-05 02:30"),  # at midnight
    ("America/Santiago", "09-06 04:00", "0 0 * * *", "09-06 04:00"),
]


def runs(
    cron: str, time_zone: str, since: datetime, until: datetime, *, made: datetime | None = None
) -> list[datetime]:
    """Look at a schedule every 20 seconds, each run takes no time; return the moments for which it ran."""
    schedule = BackupSchedule(name="n", cron=cron, time_zone=time_zone, created_at=made or since)
    ran, now = [], since
    while now <= until:
        due = due_since(schedule, now=now)
        if due is not None:
            begin(schedule, due, now=now)
            schedule.last_finished_at = now
            ran.append(due.astimezone(UTC))
        now += timedelta(seconds=POLL_SECONDS)
    return ran


@pytest.mark.parametrize(("zone", "change", "cron", "due"), CHANGES)
def test_a_wall_time_that_the_clock_repeats_or_leaves_out_runs_once(
    zone: str, change: str, cron: str, due: str
) -> None:
    assert runs(cron, zone, utc(change) - AROUND, utc(change) + AROUND) == [utc(due)]


@pytest.mark.parametrize(("zone", "change", "cron", "due"), CHANGES)
@pytest.mark.parametrize("minutes", [-50, -10, 20, 50])
def test_one_that_is_looked_at_first_in_the_hours_of_the_change_runs_at_most_once(
    zone: str, change: str, cron: str, due: str, minutes: int
) -> None:
    made = utc(change) + timedelta(minutes=minutes)
    assert runs(cron, zone, made, utc(change) + AROUND) == [utc(due)] * (made < utc(due))


@pytest.mark.parametrize(("zone", "change", "cron", "due"), CHANGES)
def test_after_an_outage_over_the_change_it_runs_once(zone: str, change: str, cron: str, due: str) -> None:
    back, made = utc(change) + AROUND, utc(change) - AROUND
    assert runs(cron, zone, back, back + timedelta(hours=1), made=made) == [utc(due)]


@pytest.mark.parametrize(("zone", "change"), [(zone, change) for zone, change, *_ in CHANGES])
def test_half_hourly_ones_run_every_half_hour_of_the_clock_that_goes_on(zone: str, change: str) -> None:
    around = [moment.astimezone(UTC) for moment in islice(moments("*/30 * * * *", zone, utc(change) - AROUND), 9)]
    assert {later - earlier for earlier, later in pairwise(around)} == {timedelta(minutes=30)}


def test_one_that_comes_less_often_than_the_clock_changes_is_found() -> None:
    found = islice(moments("0 */12 29 2 *", "Europe/Berlin", utc("01-01 00:00")), 3)
    assert [f"{moment:%Y-%m-%d %H:%M %Z}" for moment in found] == [
        "2028-02-29 00:00 CET",
        "2028-02-29 12:00 CET",
        "2032-02-29 00:00 CET",
    ]


@pytest.mark.parametrize("cron", ["30 1 * * *", "*/20 1-2 * * *", "0,30 0-3 * * 0", "*/15 23,0 * * *", "7 * * * *"])
@pytest.mark.parametrize(("zone", "change"), [(zone, change) for zone, change, *_ in CHANGES])
def test_moments_are_the_same_and_in_the_same_order_from_wherever_one_looks(cron: str, zone: str, change: str) -> None:
    around = list(islice(moments(cron, zone, utc(change) - timedelta(days=2)), 150))
    instants = [moment.astimezone(UTC) for moment in around]
    assert all(earlier < later for earlier, later in pairwise(instants))
    for minutes in range(-120, 121, 10):
        at = utc(change) + timedelta(minutes=minutes)
        (following,) = islice(moments(cron, zone, at), 1)
        assert following.astimezone(UTC) == next(moment for moment in instants if moment > at)


def test_a_moment_never_comes_again_where_the_clock_of_the_machine_is_set_back() -> None:
    schedule = BackupSchedule(name="n", cron="30 1 * * *", time_zone="UTC", created_at=utc("03-01 00:00"))
    due = due_since(schedule, now=utc("03-01 01:31"))
    assert due == utc("03-01 01:30")
    begin(schedule, due, now=utc("03-01 01:20"))  # set back meanwhile
    schedule.last_finished_at = utc("03-01 01:21")
    assert due_since(schedule, now=utc("03-01 01:40")) is None


def test_a_run_that_died_is_due_since_its_moment() -> None:
    schedule = BackupSchedule(name="n", cron="30 1 * * *", time_zone="UTC", created_at=utc("03-01 00:00"))
    begin(schedule, utc("03-01 01:30"), now=utc("03-01 01:30"))
    assert due_since(schedule, now=utc("03-01 01:31")) == utc("03-01 01:30")
