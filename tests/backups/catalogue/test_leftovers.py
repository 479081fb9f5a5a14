"""What killed backups left on S3 is seen and cleared: open uploads, and objects in place of folders; nothing else."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import boto3
import pytest
from pyarrow import fs
from pytest_django import Settings
from werkzeug import Response

from backups.backing_up.backup import backup
from backups.catalogue.liveness import alive, backup_name, restore_name
from backups.models import Backup, Restore
from tests.support.aws.servers import but_for, error, moto, refusing, served
from tests.support.backups.runs import library, run

pytestmark = pytest.mark.usefixtures("committed")
RUN_ID, OLD_ID = UUID("12345678-0000-4000-8000-000000000000"), UUID("9abcdef0-0000-4000-8000-000000000000")
RUN = "20261124T033000.123456Z-12345678"
UPLOADS = (
    f"nightly/{RUN}/shelves/shelves.parquet",
    f"nightly/_manifests/{RUN}/shelves.json",
    f"nightly/_safety/{RUN}/shelves/shelves.parquet",
    "nightly/shelves/shelves-20261124T033000Z-9abcdef0.parquet",
    "nightly/shelves/shelves-20261124T033000Z-9abcdef0.parquet.manifest.json",
)
OTHERS_UPLOADS = (
    "nightly/mine.parquet",
    f"nightly/{RUN}/shelves/books.parquet",
    f"nightly/copy/{RUN}/shelves/shelves.parquet",
    f"nightly2/{RUN}/shelves/shelves.parquet",
    f"{RUN}/shelves/shelves.parquet",
)
FOLDERS = (f"nightly/{RUN}/", f"nightly/{RUN}/shelves/", f"nightly/_manifests/{RUN}/", "nightly/shelves/")
OTHERS_FOLDERS = ("nightly/", "nightly/mine/", "nightly/mine/shelves/", "shelves/", f"nightly2/{RUN}/")


@pytest.fixture
def s3(bucket: fs.S3FileSystem, s3_server: str, settings: Settings) -> Iterator[Any]:
    """The store ``default`` on S3, by the client of another program."""
    settings.DATAFORGE_BACKUP_STORE = "s3://safe/nightly"
    client = boto3.client("s3", endpoint_url=s3_server)
    yield client
    for key in keys(client):  # pyarrow leaves those that are folders to it
        client.delete_object(Bucket="safe", Key=key)
    for upload in client.list_multipart_uploads(Bucket="safe").get("Uploads", ()):
        client.abort_multipart_upload(Bucket="safe", Key=upload["Key"], UploadId=upload["UploadId"])


@pytest.fixture
def left(s3: Any) -> Any:
    """What killed backups left, and what others have there."""
    for key in (*UPLOADS, *OTHERS_UPLOADS):
        upload = s3.create_multipart_upload(Bucket="safe", Key=key)
        s3.upload_part(Bucket="safe", Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"half")
    for key in (*FOLDERS, *OTHERS_FOLDERS):
        s3.put_object(Bucket="safe", Key=key, Body=b"")
    s3.put_object(Bucket="safe", Key="nightly/books/", Body=b"a file of somebody")
    return s3


@pytest.fixture
def a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backups.catalogue.leftovers.LEFTOVER_AGE_SECONDS", -1.0)


def uploads(s3: Any) -> set[str]:
    return {upload["Key"] for upload in s3.list_multipart_uploads(Bucket="safe").get("Uploads", ())}


def keys(s3: Any) -> set[str]:
    return {found["Key"] for found in s3.list_objects_v2(Bucket="safe").get("Contents", ())}


@pytest.mark.usefixtures("a_day_later")
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_would_go_is_said(options: tuple[str, ...], left: Any) -> None:
    said = run("prune_backups", *options).out
    for key in UPLOADS:
        assert f"would remove s3://safe/{key} (an upload begun at " in said
    for key in FOLDERS:
        assert f"would remove s3://safe/{key} (an empty object in place of a folder)" in said
    assert said.count("would remove ") == len(UPLOADS) + len(FOLDERS)
    assert uploads(left) == {*UPLOADS, *OTHERS_UPLOADS}


@pytest.mark.usefixtures("a_day_later")
def test_it_goes_with_yes_and_nothing_of_others(left: Any) -> None:
    assert run("prune_backups", "--yes").out.count("removed ") == len(UPLOADS) + len(FOLDERS)
    assert uploads(left) == set(OTHERS_UPLOADS)
    assert keys(left) == {*OTHERS_FOLDERS, "nightly/books/"}
    assert "0 files." in run("prune_backups").out


def test_nothing_goes_before_its_time(left: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "empty object" not in run("prune_backups").out  # they are of today; moto's uploads are all of 2010
    monkeypatch.setattr("backups.catalogue.leftovers.LEFTOVER_AGE_SECONDS", 60 * 365 * 86_400)
    assert "0 files." in run("prune_backups", "--yes").out
    assert uploads(left) == {*UPLOADS, *OTHERS_UPLOADS}


@pytest.mark.usefixtures("a_day_later")
def test_what_a_living_run_or_restore_writes_stays(left: Any) -> None:
    Backup.objects.create(id=OLD_ID, run=RUN_ID, table="shelves", status="running", path="s3://safe/nightly")
    restore = Restore.objects.create(table="shelves", status="running")
    with ExitStack() as living:
        living.enter_context(alive(backup_name(RUN_ID)))
        living.enter_context(alive(restore_name(restore.pk)))
        said = run("prune_backups", "--yes").out
    assert uploads(left) == {*UPLOADS, *OTHERS_UPLOADS}
    assert [line.split()[1] for line in said.splitlines() if "removed" in line] == ["s3://safe/nightly/shelves/"]
    run("prune_backups", "--yes")  # they are dead now
    assert uploads(left) == set(OTHERS_UPLOADS)


@pytest.mark.usefixtures("a_day_later")
def test_what_is_removed_leaves_nothing_in_place_of_its_folder(s3: Any) -> None:
    library()
    (done,) = backup(["shelves"])
    key = done.path.removeprefix("s3://safe/")
    s3.delete_object(Bucket="safe", Key=f"nightly/_manifests/{key.split('/')[1]}/shelves.json")
    assert "left by a backup that did not end" in run("prune_backups", "--yes").out
    assert keys(s3) == set()


@pytest.mark.usefixtures("a_day_later")
@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
        ("AbortMultipartUpload", "s3:AbortMultipartUpload"),
        ("DeleteObject", "s3:DeleteObject"),
    ],
)
def test_what_cannot_be_cleared_is_said_and_all_else_goes(
    asked: str, right: str, left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(but_for(refusing(error(403, "AccessDenied"), asked), moto())) as place:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{place}")
        ran = run("prune_backups", "--yes", code=2)
    assert f"access denied. Give these credentials the right {right}." in ran.err
    assert (uploads(left) == set(OTHERS_UPLOADS)) == (asked == "DeleteObject")
    assert (keys(left) == {*OTHERS_FOLDERS, "nightly/books/"}) == (asked != "DeleteObject")


@pytest.mark.usefixtures("a_day_later")
@pytest.mark.parametrize("answer", [error(501, "NotImplemented"), Response(status=405)], ids=["in words", "by status"])
def test_of_a_server_that_lists_no_uploads_the_rest_goes(
    answer: Response, left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(but_for(refusing(answer, "ListMultipartUploads"), moto())) as place:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{place}")
        run("prune_backups", "--yes")
    assert keys(left) == {*OTHERS_FOLDERS, "nightly/books/"}


def test_one_store_that_cannot_be_looked_into_keeps_no_other(s3: Any, settings: Settings, tmp_path: Any) -> None:
    settings.DATAFORGE_BACKUP_STORES = {"gone": "s3://nowhere/x", "disk": str(tmp_path)}
    left = tmp_path / RUN / "shelves" / ".shelves.parquet.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    ran = run("prune_backups", "--yes", code=2)
    assert "s3://nowhere/x: the bucket does not exist." in ran.err
    assert not left.exists()
