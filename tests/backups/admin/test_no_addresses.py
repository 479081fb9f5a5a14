"""Who looks at backups learns their stores and names, not where a machine keeps its files, and names none by a path."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone

from backups.backing_up.backup import backup
from backups.files.store import Store
from backups.models import Backup, BackupSchedule, Restore
from tests.support.access.people import browser
from tests.support.backups.people import EVERYTHING, person
from tests.support.backups.runs import library, name_of
from tests.support.desk.admin_pages import page

pytestmark = pytest.mark.usefixtures("committed", "store")
CATALOGUE = "backups/backup/"
RESTORES = "backups/restore/"
SCHEDULES = "backups/backupschedule/"


@pytest.fixture
def user(committed: None) -> User:
    return person(*EVERYTHING, "view_backupschedule")


@pytest.fixture
def ana(user: User) -> Client:
    """A member of staff with all rights to backups, and a look at schedules."""
    return browser(user)


def send(client: Client, address: str, /, **data: Any) -> str:
    """Post a form below ``/admin/`` and return the page to which it leads."""
    return client.post(f"/admin/{address}", data, secure=True, follow=True).content.decode()


@pytest.fixture
def row(committed: None, store: Path) -> Backup:
    """A backup whose file is gone."""
    library()
    backup(["shelves"])
    next(store.rglob("*.parquet")).unlink()
    return Backup.objects.get()


def test_a_check_that_fails_tells_of_no_folder(ana: Client, row: Backup, store: Path) -> None:
    said = send(ana, CATALOGUE, action="verify", _selected_action=str(row.pk))
    detail = page(ana, f"{CATALOGUE}{row.pk}/change/")
    assert f"default/{name_of(row.path)}: is not there" in said
    assert f"default/{name_of(row.path)}" in detail
    assert str(store) not in said + detail + page(ana, CATALOGUE)


def test_a_restore_that_fails_tells_of_no_folder(ana: Client, row: Backup, store: Path) -> None:
    said = send(ana, f"{CATALOGUE}{row.pk}/restore/", mode="")
    detail = page(ana, f"{RESTORES}{Restore.objects.get().pk}/change/")
    assert f"default/{name_of(row.path)}: is not there" in said
    assert f"default/{name_of(row.path)}" in detail
    assert str(store) not in said + detail + page(ana, RESTORES)


def test_a_backup_that_fails_tells_of_no_folder(ana: Client, store: Path) -> None:
    store.write_text("no folder")
    said = send(ana, f"{CATALOGUE}back-up-now/", tables=["shelves"])
    detail = page(ana, f"{CATALOGUE}{Backup.objects.get().pk}/change/")
    assert re.search(r"default/[^/ ]+/shelves", said)
    assert str(store) not in said + detail


def test_a_schedule_that_failed_tells_of_no_folder(ana: Client, user: User, store: Path) -> None:
    now = timezone.now()
    made = BackupSchedule.objects.create(
        name="nightly", cron="30 3 * * *", last_started_at=now, last_error=f"{store}/x: no space."
    )
    BackupSchedule.objects.update(last_finished_at=now)
    request = RequestFactory().get("/")
    request.user = user
    front = Template("{% load backups_health %}{% backups_health %}").render(Context({"request": request}))
    shown = front + page(ana, SCHEDULES) + page(ana, f"{SCHEDULES}{made.pk}/change/")
    assert shown.count("default/x: no space.") == 3
    assert str(store) not in shown


def test_a_file_in_no_store_is_shown_by_its_name(ana: Client, tmp_path: Path) -> None:
    library()
    backup(["shelves"], store=Store(str(tmp_path / "by hand")))
    made = Backup.objects.get()
    detail = page(ana, f"{CATALOGUE}{made.pk}/change/")
    assert f"{name_of(made.path)} (in no store of the settings)" in detail
    assert "by hand" not in detail


@pytest.mark.parametrize("place", ["/etc/passwd", "../x", "s3://other/x", "file:///etc", "%00"])
def test_pages_take_no_path(ana: Client, row: Backup, place: str) -> None:
    for path in (
        f"{CATALOGUE}{place}/restore/",
        f"{CATALOGUE}{place}/change/",
        f"{CATALOGUE}{row.pk}/restore/{place}/",
    ):
        assert ana.get(f"/admin/{path}", secure=True, follow=True).status_code in (200, 404)
    for field in ("path", "path__startswith", "store", "file", "schedule__store"):
        assert ana.get(f"/admin/{CATALOGUE}?{field}={place}", secure=True, follow=True).status_code in (200, 400)
    for fields in ({"path": place}, {"backup": place}, {"store": place}, {"to": place}):
        send(ana, f"{CATALOGUE}{row.pk}/restore/", mode="merge", **fields)
        send(ana, f"{CATALOGUE}back-up-now/", tables=["shelves"], **fields)
    assert set(Restore.objects.values_list("path", "backup")) == {(row.path, row.pk)}
    assert {Path(made.path).parents[2] for made in Backup.objects.all()} == {Path(row.path).parents[2]}
