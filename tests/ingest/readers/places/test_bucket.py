import socket
import time
from collections.abc import Iterator

import pytest

from core.errors import SourceUnreadable
from ingest.readers.csv.parts import CsvParts
from ingest.readers.places import bucket
from ingest.readers.places.locations import open_location
from tests.support.aws.moto import amazon, buckets, emptied, name_by_environment, put
from tests.support.readers.places import content

TEXT = b"a,b\n" + b"1,2\n" * 50_000


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with amazon() as address:
        yield address


@pytest.fixture
def endpoint(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    name_by_environment(monkeypatch, server)
    emptied(server)
    put(buckets(server), {"data/olist/a.csv": TEXT, "data/olist/old/b.csv": b""})
    return server


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize("url", ["s3://data/olist", "s3://data/olist/"])
def test_a_prefix_gives_its_objects(url: str) -> None:
    location = open_location(url)
    with pytest.raises(SourceUnreadable):
        location.find("c.csv")
    found = location.find("a.csv")
    assert (found.unpacked_size, found.path) == (len(TEXT), "s3://data/olist/a.csv")
    with CsvParts(found, expected=["a", "b"], chunk_bytes=10_000) as file:
        assert sum(map(len, file)) == 50_000


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("url", "name", "problem"),
    [
        ("s3://data/olist", "c.csv", "s3://data/olist/c.csv: is not there; the files there are: a.csv. "),
        ("s3://data/nothing", "a.csv", "s3://data/nothing: there is nothing under this prefix. "),
        ("s3://nowhere/olist", "a.csv", "s3://nowhere/olist: the bucket does not exist. "),
        ("s3://", "a.csv", "s3://: names no bucket. "),
        ("s3://data/../x y?", "a.csv", "s3://data/../x y?: "),
    ],
)
def test_what_is_not_there_is_named(url: str, name: str, problem: str) -> None:
    with pytest.raises(SourceUnreadable) as refused:
        open_location(url).find(name)
    assert str(refused.value).startswith(problem)


def test_an_object_that_is_deleted_meanwhile_is_unreadable(endpoint: str) -> None:
    location = open_location("s3://data/olist")
    buckets(endpoint).delete_file("data/olist/a.csv")
    with pytest.raises(SourceUnreadable, match=r"s3://data/olist/a\.csv: "):
        next(location.find("a.csv").blocks())


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_that_cannot_be_reached_is_named_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{unused.getsockname()[1]}")
    begun = time.monotonic()
    with pytest.raises(SourceUnreadable, match="S3 cannot be reached"):
        open_location("s3://data/olist")
    assert time.monotonic() - begun < 15


@pytest.mark.usefixtures("endpoint")
def test_folders_below_a_prefix_are_not_searched_where_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert content(open_location("s3://data/olist"), "b.csv") == b""
    monkeypatch.setattr(bucket, "_MAX_FOLDERS", 0)
    with pytest.raises(SourceUnreadable, match=r"s3://data/olist/b\.csv: is not there; the files there are: a\.csv\."):
        open_location("s3://data/olist").find("b.csv")
