"""A dirty sample: its truth file names exactly what is wrong, where, and nothing else."""

import collections
import json
from pathlib import Path
from typing import Any

import pytest

from olist.sample import write_sample
from olist.sample.dirty.dirt import _kinds
from olist.sample.layout import TABLES, TRANSLATION

SCALE, DIRTY = 0.02, 0.1

type Truth = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dirty")
    write_sample(folder, scale=SCALE, seed=4, dirty=DIRTY)
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    write_sample(folder, scale=SCALE, seed=4)
    return folder


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    truth: Truth = json.loads((folder / "truth.json").read_text("utf-8"))
    return truth


def lines_of(folder: Path, file_name: str) -> list[bytes]:
    """Return the physical lines, from line 1 on."""
    return [b"", *(folder / file_name).read_bytes().replace(b"\r\n", b"\n").split(b"\n")]


def of_table(truth: Truth, name: str) -> list[Truth]:
    return [entry for entry in truth["records"] if entry["table"] == name]


def test_the_truth_tells_what_the_sample_is(truth: Truth) -> None:
    meta = truth["meta"]
    assert (meta["seed"], meta["scale"], meta["dirty"]) == (4, SCALE, DIRTY)
    for name, rows in meta["rows"].items():
        entries = of_table(truth, name)
        assert len({entry["record"] for entry in entries}) == len(entries)
        assert all(1 <= entry["record"] <= rows for entry in entries)


def test_about_the_asked_share_of_each_file_is_damaged(truth: Truth) -> None:
    for table in TABLES:
        rows = max(1, round(table.full_rows * SCALE)) if table is not TRANSLATION else 71
        damaged = len(of_table(truth, table.name))
        assert damaged >= 0.8 * DIRTY * rows
        if rows > 1_000:
            assert damaged <= 1.05 * DIRTY * rows + 5


def test_every_kind_of_damage_is_in_every_large_file(truth: Truth) -> None:
    for table in TABLES:
        if table.full_rows * SCALE < 1_000:
            continue
        damages = {entry["damage"] for entry in of_table(truth, table.name)}
        assert {damage.name for damage, _ in _kinds(table)} <= damages
        assert "repeated" in damages
        assert ("same_key" in damages) == (table.name != "geolocation")


def test_every_outcome_has_its_code_or_rule(truth: Truth) -> None:
    for entry in truth["records"]:
        assert (entry["outcome"] == "rejected") == (entry["code"] is not None)
        assert (entry["outcome"] == "repaired") == ("rule" in entry)
        assert (entry["key"] is None) == (entry["code"] in {"ragged_row", "encoding"})
    assert {entry["code"] for entry in truth["records"]} == {
        *("invalid", "invalid_choice", "min_value", "max_value", "max_digits", "max_decimal_places", "max_length"),
        *("blank", "null_characters_not_allowed", "ragged_row", "encoding", "check", "unique", "does_not_exist", None),
    }


def test_a_damaged_record_begins_on_the_line_that_the_truth_names(folder: Path, truth: Truth) -> None:
    for table in TABLES:
        lines = lines_of(folder, table.file_name)
        for entry in of_table(truth, table.name):
            if entry["key"] is None:
                continue
            line = lines[entry["line"]]
            first = entry["key"][0].encode()
            assert line.startswith((first, b'"' + first)), entry


def test_a_record_that_cannot_be_split_is_broken_on_its_line(folder: Path, truth: Truth) -> None:
    for table in TABLES:
        lines = lines_of(folder, table.file_name)
        for entry in of_table(truth, table.name):
            line = lines[entry["line"]]
            if entry["damage"] == "unclosed_quote":
                assert line.count(b'"') % 2 == 1
            elif entry["damage"] == "invalid_utf8":
                assert b"\xff" in line
            elif entry["damage"] == "extra_field":
                assert line.endswith(b",sobra")


def test_record_numbers_count_records_and_not_lines(folder: Path, truth: Truth) -> None:
    entries = [entry for entry in of_table(truth, "order_reviews") if entry["code"] not in {"ragged_row"}]
    lines = lines_of(folder, "olist_order_reviews_dataset.csv")
    assert entries[-1]["line"] > entries[-1]["record"] + 1
    begins = [number for number, line in enumerate(lines) if line[33:36] == b'","' or line[:3] == b'"g"']
    assert len(begins) <= truth["meta"]["rows"]["order_reviews"]
    assert lines[-1] == b""


def test_every_line_that_a_clean_sample_lacks_is_a_damaged_record(folder: Path, clean: Path, truth: Truth) -> None:
    for table in TABLES:
        if table.name == "order_reviews":
            continue  # its records have several lines
        known = set(lines_of(clean, table.file_name))
        new = {number for number, line in enumerate(lines_of(folder, table.file_name)) if line not in known}
        damaged = {entry["line"] for entry in of_table(truth, table.name) if entry["outcome"] != "duplicate"}
        assert new == damaged


def test_a_duplicate_equals_the_earlier_record_and_a_same_key_only_its_key(folder: Path, truth: Truth) -> None:
    counts = collections.Counter(entry["outcome"] for entry in truth["records"])
    assert counts["duplicate"]
    for table in TABLES:
        if table.name == "order_reviews":
            continue
        lines = lines_of(folder, table.file_name)
        for entry in of_table(truth, table.name):
            if entry["damage"] in {"repeated", "same_key"}:
                assert entry["of"] < entry["record"]
                same = lines[entry["line"]] == lines[entry["of"] + 1]
                assert same == (entry["damage"] == "repeated")


def test_few_children_lose_their_parent(truth: Truth) -> None:
    meta = truth["meta"]
    assert meta["parent_rejected"]["order_items"] > 0
    for name, orphans in meta["parent_rejected"].items():
        assert orphans <= 0.1 * meta["rows"][name]
