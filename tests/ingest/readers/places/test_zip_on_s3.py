"""An archive on S3 is read by ranges: what nobody asks for is not fetched."""

import os
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

from core.errors import SourceUnreadable
from ingest.readers.places import ranges
from ingest.readers.places.locations import open_location
from tests.support.aws.moto import amazon, buckets, emptied, name_by_environment, put
from tests.support.readers.places import content, make_zip, message

WANTED = b"a,b\n" + os.urandom(100_000).hex().encode()
MEMBERS = {"olist/before.csv": os.urandom(1 << 20), "olist/a.csv": WANTED, "olist/after.csv": os.urandom(1 << 20)}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with amazon() as address:
        yield address


@pytest.fixture
def archive(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> bytes:
    """Put an archive of 2 MiB to s3://data/olist.zip, to be read by small ranges."""
    monkeypatch.setattr(ranges, "RANGE_BYTES", 256 << 10)
    name_by_environment(monkeypatch, server)
    emptied(server)
    packed = make_zip(tmp_path, MEMBERS).read_bytes()
    put(buckets(server), {"data/olist.zip": packed})
    return packed


@pytest.fixture
def fetched() -> Iterator[list[tuple[int, int]]]:
    """List what is fetched: how many bytes, from which offset on."""
    fetch, asked = ranges.RangedObject._fetch, []

    def noted(whole: ranges.RangedObject, count: int, at: int) -> bytes:
        asked.append((count, at))
        return fetch(whole, count, at)

    with mock.patch.object(ranges.RangedObject, "_fetch", noted):
        yield asked


def test_of_an_archive_only_the_member_that_is_wanted_is_fetched(
    archive: bytes, fetched: list[tuple[int, int]]
) -> None:
    location = open_location("s3://data/olist.zip")
    assert fetched == [(ranges.TAIL_BYTES, len(archive) - ranges.TAIL_BYTES)]
    found = location.find("a.csv")
    assert (found.path, found.unpacked_size) == ("s3://data/olist.zip/olist/a.csv", len(WANTED))
    assert content(location, "a.csv") == WANTED
    # The member has about 100 KiB, and lies within one range.
    assert len(fetched) == 2
    assert sum(count for count, _ in fetched) <= ranges.TAIL_BYTES + ranges.RANGE_BYTES < len(archive) / 3


def test_every_member_is_read_right_whatever_the_ranges_are(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (1_000_003, len(archive) + 1):
        monkeypatch.setattr(ranges, "RANGE_BYTES", size)
        monkeypatch.setattr(ranges, "TAIL_BYTES", size // 7)
        location = open_location("s3://data/olist.zip")
        for name, text in MEMBERS.items():
            assert content(location, Path(name).name) == text


def test_a_request_names_the_range_that_it_wants(server: str, archive: bytes) -> None:
    from moto.s3.responses import S3Response

    seen: list[str | None] = []
    answer = S3Response.get_object

    def noted(response: S3Response) -> object:
        seen.append(response.headers.get("Range"))
        return answer(response)

    with mock.patch.object(S3Response, "get_object", noted):
        content(open_location("s3://data/olist.zip"), "a.csv")
    assert len(seen) == 2
    assert all(asked and re.fullmatch(r"bytes=\d+-\d+", asked) for asked in seen), seen


def test_an_archive_that_is_broken_or_gone_is_named(server: str, archive: bytes) -> None:
    put(buckets(server), {"data/broken.zip": archive[:-100], "data/none.zip": b"no archive", "data/empty.zip": b""})
    for name in ("broken", "none", "empty"):
        said = message(partial(open_location, f"s3://data/{name}.zip"))
        assert said.startswith(f"s3://data/{name}.zip: is damaged or cut short ("), said
    with pytest.raises(SourceUnreadable, match=r"s3://data/gone\.zip: there is nothing under this prefix"):
        open_location("s3://data/gone.zip")


def test_an_archive_that_is_deleted_meanwhile_is_unreadable(server: str, archive: bytes) -> None:
    location = open_location("s3://data/olist.zip")
    buckets(server).delete_file("data/olist.zip")
    assert message(lambda: content(location, "a.csv")).startswith("s3://data/olist.zip/olist/a.csv: ")


def test_an_archive_that_is_replaced_meanwhile_is_no_mixture(server: str, archive: bytes, tmp_path: Path) -> None:
    location = open_location("s3://data/olist.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w", zipfile.ZIP_DEFLATED) as other:
        for name, text in MEMBERS.items():
            other.writestr(name, text[::-1])
    put(buckets(server), {"data/olist.zip": (tmp_path / "other.zip").read_bytes()})
    assert "s3://data/olist.zip/olist/a.csv: is damaged or cut short (" in message(lambda: content(location, "a.csv"))


def test_a_prefix_may_end_as_archives_do(server: str, archive: bytes) -> None:
    put(buckets(server), {"data/days.zip/a.csv": WANTED})
    assert content(open_location("s3://data/days.zip"), "a.csv") == WANTED


def test_members_are_read_right_by_several_threads_at_once(archive: bytes) -> None:
    location = open_location("s3://data/olist.zip")
    names = [Path(name).name for name in MEMBERS] * 3
    with ThreadPoolExecutor(len(names)) as pool:
        assert list(pool.map(partial(content, location), names)) == list(MEMBERS.values()) * 3
