"""Schedules of before stores had names: they go where they went, or nowhere."""

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from backups.models import UNDECIDED, BackupSchedule
from backups.schedules.run_due import ailing, run_due
from backups.system_checks import check_schedules
from tests.support.loading.loads import query

BEFORE = "0002_rights"
OTHERS = ("gs://bucket/x", "relative", "s3://", "/etc/\x01", "s3://other/nightly")


def schedule(name: str, destination: str) -> None:
    query(
        "insert into backups_backupschedule (name, cron, time_zone, tables, destination, keep_last, keep_daily,"
        " keep_weekly, keep_monthly, enabled, created_at, last_error)"
        " values (%s, '30 3 * * *', 'UTC', '{shelves}', %s, 7, 0, 0, 0, true, '2026-03-01', '')",
        name,
        destination,
    )


@pytest.fixture
def migrated(db: None, elsewhere: Path, store: Path, settings: Settings) -> None:
    """A database with schedules of before, migrated: all of it in a transaction that the test rolls back."""
    settings.DATAFORGE_BACKUP_STORES |= {"amazon": "s3://bucket/some/"}
    call_command("migrate", "backups", BEFORE, verbosity=0)
    schedule("empty", "")
    schedule("the default one", f"{store}/")
    schedule("second", str(elsewhere))
    schedule("on s3", "s3://bucket/some")
    schedule("within", f"{store}/deeper")
    for number, destination in enumerate(OTHERS):
        schedule(f"other {number}", destination)
    call_command("migrate", verbosity=0)


def stores() -> dict[str, str]:
    """Return the stores of the schedules that are on."""
    return dict(BackupSchedule.objects.filter(enabled=True).values_list("name", "store"))


@pytest.mark.usefixtures("migrated")
def test_a_schedule_gets_the_store_in_which_it_was() -> None:
    assert stores() == {"empty": "default", "the default one": "default", "second": "elsewhere", "on s3": "amazon"}


@pytest.mark.usefixtures("migrated")
def test_one_whose_place_is_no_store_is_off_and_keeps_its_old_place_to_read() -> None:
    off = BackupSchedule.objects.filter(enabled=False)
    assert set(off.values_list("store", flat=True)) == {UNDECIDED}
    assert off.count() == 1 + len(OTHERS)
    assert off.get(name="other 4").last_error == (
        "It went to s3://other/nightly, which no store of BACKUP_STORES is. Choose a store and turn it on."
    )


@pytest.mark.usefixtures("migrated")
def test_the_migration_says_which_are_off(caplog: pytest.LogCaptureFixture) -> None:
    records = caplog.get_records("setup")
    said = [record.getMessage() for record in records if record.name.startswith("backups.migrations")]
    assert len(said) == 1 + len(OTHERS)
    assert "The backup schedule other 4 is off: It went to s3://other/nightly, which" in said[-1]


@pytest.mark.usefixtures("migrated")
def test_those_that_are_off_ail_until_somebody_decides_and_do_not_run() -> None:
    BackupSchedule.objects.exclude(name="other 4").delete()
    assert run_due() == ()
    (line,) = ailing()
    assert line == "other 4: is off: where it went is no store of the settings. Choose one for it in the admin."


@pytest.mark.usefixtures("migrated")
def test_the_way_back_gives_places_again(elsewhere: Path, settings: Settings) -> None:
    settings.DATAFORGE_BACKUP_STORES = {"elsewhere": str(elsewhere)}
    call_command("migrate", "backups", BEFORE, verbosity=0)
    assert check_schedules(None, databases=["default"]) == []  # it asks for nothing that is not there yet
    kept = dict(query("select name, destination from backups_backupschedule where enabled"))
    assert kept == {"empty": "", "the default one": "", "second": str(elsewhere)}
    call_command("migrate", verbosity=0)
