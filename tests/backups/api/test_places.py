"""Over HTTP nobody says where a backup goes or comes from, and nobody is told where a machine keeps its files."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from backups.backing_up.backup import backup
from backups.files.store import Store
from backups.models import Backup, Restore
from core.errors import DatabaseFailed
from tests.support.api.client import ApiClient
from tests.support.backups.runs import library, name_of

pytestmark = pytest.mark.usefixtures("committed", "store")
BACKUPS = "/api/v1/backups/"
RESTORES = "/api/v1/restores/"
MEMBERS = ("to", "from", "path", "file", "store", "destination", "backup", "safety")
PLACES = ("s3://other/x", "/etc/passwd", "../x", "file:///etc", "default", "a\0b", None, ["default"], {"path": "/etc"})


@pytest.fixture
def row(committed: None, store: Path) -> Backup:
    """A backup of shelves."""
    library()
    backup(["shelves"])
    return Backup.objects.get()


@pytest.mark.parametrize("member", MEMBERS)
def test_a_backup_is_told_no_place(ana: ApiClient, member: str) -> None:
    answers = [ana.post({"tables": ["shelves"], member: place}, to=BACKUPS) for place in PLACES]
    assert {answer.status for answer in answers} == {400}
    assert not Backup.objects.exists()


@pytest.mark.parametrize("table", ["/etc/passwd", "../x", "s3://other/x", "shelves/../x", "a\0b", None, ["shelves"]])
def test_a_table_is_no_place(ana: ApiClient, table: Any) -> None:
    assert ana.post({"tables": [table]}, to=BACKUPS).status in (400, 404)
    assert not Backup.objects.exists()


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("deed", ["verify", "restore"])
def test_neither_check_nor_restore_is_told_a_place(ana: ApiClient, row: Backup, deed: str, member: str) -> None:
    answers = [ana.post({member: place}, to=f"{BACKUPS}{row.pk}/{deed}/") for place in PLACES]
    assert {answer.status for answer in answers} == {400}
    assert not Restore.objects.exists()


@pytest.mark.parametrize("number", ["..%2f..%2fetc%2fpasswd", "s3:%2f%2fx", "%00", "default"])
def test_a_backup_is_named_by_its_number_alone(ana: ApiClient, number: str) -> None:
    address = f"{BACKUPS}{number}/"
    answers = [ana.get(address), ana.post({}, to=f"{address}verify/"), ana.post({}, to=f"{address}restore/")]
    assert {answer.status for answer in answers} <= {400, 404}
    assert not Restore.objects.exists()


@pytest.mark.parametrize("address", [BACKUPS, RESTORES])
@pytest.mark.parametrize("name", ["path", "store", "file", "path__startswith"])
def test_a_list_is_not_narrowed_by_where_files_are(ana: ApiClient, address: str, name: str) -> None:
    assert ana.get(f"{address}?{name}=/x").status == 400


def test_a_backup_names_its_store(ana: ApiClient, row: Backup) -> None:
    shown = ana.get(f"{BACKUPS}{row.pk}/").json
    assert (shown["store"], shown["file"]) == ("default", name_of(row.path))


def test_a_backup_in_no_store_of_the_settings_names_none_and_no_folder(ana: ApiClient, tmp_path: Path) -> None:
    library()
    backup(["shelves"], store=Store(str(tmp_path / "by hand")))
    answer = ana.get(BACKUPS)
    assert [row["store"] for row in answer.json["results"]] == [None]
    assert "by hand" not in answer.text


def test_a_drill_that_fails_tells_of_no_folder(ana: ApiClient, row: Backup, store: Path) -> None:
    failed = DatabaseFailed(work=f"the drill of {row.path}", problem="it made another table", remedy="Report it.")
    with mock.patch("backups.backing_up.verify._drill", side_effect=failed):
        answer = ana.post({"drill": True}, to=f"{BACKUPS}{row.pk}/verify/")
    assert answer.status == 503
    shown = ana.get(f"{BACKUPS}{row.pk}/")
    assert f"the drill of default/{name_of(row.path)}" in shown.json["error"]
    assert str(store) not in answer.text + shown.text
