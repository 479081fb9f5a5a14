"""Packed files are loaded as what they hold."""

import gzip
import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from ingest.loading.load import load as run_load
from ingest.loading.options import LoadOptions, Progress
from tests.support.aws.moto import amazon, buckets, emptied, name_by_environment, put
from tests.support.loading.loads import (
    FILES,
    ONE_OF_EACH,
    assert_clear_error,
    fingerprints,
    hex_id,
    load,
    load_json,
    nothing_stored,
    query,
    write_files,
)
from tests.support.loading.packing import PACKERS, into_parts, pack

pytestmark = pytest.mark.usefixtures("committed")


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_files_give_the_same_tables_as_plain_ones(ending: str, tmp_path: Path) -> None:
    load_json(write_files(tmp_path / "plain", ONE_OF_EACH))
    stored = fingerprints()
    query("truncate olist_product_category_name_translation, olist_geolocation, olist_customers, olist_sellers cascade")
    packed = write_files(tmp_path / "packed", ONE_OF_EACH)
    for name in FILES.values():
        pack(packed / name, ending)
    ran = load_json(packed)
    assert all(counts == {"read": 1, "inserted": 1} for counts in ran.counts.values())
    assert fingerprints() == stored


def test_a_packed_file_that_breaks_late_is_rolled_back_whole_and_earlier_ones_stay(tmp_path: Path) -> None:
    orders = [{"order_id": hex_id(number)} for number in range(1, 30_000)]
    orders[0]["order_approved_at"] = ""  # which answers the question for a word for NULL: no more than a MiB is read
    folder = write_files(tmp_path / "files", {**ONE_OF_EACH, "orders": orders, "order_items": []})
    packed = pack(folder / FILES["orders"], ".gz")
    packed.write_bytes(packed.read_bytes()[:-100])
    assert_clear_error(load(folder), 2, f"{packed}: is damaged or cut short (", "Fetch the file again.")
    assert query("select (select count(*) from olist_orders), (select count(*) from olist_customers)") == [(0, 1)]
    assert query("select status from ingest_batch") == [("failed",)]


@pytest.mark.parametrize("ending", PACKERS)
def test_a_packed_file_that_is_none_is_refused_before_anything_is_written(ending: str, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    packed = pack(folder / FILES["order_reviews"], ending)
    for text in (packed.read_bytes()[:40], b"review_id,order_id\n", b""):
        packed.write_bytes(text)
        assert_clear_error(load(folder), 2, str(packed))
        assert nothing_stored()


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path, settings: Settings) -> None:
    settings.LOAD_MAX_UNPACKED_BYTES = 1 << 19  # less than the beginning that is looked at
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    reviews = folder / FILES["order_reviews"]
    reviews.write_bytes(reviews.read_bytes() + bytes(4 << 20))
    archive = Path(shutil.make_archive(str(tmp_path / "olist"), "zip", folder))
    pack(reviews, ".gz")
    for source in (folder, archive):
        assert_clear_error(load(source), 2, FILES["order_reviews"], "raise the setting LOAD_MAX_UNPACKED_BYTES")
        assert nothing_stored()


def test_the_bar_of_a_packed_file_moves_by_packed_bytes_and_arrives(tmp_path: Path) -> None:
    orders = [{"order_id": hex_id(number)} for number in range(1, 30_000)]
    folder = write_files(tmp_path / "files", {**ONE_OF_EACH, "orders": orders})
    packed = pack(folder / FILES["orders"], ".gz")
    seen: list[Progress] = []
    run_load(str(folder), LoadOptions(on_progress=seen.append))
    of_orders = [progress for progress in seen if progress.table == "orders"]
    assert {progress.bytes_total for progress in of_orders} == {packed.stat().st_size}
    assert of_orders[-1].bytes_read == packed.stat().st_size
    assert len(of_orders) > 1


def test_a_load_of_an_archive_on_s3_reads_it_by_ranges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = shutil.make_archive(str(tmp_path / "olist"), "zip", write_files(tmp_path / "files", ONE_OF_EACH))
    with amazon() as server:
        name_by_environment(monkeypatch, server)
        emptied(server)
        put(buckets(server), {"data/olist.zip": Path(archive).read_bytes()})
        ran = load_json("s3://data/olist.zip")
    assert all(counts == {"read": 1, "inserted": 1} for counts in ran.counts.values())


def test_parts_in_an_archive_and_below_a_prefix_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    for name in FILES.values():
        header, record = (folder / name).read_bytes().split(b"\n", 1)
        parts = [("part-1.csv.gz", header + b"\n" + record), ("part-0.csv.gz", header), ("_SUCCESS", b"")]
        into_parts(folder / name, [(part, gzip.compress(text) if text else b"") for part, text in parts])
    archive = shutil.make_archive(str(tmp_path / "olist"), "zip", folder)
    ran = load_json(archive)
    assert all(counts == {"read": 1, "inserted": 1} for counts in ran.counts.values())
    with amazon() as server:
        name_by_environment(monkeypatch, server)
        emptied(server)
        files = (path for path in folder.rglob("*") if path.is_file())
        put(buckets(server), {f"data/olist/{path.relative_to(folder)}": path.read_bytes() for path in files})
        ran = load_json("s3://data/olist")
    assert all(counts == {"read": 1, "unchanged": 1} for counts in ran.counts.values())
