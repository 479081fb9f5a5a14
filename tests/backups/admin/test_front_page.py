"""How backups stand, on the front page of the admin."""

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import RequestFactory

from backups.models import BackupSchedule
from backups.schedules.health import health
from tests.support.backups.admin import shelves
from tests.support.backups.people import person

pytestmark = pytest.mark.usefixtures("committed", "store")


def test_without_a_backup_all_is_not_well() -> None:
    assert (health().well, health().verified_at) == (False, None)


def test_with_a_verified_backup_all_is_well() -> None:
    row = shelves()
    assert health().well
    assert health().verified_at == row.snapshot_at


@pytest.fixture
def ailing(committed: None) -> None:
    """A backup, and a schedule that cannot run."""
    shelves()
    BackupSchedule.objects.create(name="nightly", cron="broken")


def shown_to(user: User) -> str:
    """Return what the front page says of backups."""
    request = RequestFactory().get("/")
    request.user = user
    return Template("{% load backups_health %}{% backups_health %}").render(Context({"request": request}))


@pytest.mark.usefixtures("ailing")
def test_a_schedule_that_cannot_run_is_named() -> None:
    assert "nightly: cannot run" in health().ailing[0]


@pytest.mark.usefixtures("ailing")
def test_the_front_page_says_how_backups_stand() -> None:
    shown = shown_to(person("view_backup"))
    assert "nightly: cannot run" in shown
    assert "The newest verified backup is" in shown


@pytest.mark.usefixtures("ailing")
def test_the_front_page_says_nothing_of_backups_to_those_who_may_not_view_them() -> None:
    assert shown_to(person(name="bob")).strip() == ""
