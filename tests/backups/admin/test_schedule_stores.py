"""A schedule's store in the admin: one of the names of the settings, whatever is sent."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import Settings

from backups.models import UNDECIDED, Backup, BackupSchedule
from backups.schedules.run_due import run_due
from tests.support.access.people import browser
from tests.support.backups.people import person
from tests.support.backups.runs import library, name_of
from tests.support.desk.admin_pages import page

pytestmark = pytest.mark.usefixtures("committed", "elsewhere")
SCHEDULES = "backups/backupschedule/"
NIGHTLY = {
    "name": "nightly",
    "enabled": "on",
    "cron": "30 3 * * *",
    "time_zone": "UTC",
    "tables": ["shelves"],
    "store": "elsewhere",
    "keep_last": "7",
    "keep_daily": "0",
    "keep_weekly": "0",
    "keep_monthly": "0",
}
NO_STORES = (
    "/etc", "../../etc", "~", "s3://other/x", "file:///etc", "elsewhere/../x", "elsewhere ", "Elsewhere", "elsewhere\0",
    '["elsewhere"]', '{"store": "elsewhere"}', "null", "",
)  # fmt: skip


@pytest.fixture
def ana(committed: None) -> Client:
    """A member of staff who keeps the schedules."""
    return browser(person("add_backupschedule", "change_backupschedule", "view_backupschedule"))


def send(client: Client, address: str, /, **changes: Any) -> str:
    """Send the form of a schedule, and follow where it leads."""
    sent = {name: value for name, value in {**NIGHTLY, **changes}.items() if value is not None}
    answer = client.post(f"/admin/{address}", sent, secure=True, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def choices(html: str) -> list[tuple[str, str, bool]]:
    """Return the stores that a page offers: their values, their texts, and which is chosen."""
    (field,) = re.findall(r'<select name="store".*?</select>', html, re.DOTALL)
    found = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)</option>', field)
    return [(value, text, bool(chosen)) for value, chosen, text in found]


def test_the_form_offers_the_stores_by_name_and_proposes_the_default_one(ana: Client, tmp_path: Path) -> None:
    html = page(ana, f"{SCHEDULES}add/")
    assert choices(html) == [("default", "default", True), ("elsewhere", "elsewhere", False)]
    assert str(tmp_path) not in html


def test_a_schedule_goes_to_the_store_that_was_chosen(ana: Client, elsewhere: Path) -> None:
    library()
    send(ana, f"{SCHEDULES}add/")
    BackupSchedule.objects.update(created_at="2026-03-01T00:00Z")
    (done,) = run_due()
    assert done.error == ""
    assert Backup.objects.get().path == f"{elsewhere}/{name_of(Backup.objects.get().path)}"


@pytest.mark.parametrize("value", NO_STORES)
def test_what_is_no_name_of_a_store_makes_no_schedule(ana: Client, value: str) -> None:
    assert "errorlist" in send(ana, f"{SCHEDULES}add/", store=value)
    assert not BackupSchedule.objects.exists()


@pytest.mark.parametrize("value", NO_STORES)
@pytest.mark.parametrize("enabled", ["on", None])
def test_what_is_no_name_of_a_store_changes_no_schedule(ana: Client, value: str, enabled: str | None) -> None:
    send(ana, f"{SCHEDULES}add/")
    change = f"{SCHEDULES}{BackupSchedule.objects.get().pk}/change/"
    assert "errorlist" in send(ana, change, store=value, enabled=enabled)
    assert BackupSchedule.objects.get().store == "elsewhere"


def test_a_link_of_that_name_is_no_store(ana: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("/etc")
    monkeypatch.chdir(tmp_path)
    assert "errorlist" in send(ana, f"{SCHEDULES}add/", store="link")
    assert not BackupSchedule.objects.exists()


def test_fields_that_the_form_does_not_have_are_not_taken(ana: Client, tmp_path: Path) -> None:
    hidden = {"destination": "/etc", "path": "/etc", "to": "s3://other", "last_error": "x", "store_url": "/etc"}
    send(ana, f"{SCHEDULES}add/", **hidden)
    made = BackupSchedule.objects.get()
    assert (made.store, made.last_error) == ("elsewhere", "")


def test_of_two_values_neither_may_be_a_place(ana: Client) -> None:
    assert "errorlist" in send(ana, f"{SCHEDULES}add/", store=["elsewhere", "/etc"])
    send(ana, f"{SCHEDULES}add/", store=["/etc", "elsewhere"])
    assert [made.store for made in BackupSchedule.objects.all()] == ["elsewhere"]


@pytest.mark.parametrize("value", ["/etc", "s3://other/x", "file:///etc"])
def test_an_address_of_the_form_proposes_no_place(ana: Client, value: str) -> None:
    html = page(ana, f"{SCHEDULES}add/?store={value}&destination={value}")
    assert value not in [offered for offered, _, _ in choices(html)]


def test_the_list_shows_stores_and_is_narrowed_by_them(ana: Client) -> None:
    send(ana, f"{SCHEDULES}add/")
    assert '<td class="field-store">elsewhere</td>' in page(ana, SCHEDULES)
    assert "1 backup schedule" in page(ana, f"{SCHEDULES}?store__exact=elsewhere")
    assert "0 backup schedules" in page(ana, f"{SCHEDULES}?store__exact=default")
    assert "0 backup schedules" in page(ana, f"{SCHEDULES}?store__exact=/etc")


@pytest.fixture
def lost(ana: Client, settings: Settings) -> str:
    """The page of a schedule whose store the settings have lost."""
    send(ana, f"{SCHEDULES}add/")
    settings.DATAFORGE_BACKUP_STORES = {"third": "/data/third"}
    return f"{SCHEDULES}{BackupSchedule.objects.get().pk}/change/"


def test_a_lost_store_is_shown_as_such_and_no_other_chosen_for_it(ana: Client, lost: str) -> None:
    assert choices(page(ana, lost)) == [
        ("elsewhere", "elsewhere (not in the settings any more)", True),
        ("default", "default", False),
        ("third", "third", False),
    ]


def test_a_lost_store_is_told_of_before_the_next_run(ana: Client, lost: str) -> None:
    told = "It cannot run: store &#x27;elsewhere&#x27;: the settings have no such store"
    assert f"It has not run yet. {told}" in page(ana, SCHEDULES)
    assert told in page(ana, lost)


def test_a_schedule_with_a_lost_store_is_not_saved_as_it_is(ana: Client, lost: str) -> None:
    said = send(ana, lost, name="changed")
    assert "the settings have no such store, but default, third. Name it in BACKUP_STORES again" in said
    assert BackupSchedule.objects.get().name == "nightly"


def test_a_schedule_with_a_lost_store_may_be_turned_off(ana: Client, lost: str) -> None:
    send(ana, lost, enabled=None)
    assert BackupSchedule.objects.get().enabled is False


def test_a_schedule_with_a_lost_store_gets_another_and_its_error_is_over(ana: Client, lost: str) -> None:
    BackupSchedule.objects.update(last_error="store 'elsewhere': gone")
    send(ana, lost, store="third")
    made = BackupSchedule.objects.get()
    assert (made.store, made.last_error) == ("third", "")
    assert "Changed store" in str(LogEntry.objects.latest("pk").get_change_message())


@pytest.fixture
def undecided(committed: None) -> str:
    """The page of a schedule that an upgrade turned off."""
    note = "It went to s3://old/x, which no store of BACKUP_STORES is. Choose a store and turn it on."
    made = BackupSchedule.objects.create(
        name="nightly", cron="30 3 * * *", store=UNDECIDED, enabled=False, last_error=note
    )
    return f"{SCHEDULES}{made.pk}/change/"


def test_a_schedule_that_an_upgrade_turned_off_says_where_it_went_and_lets_choose(ana: Client, undecided: str) -> None:
    html = page(ana, undecided)
    assert "It went to s3://old/x, which no store" in html
    assert choices(html)[0] == ("", "Choose one", True)


def test_a_schedule_that_an_upgrade_turned_off_is_not_turned_on_without_a_store(ana: Client, undecided: str) -> None:
    assert "errorlist" in send(ana, undecided, store="")
    assert BackupSchedule.objects.get().enabled is False


def test_a_schedule_that_an_upgrade_turned_off_runs_again_in_a_store(ana: Client, undecided: str) -> None:
    send(ana, undecided)
    made = BackupSchedule.objects.get()
    assert (made.store, made.enabled, made.last_error) == ("elsewhere", True, "")
