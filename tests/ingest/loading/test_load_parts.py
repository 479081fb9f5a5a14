"""A folder of part files is one file: its positions run through, and its rejects say in which part they lie."""

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from ingest.models import Account, RejectedRecord
from tests.support.loading.loads import (
    FILES,
    assert_clear_error,
    hex_id,
    load,
    load_json,
    nothing_stored,
    query,
    write_files,
)
from tests.support.loading.packing import into_parts, zstandard

pytestmark = pytest.mark.usefixtures("committed")

NAME = FILES["customers"]
ONLY = ("--table", "customers")
HEADER = b"customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n"


def customer(number: int, *, state: str = "SP") -> bytes:
    return f"{hex_id(number)},{hex_id(number)},01037,sao paulo,{state}\n".encode()


# Parts as Spark, Dask and others leave them: one packed, one without records, one without anything, books beside them.
PARTS = {
    "part-00001.csv.gz": HEADER + customer(3) + customer(4, state="XX"),
    "part-00000.csv": HEADER + b"\n" + customer(1) + customer(2, state="YY").strip(),
    "part-00002.csv": b"\xef\xbb\xbf" + HEADER,
    "part-00003.csv": b"",
    "part-00004.csv.zst": HEADER + customer(5, state="ZZ") + b"x,y\n" + customer(3, state="RJ"),
}
BOOKS = {"_SUCCESS": b"", ".part-00000.csv.crc": b"crc", "part-00001.csv.crc": b"crc", "._part-00000.csv": b"mac"}
WHOLE = b"".join(PARTS[name] for name in sorted(PARTS))


def as_stored(name: str, text: bytes) -> bytes:
    if name.endswith(".gz"):
        return gzip.compress(text)
    return zstandard(text) if name.endswith(".zst") else text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine files, of which the customers' is a folder of parts."""
    folder = write_files(tmp_path / "files", {})
    into_parts(folder / NAME, [(name, as_stored(name, text)) for name, text in {**PARTS, **BOOKS}.items()])
    return folder


def places() -> list[tuple[str, int, int | None]]:
    """Where the rejects say that they came from: file, record, line."""
    rows = RejectedRecord.objects.order_by("position").values_list("file_name", "position", "line")
    return [(file.removeprefix(f"{NAME}/"), position, line) for file, position, line in rows]


def test_parts_are_one_file_and_each_reject_names_its_own(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "rejects.ndjson"
    ran = load_json(folder, *ONLY, "--rejects-out", str(out))
    assert ran.counts["customers"]["inserted"] == 2
    where = places()
    assert [(file, line) for file, _, line in where if file != "part-00000.csv"] == [
        ("part-00001.csv.gz", 3),
        ("part-00004.csv.zst", 2),
        ("part-00004.csv.zst", 3),
        ("part-00004.csv.zst", 4),
    ]
    assert ("part-00000.csv", 4) in [(file, line) for file, _, line in where]
    first = where[-4][1]
    assert [position for _, position, _ in where[-4:]] == [first, first + 1, first + 2, first + 3]
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(reject["file"].removeprefix(f"{NAME}/"), reject["record"], reject["line"]) for reject in written] == where
    account = Account.objects.get(table="customers")
    assert (account.file_name, account.file_bytes) == (NAME, len(WHOLE))
    assert account.file_sha256 == hashlib.sha256(WHOLE).hexdigest()


def test_rejects_of_parts_that_come_again_are_the_same_ones(folder: Path) -> None:
    load_json(folder, *ONLY)
    before = places()
    load_json(folder, *ONLY)
    assert places() == before
    assert set(RejectedRecord.objects.values_list("times_seen", flat=True)) == {2}


def test_records_that_only_the_table_refuses_are_found_again_in_their_part(folder: Path) -> None:
    load_json(folder, *ONLY)
    RejectedRecord.objects.all().delete()
    for number, part in ((1, "part-00000.csv"), (3, "part-00001.csv.gz")):
        query("update olist_customers set customer_city = 'elsewhere' where customer_id = %s", hex_id(number))
        load_json(folder, *ONLY)
        reject = RejectedRecord.objects.get(natural_key=hex_id(number), codes=["unique"], times_seen=1)
        assert reject.file_name == f"{NAME}/{part}"
        assert bytes(reject.raw) in PARTS[part]


def test_of_a_key_in_two_parts_the_last_counts_where_that_is_asked_for(folder: Path) -> None:
    load_json(folder, *ONLY, "--on-conflict", "update")
    assert query("select customer_state from olist_customers where customer_id = %s", hex_id(3)) == [("RJ",)]
    superseded = RejectedRecord.objects.get(codes=["superseded_in_batch"])
    assert (superseded.file_name, superseded.line) == (f"{NAME}/part-00001.csv.gz", 2)


def test_a_reject_of_a_part_is_replayed_by_the_header_of_all_parts(folder: Path) -> None:
    columns = ["customer_state", "customer_city", "customer_zip_code_prefix", "customer_unique_id", "customer_id"]
    for name, text in PARTS.items():
        lines = [",".join(line.split(",")[::-1]) for line in text.decode("utf-8-sig").splitlines()]
        (folder / NAME / name).write_bytes(as_stored(name, "\n".join(lines).encode()))
    load_json(folder, *ONLY)
    assert Account.objects.get().columns == columns
    query("delete from olist_customers where customer_id = %s", hex_id(3))
    call_command("replay_rejects", "--table", "customers", "--code", "unique", stdout=io.StringIO())
    assert query("select customer_state from olist_customers where customer_id = %s", hex_id(3)) == [("RJ",)]


def write_good(tmp_path: Path, name: str) -> Path:
    return write_files(tmp_path / name, {"customers": [{}, {"customer_id": hex_id(2)}]})


def test_a_file_is_known_as_unchanged_whether_plain_or_packed_or_in_parts(tmp_path: Path) -> None:
    plain = write_good(tmp_path, "plain")
    text = (plain / NAME).read_bytes()
    load_json(plain, *ONLY)
    packed, parts = write_good(tmp_path, "packed"), write_good(tmp_path, "parts")
    (packed / NAME).unlink()
    (packed / f"{NAME}.gz").write_bytes(gzip.compress(text))
    into_parts(parts / NAME, [("0.part", text)])
    for other in (packed, parts):
        # Only what is passed over gives an account without having compared anything.
        assert load_json(other, *ONLY).counts["customers"] == {"read": 2, "unchanged": 2}
        assert Account.objects.order_by("-batch__started_at")[0].seconds == 0.0


type Spoil = Callable[[Path], Any]

REFUSED: dict[str, tuple[Spoil, str]] = {
    "no header": (
        lambda parts: (parts / "part-00002.csv").write_bytes(customer(9)),
        "part-00002.csv: the header lacks 'customer_id'",
    ),
    "other order": (
        lambda parts: (parts / "part-00002.csv").write_bytes(b",".join(HEADER.strip().split(b",")[::-1]) + b"\n"),
        f"part-00002.csv: has the columns in another order than {NAME}/part-00000.csv. Write all parts in one order.",
    ),
    "partitions": (
        lambda parts: (parts / "customer_state=SP").mkdir(),
        f"{NAME}: is a folder of part files that holds folders too: customer_state=SP.",
    ),
    "unfinished": (
        lambda parts: (parts / "_temporary").mkdir(),
        f"{NAME}: is a folder that is still being written (_temporary). Write it again.",
    ),
    "other packing": (
        lambda parts: (parts / "part-00009.csv.snappy").write_bytes(b"?"),
        f"{NAME}: holds part files whose packing is not read here: part-00009.csv.snappy.",
    ),
    "packed and unpacked": (
        lambda parts: (parts / "part-00001.csv").write_bytes(PARTS["part-00001.csv.gz"]),
        f"{NAME}/part-00001.csv: could be part-00001.csv, part-00001.csv.gz. Leave one of them there.",
    ),
    "damaged": (
        lambda parts: (parts / "part-00001.csv.gz").write_bytes(b"\x1f\x8b\x08 no gzip"),
        "part-00001.csv.gz: is damaged or cut short",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_parts_that_are_no_whole_are_refused_by_name_before_anything_is_written(case: str, folder: Path) -> None:
    spoil, message = REFUSED[case]
    spoil(folder / NAME)
    ran = load(folder, *ONLY)
    assert_clear_error(ran, 2, message)
    assert ('Each part must begin with the header (Spark: option("header", True)). ' in ran.err) == (
        case == "no header"
    )
    assert nothing_stored()


def test_parts_of_which_all_are_empty_are_an_empty_file(folder: Path) -> None:
    for name in PARTS:
        (folder / NAME / name).unlink()
    (folder / NAME / "part-00000.csv").touch()
    assert_clear_error(load(folder, *ONLY), 2, f"{NAME}: is empty. Put the file there again.")


def test_a_sign_is_looked_for_in_all_parts_together(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"customers": [{}], "orders": [{}]})
    header, record = (folder / FILES["orders"]).read_bytes().split(b"\n", 1)
    # The last column, of which one date alone would be no sign.
    first = record.rstrip().rsplit(b",", 1)[0] + b",2018-03-02\n"
    parts = [header + b"\n" + first, header + b"\n" + first.replace(hex_id(1).encode(), hex_id(2).encode(), 1)]
    into_parts(folder / FILES["orders"], [(f"{number}.part", text) for number, text in enumerate(parts)])
    ran = load_json(folder, *ONLY, "--table", "orders")
    assert ran.counts["orders"] == {"read": 2, "inserted": 2}
    assert ran.report["tables"]["orders"]["repaired"] == {"midnight": 2}


def test_a_folder_of_parts_is_no_source_by_itself(folder: Path) -> None:
    said = f"{folder / NAME}: is one file's folder of parts. Name the folder that it lies in."
    assert_clear_error(load(folder / NAME, *ONLY), 2, said)
