"""Schedules in the admin: made, explained, shown with their next times, and kept from those who may not."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from backups.models import BackupSchedule
from tests.support.access.people import browser
from tests.support.backups.admin import SCHEDULES, send
from tests.support.desk.admin_pages import page
from tests.support.desk.people import staff

pytestmark = pytest.mark.usefixtures("committed", "store")


NIGHTLY = {
    "name": "nightly",
    "enabled": "on",
    "cron": "30 3 * * *",
    "time_zone": "Asia/Tokyo",
    "tables": ["shelves"],
    "store": "default",
    "keep_last": 7,
    "keep_daily": 0,
    "keep_weekly": 0,
    "keep_monthly": 0,
}


def test_a_schedule_that_cannot_run_is_explained_and_not_made(ana: Client) -> None:
    wrong = {**NIGHTLY, "cron": "61 3 * * *", "time_zone": "Mars/Olympus"}
    html = send(ana, f"{SCHEDULES}add/", **wrong).content.decode()
    assert "Five fields are needed" in html
    assert "is no time zone" in html
    assert not BackupSchedule.objects.exists()


def test_a_schedule_is_made(ana: Client) -> None:
    send(ana, f"{SCHEDULES}add/", **NIGHTLY)
    assert BackupSchedule.objects.get().tables == ["shelves"]
    assert LogEntry.objects.filter(action_flag=1).count() == 1


@pytest.fixture
def nightly(ana: Client) -> BackupSchedule:
    """A schedule that has failed."""
    send(ana, f"{SCHEDULES}add/", **NIGHTLY)
    BackupSchedule.objects.update(last_started_at=timezone.now(), last_finished_at=timezone.now(), last_error="no disk")
    return BackupSchedule.objects.get()


def test_a_schedule_shows_when_it_runs_and_how_it_failed(ana: Client, nightly: BackupSchedule) -> None:
    html = page(ana, f"{SCHEDULES}{nightly.pk}/change/")
    assert len(re.findall(r"\d{4}-\d\d-\d\d 03:30 JST", html)) == 3
    assert re.search(r"Failed at [\d :-]+\. no disk", html)


@pytest.mark.usefixtures("nightly")
def test_the_list_of_schedules_shows_when_they_run(ana: Client) -> None:
    assert "03:30 JST" in page(ana, SCHEDULES)


def test_a_schedule_is_read_back_in_words(ana: Client, nightly: BackupSchedule) -> None:
    html = page(ana, f"{SCHEDULES}{nightly.pk}/change/")
    assert "At 03:30 every day. Next:" in html
    BackupSchedule.objects.update(enabled=False)
    assert "It is off: it does not run." in page(ana, f"{SCHEDULES}{nightly.pk}/change/")


@pytest.mark.parametrize(
    ("cron", "time_zone", "said"),
    [
        ("0 9-17 * * mon-fri", "Asia/Tokyo", "JST"),
        ("30 3 * * *", "America/Sao_Paulo", "03:30 -03"),
        ("* 30 3 * * *", "UTC", "a schedule knows no seconds"),
        ("nightly", "UTC", "Five fields are needed"),
        ("", "UTC", "Five fields are needed"),
        ("30 3 * * *", "Mars/Olympus", "is no time zone"),
        ("30 3 * * *", "", "is no time zone"),
        ("0 0 30 2 *", "UTC", "Bad day-of-month"),
        ("1," * 100 + "1 3 * * *", "UTC", "At most 100 characters"),
    ],
)
def test_an_expression_is_read_back_while_it_is_typed(ana: Client, cron: str, time_zone: str, said: str) -> None:
    answer = ana.get(f"/admin/{SCHEDULES}read/", {"cron": cron, "time_zone": time_zone}, secure=True)
    assert said in " ".join(answer.json()["lines"])


def test_what_an_expression_says_is_not_for_those_who_may_make_no_schedule() -> None:
    eve = browser(staff("eve", "backups.view_backupschedule"))
    assert eve.get(f"/admin/{SCHEDULES}read/", {"cron": "0 0 * * *"}, secure=True).status_code == 403


@pytest.fixture
def guarded(committed: None) -> str:
    """The path of a schedule of a table that guards the site."""
    made = BackupSchedule.objects.create(name="users", cron="0 0 * * *", tables=["auth_user"])
    return f"{SCHEDULES}{made.pk}/change/"


def test_a_schedule_of_guarded_tables_is_not_changed_by_others(ana: Client, guarded: str) -> None:
    assert send(ana, guarded, name="mine").status_code == 403


def test_a_schedule_of_guarded_tables_has_no_form_for_others(ana: Client, guarded: str) -> None:
    assert 'name="name"' not in page(ana, guarded)
