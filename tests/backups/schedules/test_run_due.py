"""Schedules run when they are due, once, wherever, and say what went wrong."""

import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from backups.catalogue.liveness import alive, schedule_name
from backups.models import Backup, BackupSchedule
from backups.schedules.run_due import ailing, due_since, next_times, run_due
from tests.support.backups.runs import library, name_of, run, spawn
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")
MADE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FIRST_TIME = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)
AFTER_AN_OUTAGE = datetime(2026, 3, 9, 12, tzinfo=UTC)


def schedule(**changes: Any) -> BackupSchedule:
    """Make a schedule of every night at half past three, made on the first of March."""
    made = BackupSchedule.objects.create(
        **{"name": "nightly", "cron": "30 3 * * *", "tables": ["shelves", "books"], **changes}
    )
    BackupSchedule.objects.filter(pk=made.pk).update(created_at=MADE)
    made.refresh_from_db()
    return made


def test_the_next_three_times_are_those_of_its_time_zone() -> None:
    times = next_times(schedule(time_zone="America/Sao_Paulo"), after=MADE)
    assert [moment.isoformat() for moment in times] == [
        "2026-03-02T03:30:00-03:00",
        "2026-03-03T03:30:00-03:00",
        "2026-03-04T03:30:00-03:00",
    ]


def test_a_time_that_summer_time_skips_is_not_lost() -> None:
    made = schedule(cron="30 2 * * *", time_zone="Europe/Berlin")
    days = {moment.date() for moment in next_times(made, after=datetime(2026, 3, 27, 12, tzinfo=UTC), count=4)}
    assert {day.day for day in days} == {28, 29, 30, 31}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cron": "30 3 * *"}, "cron"),
        ({"cron": "61 3 * * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "now"}, "cron"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc"}, "time_zone"),
        ({"tables": ["orderz"]}, "tables"),
        ({"store": "elsewhere"}, "store"),
        ({"store": "s3://bucket/x"}, "store"),
        ({"keep_last": 0}, "keep_last"),
    ],
)
def test_what_could_not_run_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BackupSchedule(**{"name": "n", "cron": "30 3 * * *", **changes}).full_clean()
    assert set(refused.value.message_dict) == {field}


@pytest.mark.parametrize(
    ("now", "since"),
    [
        (datetime(2026, 3, 2, 3, 29, tzinfo=UTC), None),
        (FIRST_TIME, FIRST_TIME),
        (AFTER_AN_OUTAGE, FIRST_TIME),
    ],
)
def test_it_is_due_from_its_time_on(now: datetime, since: datetime | None) -> None:
    assert due_since(schedule(), now=now) == since


def test_it_runs_when_it_is_due() -> None:
    schedule()
    library()
    (done,) = run_due(now=AFTER_AN_OUTAGE)
    assert (done.error, done.tables) == ("", 2)


def test_after_an_outage_it_runs_once() -> None:
    made = schedule()
    library()
    run_due(now=AFTER_AN_OUTAGE)
    made.refresh_from_db()
    assert due_since(made, now=AFTER_AN_OUTAGE + timedelta(hours=1)) is None
    assert run_due(now=AFTER_AN_OUTAGE + timedelta(hours=1)) == ()


@pytest.mark.parametrize("changes", [{"enabled": False}, {"cron": "broken"}])
def test_one_that_is_off_or_broken_is_never_due(changes: dict[str, Any]) -> None:
    assert due_since(schedule(**changes), now=timezone.now()) is None
    assert run_due() == ()


def test_the_command_runs_what_is_due_to_the_store_that_it_names(elsewhere: Path) -> None:
    library()
    made = schedule(store="elsewhere", tables=["shelves"])
    said = run("run_scheduled_backups").out
    assert said.startswith("nightly: 1 tables backed up (due 2026-03-02 00:30:00)")
    row = Backup.objects.get()
    assert (row.origin, row.schedule) == ("schedule", made)
    assert row.path == f"{elsewhere}/{name_of(row.path)}"
    assert run("run_scheduled_backups").out == ""


def test_a_schedule_without_tables_means_all(store: Path, settings: Any) -> None:
    settings.DATAFORGE_BACKUP_TABLES = ["backups.Shelf", "backups.Loan"]
    schedule(tables=[])
    run("run_scheduled_backups")
    assert set(Backup.objects.values_list("table", flat=True)) == {"shelves", "loans"}


def test_a_failed_one_is_said_until_it_goes_well_and_keeps_no_other(store: Path) -> None:
    query("insert into specimens (id, at) values (1, 'infinity')")
    schedule(name="bad", tables=["specimens"])
    schedule(name="good", tables=["shelves"])
    failed = run("run_scheduled_backups", code=1)
    assert "good: 1 tables" in failed.out
    assert "bad: failed: specimens: it holds a value" in failed.err
    assert "bad: failed" in run("run_scheduled_backups", code=1).err  # not due, and still ailing
    query("update specimens set at = null")
    BackupSchedule.objects.update(last_started_at=MADE, last_finished_at=MADE)
    run("run_scheduled_backups")
    assert ailing() == ()


def test_a_missed_one_is_said() -> None:
    schedule()
    assert ailing(now=datetime(2026, 3, 2, 3, 35, tzinfo=UTC)) == ()
    (line,) = ailing(now=datetime(2026, 3, 2, 4, 0, tzinfo=UTC))
    assert line == "nightly: missed: due since 2026-03-02 00:30"


def test_one_whose_process_died_is_run_again_and_one_that_runs_is_let_be(store: Path) -> None:
    made = schedule()
    BackupSchedule.objects.update(last_started_at=timezone.now())
    hours_later = timezone.now() + timedelta(hours=2)
    with alive(schedule_name(made.pk)):
        assert run_due() == ()
        assert ailing(now=hours_later) == ()
    (line,) = ailing(now=hours_later)
    assert line.startswith("nightly: missed: due since ")
    assert [ran.name for ran in run_due()] == ["nightly"]


def test_many_may_run_at_once_and_each_schedule_runs_once(store: Path) -> None:
    library()
    for number in range(3):
        schedule(name=f"number {number}", tables=["shelves"])
    failures: list[BaseException] = []

    def work() -> None:
        try:
            run_due()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Backup.objects.filter(status="done").count() == 3


@pytest.mark.slow
def test_the_loop_runs_schedules_that_are_made_meanwhile_and_ends_when_told(store: Path) -> None:
    library()
    code = (
        "from unittest import mock; from django.core.management import call_command;"
        "mock.patch('core.loops.POLL_SECONDS', 0.05).start();"
        "print('ready', flush=True); call_command('run_scheduled_backups', '--loop')"
    )
    process = spawn(code, BACKUP_STORE=str(store))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    schedule(tables=["shelves"])
    deadline = time.monotonic() + 60
    while not Backup.objects.filter(status="done").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Interrupted" in err
