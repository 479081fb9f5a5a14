"""What is meant by a file's name, alike in a folder, in an archive and below a prefix on S3."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from ingest.readers.places.locations import Location, open_location
from tests.support.aws.moto import amazon, buckets, emptied, name_by_environment, put
from tests.support.loading.packing import PACKERS
from tests.support.readers.places import content, lay_out, make_zip, message

TEXT = b"a,b\n1,2\n"
GZ, ZST = (pack(TEXT) for pack in PACKERS.values())

type LayOut = Callable[[Mapping[str, bytes]], Location]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with amazon() as address:
        yield address


@pytest.fixture(params=["folder", "zip", "s3"])
def lie(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LayOut:
    """Let files lie in a place of each kind."""
    if request.param == "folder":
        return lambda files: open_location(str(lay_out(tmp_path, files)))
    if request.param == "zip":
        return lambda files: open_location(str(make_zip(tmp_path, files)))
    server: str = request.getfixturevalue("server")
    name_by_environment(monkeypatch, server)
    emptied(server)

    def upload(files: Mapping[str, bytes]) -> Location:
        put(buckets(server), {f"data/olist/{name}": text for name, text in files.items()})
        return open_location("s3://data/olist")

    return upload


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": TEXT},
        {"A.Csv": TEXT},
        {"a.csv.gz": GZ},
        {"A.CSV.ZST": ZST},
        {"archive/a.csv": TEXT},
        {"archive/a.csv.gz": GZ, "archive/b.csv": b""},
        {"a.csv/part-0.csv": TEXT},
        {"a.csv/0.part": GZ[:0], "a.csv/1.part": TEXT},
        {"archive/A.csv/part-0.csv.zst": ZST, "archive/A.csv/_SUCCESS": b"", "archive/A.csv/.part-0.csv.zst.crc": b"?"},
        {"a.csv.gz/part-0.csv": b"?", "a.csv": TEXT},  # a folder is not packed
    ],
)
def test_a_file_is_found_as_it_lies_there(files: Mapping[str, bytes], lie: LayOut) -> None:
    assert content(lie(files), "a.csv") == TEXT


def test_parts_follow_one_another_by_their_names_as_text(lie: LayOut) -> None:
    location = lie({f"a.csv/{number}.part": f"{number};".encode() for number in (10, 9, 1, 0, 2)})
    assert content(location, "a.csv") == b"0;1;10;2;9;"
    assert [part.name for part in location.find("a.csv").parts][:3] == ["a.csv/0.part", "a.csv/1.part", "a.csv/10.part"]


@pytest.mark.parametrize(
    ("files", "candidates"),
    [
        ({"a.csv": TEXT, "a.csv.gz": GZ}, "a.csv, a.csv.gz"),
        ({"a.csv.zst": ZST, "a.csv.gz": GZ}, "a.csv.gz, a.csv.zst"),
        ({"a.csv": TEXT, "A.csv": TEXT}, "A.csv, a.csv"),
        ({"one/a.csv": TEXT, "two/a.csv": TEXT}, "one/a.csv, two/a.csv"),
        ({"one/a.csv": TEXT, "two/a.csv.gz": GZ}, "one/a.csv, two/a.csv.gz"),
        ({"a.csv/part-0.csv": TEXT, "a.csv.gz": GZ}, "a.csv.gz, a.csv/"),
        ({"one/a.csv/part-0.csv": TEXT, "two/a.csv": TEXT}, "one/a.csv/, two/a.csv"),
    ],
)
def test_two_things_that_could_be_meant_are_refused_by_name(
    files: Mapping[str, bytes], candidates: str, lie: LayOut
) -> None:
    location = lie(files)
    said = message(lambda: location.find("a.csv"))
    assert said.endswith(f"/a.csv: could be {candidates}. Leave one of them there.")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"b.csv": TEXT, "c/d.csv": TEXT}, "is not there; the files there are: b.csv"),
        ({"x/d.csv": TEXT}, "is not there; the files there are: x/d.csv. "),
        ({"x/a (1).csv": TEXT}, "is not there, but x/a (1).csv is. Is it that file? Then rename it to a.csv."),
        ({"a/part-0.csv": TEXT}, "is not there, but a/ is. Are those its parts? Then rename the folder to a.csv."),
        ({"b.csv/part-0.csv": TEXT, "b.csv/q/x": b""}, "is not there"),
        (
            {"a.csv/q/part-0.csv": TEXT, "a.csv/part-0.csv": TEXT},
            "is a folder of part files that holds folders too: q.",
        ),
        (
            {"a.csv/_SUCCESS": b""},
            "is a folder without part files. Put the part files there, or one file in its place.",
        ),
    ],
)
def test_what_lies_there_instead_is_said_with_what_to_do(files: Mapping[str, bytes], said: str, lie: LayOut) -> None:
    location = lie(files)
    assert f"/a.csv: {said}" in message(lambda: location.find("a.csv"))


def test_a_table_s_short_name_is_asked_back(lie: LayOut) -> None:
    location = lie({"orders.csv": TEXT, "order_items.csv.gz": GZ, "sellers.csv": TEXT})
    for short, name in {
        "orders.csv": "olist_orders_dataset.csv",
        "order_items.csv.gz": "olist_order_items_dataset.csv",
    }.items():
        packed = ".gz" if short.endswith(".gz") else ""
        said = message(partial(location.find, name))
        assert said.endswith(
            f"/{name}: is not there, but {short} is. Is it that file? Then rename it to {name}{packed}."
        )
