"""A server that speaks Amazon's protocols, and its S3 as the environment names it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
import requests
from moto.server import ThreadedMotoServer
from pyarrow import fs


@contextmanager
def amazon() -> Iterator[str]:
    """Run it on a free port, and give its address: ``http://host:port``."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def name_by_environment(patch: pytest.MonkeyPatch, address: str) -> None:
    """Let the environment name the server, with a user that it knows."""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "testing")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_ENDPOINT_URL", address)


def buckets(address: str) -> fs.S3FileSystem:
    """Return the server's buckets as folders, which may be made."""
    return fs.S3FileSystem(scheme="http", endpoint_override=address.removeprefix("http://"), allow_bucket_creation=True)


def emptied(address: str) -> None:
    """Forget all that was put to the server: all of moto's servers of one process are one."""
    requests.post(f"{address}/moto-api/reset", timeout=10).raise_for_status()


def put(files: fs.S3FileSystem, objects: Mapping[str, bytes]) -> None:
    """Write objects, by ``bucket/key``, into buckets that are made for them."""
    for bucket in {path.partition("/")[0] for path in objects}:
        files.create_dir(bucket)
    for path, content in objects.items():
        with files.open_output_stream(path) as stream:
            stream.write(content)
