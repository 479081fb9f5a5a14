"""Backups on S3, on a real server that speaks it."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from pyarrow import fs
from pytest_django import Settings

from backups.files.store import Store
from backups.models import Backup
from tests.support.backups.runs import content, library, name_of, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")
SAFE = "s3://safe/nightly"


def keys(bucket: fs.S3FileSystem) -> list[str]:
    infos = bucket.get_file_info(fs.FileSelector("safe", recursive=True))
    return sorted(info.path for info in infos if info.type == fs.FileType.File)


@pytest.fixture
def on_s3(committed: None, bucket: fs.S3FileSystem) -> Backup:
    """The backup of the shelves of the library on S3, beside that of its books."""
    library()
    run("backup_table", "shelves", "books", "--to", SAFE)
    return Backup.objects.get(table="shelves")


def test_a_backup_goes_to_s3(on_s3: Backup, bucket: fs.S3FileSystem) -> None:
    assert [key.rpartition(".")[2] for key in keys(bucket)] == ["parquet"] * 2 + ["json"] * 2
    assert on_s3.path == f"{SAFE}/{name_of(on_s3.path)}"


def test_a_backup_on_s3_is_verified_by_a_drill(on_s3: Backup) -> None:
    run("verify_backup", on_s3.path, "--drill")


@pytest.mark.usefixtures("on_s3")
def test_a_backup_comes_back_from_s3() -> None:
    before = content("shelves")
    query("update shelves set size = 8")
    run("restore_table", "shelves", "--no-safety-backup")
    assert content("shelves") == before


@pytest.mark.usefixtures("on_s3")
def test_backups_on_s3_are_found_again_when_the_catalogue_is_lost() -> None:
    Backup.objects.all().delete()
    assert "2 manifests, 2 of them new" in run("list_backups", "--scan", SAFE).out


@pytest.mark.usefixtures("bucket")
def test_the_key_and_the_secret_of_s3_are_written_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    library()
    said = run("backup_table", "shelves", "books", "--to", SAFE).out
    run("verify_backup", Backup.objects.get(table="shelves").path, "--drill")
    run("restore_table", "shelves", "--no-safety-backup")
    run("list_backups", "--scan", SAFE)
    assert "testing" not in said + caplog.text + str(list(Backup.objects.values()))  # the key and the secret


def test_an_object_is_encrypted_as_the_buckets_default_says(bucket: fs.S3FileSystem, s3_server: str) -> None:
    client = boto3.client("s3", endpoint_url=s3_server)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "the-key"}}
    client.put_bucket_encryption(Bucket="safe", ServerSideEncryptionConfiguration={"Rules": [rule]})
    library()
    run("backup_table", "shelves", "--to", SAFE)
    heads = [client.head_object(Bucket="safe", Key=key.removeprefix("safe/")) for key in keys(bucket)]
    assert [(head["ServerSideEncryption"], head["SSEKMSKeyId"]) for head in heads] == [("aws:kms", "the-key")] * 2
    run("verify_backup", "--all")
    client.delete_bucket_encryption(Bucket="safe")


def test_a_failure_leaves_no_object(bucket: fs.S3FileSystem) -> None:
    library()
    query("insert into specimens (id, at) values (1, 'infinity')")
    run("backup_table", "shelves", "specimens", "--to", SAFE, code=1)
    assert keys(bucket) == []


def test_a_cut_object_is_found(bucket: fs.S3FileSystem) -> None:
    library()
    run("backup_table", "shelves", "--to", SAFE)
    path = Backup.objects.get().path.removeprefix("s3://")
    with bucket.open_input_stream(path) as stream:
        whole = stream.read()
    with bucket.open_output_stream(path) as stream:
        stream.write(whole[:-1])
    assert "bytes, and had" in run("verify_backup", "--all", code=1).err


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("s3://nowhere/nightly", "the bucket does not exist"),
        ("s3://", "names no bucket"),
    ],
)
def test_a_place_that_is_none_is_named(url: str, problem: str, bucket: fs.S3FileSystem) -> None:
    library()
    ran = run("backup_table", "shelves", "--to", url, code=2)
    assert problem in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "url", ["gs://bucket/x", "S3://bucket/x", "file:///tmp/x", "ftp://x", "azure+blob://x", "://x"]
)
def test_a_place_of_another_kind_is_refused_and_no_folder_of_that_name_is_made(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    library()
    monkeypatch.chdir(tmp_path)
    settings.DATAFORGE_BACKUP_STORE = url
    for arguments in (
        ["backup_table", "shelves", "--to", url],
        ["backup_table", "shelves"],
        ["list_backups", "--scan"],
    ):
        ran = run(*arguments, code=2)
        assert f"{url}: backups cannot lie at" in ran.err
        assert "s3://bucket/prefix" in ran.err
    assert "backups cannot lie at" in run("verify_backup", f"{url}.parquet", code=1).err
    assert list(tmp_path.iterdir()) == []
    assert not Backup.objects.exists()


@pytest.mark.parametrize("name", ["a:b", "back up", "./gs:", "deep/gs://x"])
def test_a_folder_with_a_strange_name_is_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    monkeypatch.chdir(tmp_path)
    run("backup_table", "shelves", "--to", name)
    assert Path(Backup.objects.get().path).is_relative_to(tmp_path / name)
    run("verify_backup", "--all")


def test_a_place_that_cannot_be_made_is_not_one_to_look_for(store: Path) -> None:
    library()
    ran = run("backup_table", "shelves", "--to", "/proc/x", code=2)
    assert re.search("/proc/x/[^/]+/shelves/shelves.parquet", ran.err)
    assert "cannot be written there. Name a folder that can be made, or s3://bucket/prefix." in ran.err
    assert "list_backups" in run("verify_backup", store / "gone.parquet", code=1).err


def test_a_scan_of_a_place_that_is_not_there_says_so(store: Path, bucket: fs.S3FileSystem) -> None:
    gone = "is not there. Name the folder in which backups lie, or s3://bucket/prefix."
    for place, said in (
        (["/nonexistent"], gone),
        ([], gone),  # the store's own
        (["s3://safe/nothing"], gone),
        (["s3://nowhere"], "the bucket does not exist"),
    ):
        ran = run("list_backups", "--scan", *place, code=2)
        assert said in ran.err
        assert ran.out == ""
    store.mkdir()
    for arguments in (["--scan"], ["--scan", "s3://safe"]):
        assert "0 manifests" in run("list_backups", *arguments).out


def test_what_may_miss_its_place_goes_on_without(store: Path) -> None:
    assert Store(str(store)).names() == []
    run("prune_backups")


@pytest.mark.parametrize("made", [lambda path: path, lambda path: Path(path) / "deep" / "er"])
def test_a_folder_is_made_where_it_is_missing(made: Callable[[Path], Path], tmp_path: Path) -> None:
    library()
    folder = made(tmp_path / "new")
    run("backup_table", "shelves", "--to", folder)
    assert sorted(path.name for path in folder.glob("*/*/*")) == ["shelves.json", "shelves.parquet"]
