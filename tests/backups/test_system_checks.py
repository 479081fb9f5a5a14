"""System checks: stores that are none stop the start; a schedule whose store is gone is named."""

from pathlib import Path

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from pytest_django import Settings

from backups.models import BackupSchedule
from backups.system_checks import check_stores


def found() -> list[CheckMessage]:
    """Run all checks as a command does, and return what is of backups."""
    return [message for message in run_checks() if (message.id or "").startswith("backups.")]


@pytest.mark.parametrize(
    ("stores", "number", "said"),
    [
        ({"My Store": "/x"}, 1, "BACKUP_STORES: 'My Store' cannot be a store's name."),
        ({"": "/x"}, 1, "BACKUP_STORES: '' cannot be a store's name."),
        ({"../x": "/x"}, 1, "BACKUP_STORES: '../x' cannot be a store's name."),
        ({"a" * 51: "/x"}, 1, f"BACKUP_STORES: '{'a' * 51}' cannot be a store's name."),
        ({"default": "/x"}, 1, "BACKUP_STORES: default is the store of BACKUP_STORE: set its place there."),
        ({"a": "bucket/x"}, 2, "BACKUP_STORES: a: 'bucket/x' names neither a bucket nor a folder from / on."),
        ({"a": "~/x"}, 2, "BACKUP_STORES: a: '~/x' names neither a bucket nor a folder from / on."),
        ({"a": "s3://"}, 2, "BACKUP_STORES: a: s3://: names no bucket."),
        ({"a": "file:///x"}, 2, "BACKUP_STORES: a: file:///x: backups cannot lie at file://."),
        ({"a": "/x\0y"}, 2, "BACKUP_STORES: a: its place holds a control character."),
        ({"a": "/x", "b": "/y/../x/"}, 3, "BACKUP_STORES: a and b are one place, /x."),
        ({"a": "s3://x/y", "b": "s3://x/y/"}, 3, "BACKUP_STORES: a and b are one place, s3://x/y."),
        ({"a": "/data/backups"}, 3, "BACKUP_STORES: default and a are one place, /data/backups."),
        ({"a": "/data/backups/a"}, 3, "BACKUP_STORES: a lies within default."),
        ({"a": "/data"}, 3, "BACKUP_STORES: default lies within a."),
    ],
)
def test_a_store_that_is_none_stops_the_start(
    stores: dict[str, str], number: int, said: str, settings: Settings
) -> None:
    settings.DATAFORGE_BACKUP_STORE = "/data/backups"
    settings.DATAFORGE_BACKUP_STORES = stores
    (message,) = found()
    assert (message.id, message.msg, message.is_serious()) == (f"backups.E00{number}", said, True)
    assert message.hint


def test_a_default_store_that_is_none_stops_the_start(settings: Settings) -> None:
    settings.DATAFORGE_BACKUP_STORE = "gs://bucket/x"
    (message,) = found()
    assert message.msg == "BACKUP_STORE: gs://bucket/x: backups cannot lie at gs://."


def test_two_names_for_one_folder_by_a_link_are_found(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "one")
    settings.DATAFORGE_BACKUP_STORES = {"one": str(tmp_path / "one"), "other": str(tmp_path / "other")}
    assert [message.id for message in check_stores(None)] == ["backups.E003"]


def test_stores_side_by_side_are_well(settings: Settings) -> None:
    settings.DATAFORGE_BACKUP_STORE = "backups"  # as it was always taken
    settings.DATAFORGE_BACKUP_STORES = {
        "a": "/data/a",
        "a-2": "/data/ab",
        "b_3": "s3://data/a",
        "c": "s3://data/a, b=c",
    }
    assert found() == []


@pytest.mark.django_db
def test_a_schedule_whose_store_is_gone_is_named_and_stops_nothing() -> None:
    for name, store, enabled in (("well", "default", True), ("lost", "old", True), ("off", "old", False)):
        BackupSchedule.objects.create(name=name, cron="0 0 * * *", store=store, enabled=enabled)
    messages = run_checks(tags=[Tags.database], databases=["default"])
    (message,) = (message for message in messages if (message.id or "").startswith("backups."))
    assert message.msg == "The backup schedule lost fails: the settings have no store 'old'."
    assert not message.is_serious()
