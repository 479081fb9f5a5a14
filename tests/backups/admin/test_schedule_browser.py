"""The form of a schedule in a real browser: what is typed is read back, in words and with its next times."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from backups.models import BackupSchedule
from tests.support.desk.people import staff
from tests.support.desk.site import Site

pytestmark = pytest.mark.slow  # a browser takes seconds to start

READING = "#schedule-reading"


@pytest.fixture(autouse=True)
def no_schedules(live_server: Any) -> Iterator[None]:
    """Leave no schedule, which nothing else here empties."""
    yield
    BackupSchedule.objects.all().delete()


def test_a_person_types_an_expression_and_sees_words_and_times(site: Site) -> None:
    staff("ana", superuser=True)
    site.log_in("ana")
    site.go("backups/backupschedule/add/")
    page = site.page
    assert "Shown while you type" in page.inner_text(READING)
    page.fill("#id_name", "nightly")
    page.fill("#id_time_zone", "Asia/Tokyo")
    page.locator("#id_cron").press_sequentially("30 3 * * mon-fri")
    read(page, "At 03:30 on Monday through Friday. Next:")
    assert re.fullmatch(
        r"At 03:30 on Monday through Friday\. Next:(\n\w{3} \d{4}-\d\d-\d\d 03:30 JST){3}", page.inner_text(READING)
    )
    assert [*site.violations("light"), *site.violations("dark")] == []
    page.fill("#id_cron", "0 30 3 * * *")
    read(page, "a schedule knows no seconds")
    page.fill("#id_cron", "30 3 * * *")
    page.fill("#id_time_zone", "Asia/Tokio")
    read(page, "is no time zone")
    page.fill("#id_time_zone", "America/Sao_Paulo")
    read(page, "03:30 -03")
    page.click("[name=_continue]")
    site.see("was added successfully")
    assert page.inner_text(READING).startswith("At 03:30 every day. Next:")
    assert BackupSchedule.objects.get().cron == "30 3 * * *"
    assert site.complaints == []


def read(page: Any, text: str) -> None:
    """Wait until the expression is read back so."""
    page.locator(READING, has_text=text).wait_for()
