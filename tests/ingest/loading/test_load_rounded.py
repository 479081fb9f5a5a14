"""Coordinates as tools rewrite them: rounded or cut off at fifteen digits, or the last of seventeen off by one."""

import io
from pathlib import Path
from unittest import mock
from zipfile import ZipFile

import pytest

from ingest.readers.csv.file import CsvFile
from tests.support.loading.coordinates import (
    COORDINATES,
    GEOLOCATION,
    Rewrite,
    cut_off,
    load_geolocation,
    off_by_one,
    rewritten,
    rounded,
)
from tests.support.loading.loads import SHARED, Ran, Row, query, read_csv, versions, write_files

pytestmark = pytest.mark.usefixtures("committed")
ARCHIVE = SHARED / "brazilian-ecommerce.zip"
REWRITES: list[Rewrite] = [rounded, cut_off, off_by_one]
LONG, SHORT = "-27.984127336018226", "-27.9841273360182"


def opened(folder: Path) -> io.StringIO:
    return io.StringIO((folder / GEOLOCATION.file_name).read_text(encoding="utf-8-sig"), newline="")


def outcome(ran: Ran) -> tuple[dict[str, int], int]:
    """Return what became of the records, and how many of them took other digits."""
    return ran.counts["geolocation"], ran.report["tables"]["geolocation"]["repaired"].get("rounded", 0)


def changed(folder: Path, rewrite: Rewrite) -> int:
    """Count the records of which ``rewrite`` makes another point."""
    return sum(
        any(float(rewrite(row[name])) != float(row[name]) for name in COORDINATES)
        for row in read_csv(folder, GEOLOCATION)
    )


@pytest.mark.parametrize(
    ("rewrite", "reads", "options"),
    [
        (rounded, "reads the table", ()),
        (off_by_one, "reads the table", ("--on-conflict", "update")),
        (cut_off, "asks", ()),
        (rounded, "asks", ("--on-conflict", "update")),
        (off_by_one, "asks", ("--dry-run",)),
    ],
)
def test_rewritten_coordinates_over_the_right_ones_insert_nothing_and_change_no_digit(
    rewrite: Rewrite,
    reads: str,
    options: tuple[str, ...],
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.loading.read_ahead.worth_reading", lambda *args, **named: reads != "asks")
    first, _ = outcome(load_geolocation(small))
    before = versions()
    again = load_geolocation(rewritten(opened(small), tmp_path / "again", rewrite), *options)
    kept = {"read": first["read"], "unchanged": first["inserted"], "duplicates": first["duplicates"]}
    assert outcome(again) == (kept, changed(small, rewrite))
    assert versions() == before


@pytest.mark.parametrize("rewrite", REWRITES)
def test_the_published_coordinates_rewritten_insert_nothing(
    rewrite: Rewrite, real_sample: Path, tmp_path: Path
) -> None:
    load_geolocation(real_sample)
    again, repaired = outcome(load_geolocation(rewritten(opened(real_sample), tmp_path / "again", rewrite)))
    assert again == {"read": 8_940, "unchanged": 7_660, "duplicates": 1_280}
    assert repaired == changed(real_sample, rewrite)


@pytest.mark.parametrize("rewrite", REWRITES)
def test_the_right_coordinates_over_rewritten_ones_leave_these_as_they_are(
    rewrite: Rewrite, small: Path, tmp_path: Path
) -> None:
    first, _ = outcome(load_geolocation(rewritten(opened(small), tmp_path / "rewritten", rewrite)))
    before = versions()
    again, repaired = outcome(load_geolocation(small))
    assert again == {"read": first["read"], "unchanged": first["inserted"], "duplicates": first["duplicates"]}
    assert repaired == changed(small, rewrite)
    assert versions() == before


@pytest.mark.parametrize("chunk_bytes", [30_000, 2 << 20])
def test_a_file_that_holds_its_points_twice_stores_them_as_they_came_first(
    chunk_bytes: int, small: Path, tmp_path: Path
) -> None:
    alone, _ = outcome(load_geolocation(small, "--dry-run"))
    both = rewritten(opened(small), tmp_path / "both", rounded) / GEOLOCATION.file_name
    lines = both.read_text(encoding="utf-8").splitlines(keepends=True)
    both.write_text(opened(small).getvalue() + "".join(lines[1:]), encoding="utf-8")
    made = CsvFile.__init__
    cut = mock.patch.object(
        CsvFile, "__init__", lambda *given, **named: made(*given, **{**named, "chunk_bytes": chunk_bytes})
    )
    with cut:
        counts, repaired = outcome(load_geolocation(both.parent))
    twice = {"read": 2 * alone["read"], "inserted": alone["inserted"]}
    assert counts == {**twice, "duplicates": alone["read"] + alone["duplicates"]}
    assert repaired == changed(small, rounded)
    stored = {(float(lat), float(lng)) for lat, lng in query(f"select {', '.join(COORDINATES)} from olist_geolocation")}
    assert stored == {tuple(float(row[name]) for name in COORDINATES) for row in read_csv(small, GEOLOCATION)}


def points(folder: Path, *lats: str, **changes: str) -> Path:
    rows: list[Row] = [{"geolocation_lat": lat, **changes} for lat in lats]
    return write_files(folder, {"geolocation": rows})


def test_what_is_stored_to_the_letter_is_that_though_the_table_holds_its_near_copy_too(tmp_path: Path) -> None:
    query(
        "insert into olist_geolocation (geolocation_zip_code_prefix, geolocation_lat, geolocation_lng,"
        " geolocation_city, geolocation_state) select '01037', lat, -46.6, 'sao paulo', 'SP'"
        " from unnest(%s::float8[]) as lat",
        [float(LONG), float(SHORT)],
    )
    counts, repaired = outcome(load_geolocation(points(tmp_path / "both", SHORT, LONG)))
    assert (counts, repaired) == ({"read": 2, "unchanged": 2}, 0)


@pytest.mark.parametrize(
    "place",
    [{"geolocation_city": "rio"}, {"geolocation_zip_code_prefix": "01038"}, {"geolocation_lng": "-46.60000000001"}],
    ids=", ".join,
)
def test_a_near_point_of_another_place_is_another_row(place: Row, tmp_path: Path) -> None:
    load_geolocation(points(tmp_path / "stored", LONG))
    counts, repaired = outcome(load_geolocation(points(tmp_path / "then", SHORT, **place)))
    assert (counts, repaired) == ({"read": 1, "inserted": 1}, 0)


def test_a_rejected_record_lends_nobody_its_digits(tmp_path: Path) -> None:
    rows: list[Row] = [{"geolocation_lat": SHORT, "geolocation_state": "XX"}, {"geolocation_lat": LONG}]
    counts, repaired = outcome(load_geolocation(write_files(tmp_path / "files", {"geolocation": rows})))
    assert (counts, repaired) == ({"read": 2, "inserted": 1, "rejected": 1}, 0)
    assert query("select geolocation_lat from olist_geolocation") == [(float(LONG),)]


@pytest.mark.slow
def test_all_published_points_at_fifteen_digits_stay_distinct_and_are_those_that_are_stored(tmp_path: Path) -> None:
    if not ARCHIVE.exists():
        pytest.skip(f"the published files are not there: {ARCHIVE}")
    with ZipFile(ARCHIVE) as archive, archive.open(GEOLOCATION.file_name) as file:
        published = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        folder = rewritten(published, tmp_path / "rounded", rounded)
    alone = {"read": 1_000_163, "inserted": 738_332, "duplicates": 261_831}
    assert outcome(load_geolocation(folder)) == (alone, 0)
    query("truncate olist_geolocation")
    assert outcome(load_geolocation(ARCHIVE)) == (alone, 0)
    counts, repaired = outcome(load_geolocation(folder))
    assert counts == {"read": 1_000_163, "unchanged": 738_332, "duplicates": 261_831}
    assert repaired > 900_000
