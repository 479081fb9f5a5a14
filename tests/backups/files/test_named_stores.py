"""Stores have names: on the command line beside places, and to those who look at backups instead of places."""

import os
from pathlib import Path
from uuid import uuid4

import pytest
from pyarrow import fs
from pytest_django import Settings

from backups.catalogue.prune import prune
from backups.files.named_stores import named_store, store_of, without_addresses
from backups.models import Backup
from core.errors import DatabaseUnavailable, SourceUnreadable
from tests.support.backups.runs import library, name_of, run

committed = pytest.mark.usefixtures("committed")
OLD_SECONDS = (1, 1)


@committed
def test_a_command_takes_the_name_of_a_store(elsewhere: Path) -> None:
    library()
    run("backup_table", "shelves", "--to", "elsewhere")
    assert Path(Backup.objects.get().path).parents[2] == elsewhere
    Backup.objects.all().delete()
    assert "1 manifests, 1 of them new" in run("list_backups", "--scan", "elsewhere").out
    assert str(elsewhere) in run("list_backups").out


@committed
def test_a_command_takes_a_place_that_no_store_has(elsewhere: Path, tmp_path: Path) -> None:
    library()
    run("backup_table", "shelves", "--to", tmp_path / "third")
    assert Path(Backup.objects.get().path).parents[2] == tmp_path / "third"


@committed
@pytest.mark.parametrize("arguments", [["backup_table", "shelves", "--to"], ["list_backups", "--scan"]])
def test_a_word_that_is_no_store_is_refused_and_no_folder_made(
    arguments: list[str], elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run(*arguments, "elsewere", code=2).err
    assert "elsewere: the settings have no such store, but default, elsewhere." in said
    assert "A folder of that name is written ./elsewere." in said
    assert list(tmp_path.iterdir()) == []


@committed
def test_a_folder_by_a_word_is_written_with_a_slash(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    library()
    run("backup_table", "shelves", "--to", "./folder")
    assert list((tmp_path / "folder").glob("*/shelves/shelves.parquet"))


@committed
def test_a_store_may_be_on_s3(store: Path, settings: Settings, bucket: fs.S3FileSystem) -> None:
    settings.DATAFORGE_BACKUP_STORES = {"amazon": "s3://safe/of, two=words/"}
    library()
    run("backup_table", "shelves", "--to", "amazon")
    path = Backup.objects.get().path
    assert path == f"s3://safe/of, two=words/{name_of(path)}"
    assert store_of(path) == ("amazon", name_of(path))


@committed
def test_what_killed_processes_left_in_any_store_goes(elsewhere: Path) -> None:
    (elsewhere / "shelves").mkdir(parents=True)
    left = elsewhere / "shelves" / ".shelves-20260101T030000Z-0a1b2c3d.parquet.part"
    left.write_bytes(b"half")
    os.utime(left, OLD_SECONDS)
    assert [file.path for file in prune(yes=True)] == [str(left)]
    assert not left.exists()


@committed
def test_without_a_database_the_files_of_all_stores_are_checked(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library()
    run("backup_table", "shelves")
    run("backup_table", "books", "--to", "elsewhere")

    def away(*_: object) -> None:
        raise DatabaseUnavailable(problem="it is away", remedy="Start it.")

    monkeypatch.setattr("backups.catalogue.scan.listed", away)
    said = run("verify_backup", "--all").out
    assert "whole (shelves, 3 rows" in said
    assert "whole (books, 4 rows" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lost", "store 'lost': the settings have no such store, but default, relative, other. Name it"),
        ("/etc", "store '/etc': the settings have no such store"),
        ("s3://bucket/x", "the settings have no such store"),
        ("a\0b", r"store 'a\\x00b': the settings have no such store"),
        ("relative", "BACKUP_STORES: relative: 'bucket/x' names neither a bucket nor a folder from / on. Write s3://"),
        ("other", "BACKUP_STORES: other: gs://x: backups cannot lie at gs://. Write s3://bucket/prefix"),
    ],
)
def test_a_name_is_never_read_as_a_place(name: str, said: str, settings: Settings) -> None:
    settings.DATAFORGE_BACKUP_STORES = {"relative": "bucket/x", "other": "gs://x"}
    with pytest.raises(SourceUnreadable, match=said):
        named_store(name)


@pytest.fixture
def stores(settings: Settings) -> None:
    settings.DATAFORGE_BACKUP_STORE = "/data/backups/"
    settings.DATAFORGE_BACKUP_STORES = {"inner": "/data/backups/inner", "amazon": "s3://bucket/some", "wrong": "x"}


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/data/backups/shelves/a.parquet", ("default", "shelves/a.parquet")),
        ("/data/backups/inner/shelves/a.parquet", ("inner", "shelves/a.parquet")),
        ("/a/20261130T080051.123456Z-c0585e71/b/b.parquet", (None, "20261130T080051.123456Z-c0585e71/b/b.parquet")),
        ("s3://bucket/some/shelves/a.parquet", ("amazon", "shelves/a.parquet")),
        ("s3://bucket/something/a.parquet", (None, "a.parquet")),
        ("/data/backups2/a.parquet", (None, "a.parquet")),
        ("/data/backups", (None, "backups")),
        ("", (None, "")),
    ],
)
def test_a_file_lies_in_the_store_that_holds_its_folder(path: str, found: tuple[str | None, str]) -> None:
    assert store_of(path) == found


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/data/backups/a/b.parquet: is not there.", "default/a/b.parquet: is not there."),
        ("/data/backups: no space; look at /data/backups.", "default: no space; look at default."),
        ("the drill of s3://bucket/some/a.parquet", "the drill of amazon/a.parquet"),
        ("/data/backups2/x and /mnt/data/backups/x", "/data/backups2/x and /mnt/data/backups/x"),
    ],
)
def test_a_fault_tells_of_stores_by_their_names(text: str, told: str) -> None:
    assert without_addresses(text) == told


@pytest.mark.usefixtures("stores")
def test_a_fault_of_a_file_elsewhere_is_told_without_its_folders() -> None:
    old, new = f"shelves/{uuid4()}.parquet", "20261130T080051.123456Z-c0585e71/shelves/shelves.parquet"
    for path, told in ((f"/srv/old/{old}", old.rpartition("/")[2]), (f"/srv/new/{new}", new)):
        assert without_addresses(f"{path}: is not there.", path) == f"{told}: is not there."
    manifest = "_manifests/20261130T080051.123456Z-c0585e71/shelves.json"
    assert without_addresses(f"there is no /srv/new/{manifest}", f"/srv/new/{new}") == f"there is no {manifest}"
