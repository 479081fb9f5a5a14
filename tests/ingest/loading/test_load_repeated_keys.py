"""One key more than once in a file: an update writes the last good record of it, and says so of the earlier ones."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from ingest.models import Account, RejectedRecord
from ingest.readers.csv.file import CsvFile
from tests.support.loading.loads import FILES, Row, hex_id, load, load_json, query, structures, write_files
from tests.support.postgres.sabotage import rule_by_hand

pytestmark = pytest.mark.usefixtures("committed")
UPDATE = ("--on-conflict", "update")
STORED: dict[str, list[Row]] = {"customers": [], "sellers": [{"seller_id": hex_id(9)}]}


def seller(city: str, number: int = 1, **changes: str) -> Row:
    return {"seller_id": hex_id(number), "seller_city": city, **changes}


def cities() -> dict[str, str]:
    return dict(query("select ltrim(seller_id, '0'), seller_city from olist_sellers"))


@pytest.fixture(params=["an empty table", "a table with rows"])
def table(request: pytest.FixtureRequest, committed: None, tmp_path: Path) -> str:
    if request.param != "an empty table":
        load_json(write_files(tmp_path / "before", STORED))
    return str(request.param)


@pytest.fixture(params=["in one piece", "in stretches"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the file read in stretches of a few records, so that the record that counts comes in a later one."""
    if request.param == "in stretches":
        made = CsvFile.__init__
        monkeypatch.setattr(CsvFile, "__init__", lambda *given, **named: made(*given, **{**named, "chunk_bytes": 200}))


FILE = [
    seller("a"),
    seller("b", 2),
    *(seller("other", number) for number in range(20, 40)),
    seller("b"),
    seller("b", 2),
    *(seller("other", number) for number in range(40, 60)),
    seller("c"),
    seller("b"),
    seller("c"),
]


@pytest.mark.usefixtures("pieces", "table")
def test_an_update_writes_the_last_record_of_a_key_wherever_it_comes(tmp_path: Path) -> None:
    before = structures()
    ran = load_json(write_files(tmp_path / "files", {"sellers": FILE}), *UPDATE)
    assert ran.counts["sellers"] == {"read": 47, "inserted": 42, "duplicates": 3, "rejected": 2}
    assert ({key: city for key, city in cities().items() if city not in ("other", "sao paulo")}) == {"1": "c", "2": "b"}
    rejects = RejectedRecord.objects.order_by("position")
    assert [(r.position, r.status, r.codes, r.stage) for r in rejects] == [
        (1, "superseded", ["superseded_in_batch"], "duplicates"),
        (23, "superseded", ["superseded_in_batch"], "duplicates"),
    ]
    assert all(r.reasons[0]["message"].endswith("record 47.") and r.closed_why and r.closed_at for r in rejects)
    assert [r.reasons[0]["value"] for r in rejects] == [hex_id(1)] * 2
    assert structures() == before


@pytest.mark.usefixtures("table")
def test_without_update_the_first_record_of_a_key_is_written(tmp_path: Path) -> None:
    load_json(write_files(tmp_path / "files", {"sellers": [seller("a"), seller("b"), seller("c")]}))
    assert cities()["1"] == "a"
    kept = RejectedRecord.objects.order_by("position").values_list("position", "codes", "status")
    assert list(kept) == [(2, ["unique"], "open"), (3, ["unique"], "open")]


@pytest.mark.usefixtures("table")
def test_a_dry_run_counts_as_the_real_run(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"sellers": FILE})
    dry, real = (load_json(folder, *UPDATE, *options) for options in (["--dry-run"], []))
    assert dry.counts == real.counts


@pytest.mark.usefixtures("table")
def test_the_same_file_again_changes_nothing_and_finds_its_rejects(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"sellers": FILE})
    load_json(folder, *UPDATE)
    again = load_json(folder, *UPDATE)
    assert again.counts["sellers"] == {"read": 47, "unchanged": 42, "duplicates": 3, "rejected": 2}
    assert set(RejectedRecord.objects.values_list("status", "times_seen")) == {("superseded", 2)}


@pytest.mark.parametrize("reads_table", ["reads the table", ""])
def test_a_stored_row_that_is_no_longer_the_last_is_updated(
    reads_table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.loading.read_ahead.worth_reading", lambda *args, **options: bool(reads_table))
    load_json(write_files(tmp_path / "before", {"sellers": [seller("a"), seller("a", 2)]}))
    sent = [seller("a"), seller("b"), seller("b", 2), seller("a", 2)]
    ran = load_json(write_files(tmp_path / "files", {"sellers": sent}), *UPDATE)
    assert ran.counts["sellers"] == {"read": 4, "updated": 1, "unchanged": 1, "rejected": 2}
    assert cities() == {"1": "b", "2": "a"}


@pytest.mark.usefixtures("table")
def test_where_the_last_record_is_refused_for_itself_the_last_good_one_is_written(tmp_path: Path) -> None:
    sent = [seller("a"), seller("b"), seller("c", seller_state="XX")]
    ran = load_json(write_files(tmp_path / "files", {"sellers": sent}), *UPDATE)
    assert ran.counts["sellers"] == {"read": 3, "inserted": 1, "rejected": 2}
    assert cities()["1"] == "b"
    assert dict(RejectedRecord.objects.values_list("position", "status")) == {1: "superseded", 3: "open"}


@pytest.mark.usefixtures("table")
def test_where_only_the_database_refuses_the_last_record_the_one_before_is_written(tmp_path: Path) -> None:
    sent = [seller("a"), seller("b"), seller("atlantis"), seller("atlantis", 2), seller("c", 2)]
    sent += [seller("atlantis", 3)]
    with rule_by_hand("sellers", "check (seller_city <> 'atlantis')"):
        ran = load_json(write_files(tmp_path / "files", {"sellers": sent}), *UPDATE)
    assert ran.counts["sellers"] == {"read": 6, "inserted": 2, "rejected": 4}
    assert {key: cities()[key] for key in "12"} == {"1": "b", "2": "c"}
    kept = RejectedRecord.objects.order_by("position").values_list("position", "status", "codes")
    assert list(kept) == [
        (1, "superseded", ["superseded_in_batch"]),
        (3, "open", ["database"]),
        (4, "superseded", ["superseded_in_batch"]),
        (6, "open", ["database"]),
    ]


@pytest.mark.parametrize("limit", ["0", "1%"])
def test_no_limit_counts_superseded_records(limit: str, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"sellers": [seller("a"), seller("b")]})
    load_json(folder, *UPDATE, "--max-rejects", limit)
    assert cities() == {"1": "b"}


def test_of_a_file_that_is_refused_no_record_is_superseded(tmp_path: Path) -> None:
    sent = [seller("a"), seller("b"), seller("c", 2, seller_state="XX")]
    ran = load_json(write_files(tmp_path / "files", {"sellers": sent}), *UPDATE, "--max-rejects", "0", code=1)
    assert ran.counts["sellers"] == {"read": 3, "rejected": 1, "rolled_back": 2}
    assert RejectedRecord.objects.get().position == 3


def test_a_superseded_record_that_is_refused_for_itself_later_is_open_with_that_reason(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"sellers": [seller("a"), seller("b"), seller("c")]})
    load_json(folder, *UPDATE)
    load_json(folder)  # which the stored seller has another content than
    stored = RejectedRecord.objects.order_by("position").values_list("status", "codes", "times_seen")
    assert list(stored) == [("open", ["unique"], 2), ("open", ["unique"], 2)]


def test_children_of_a_superseded_record_are_good_for_its_key_is_there(tmp_path: Path) -> None:
    customers = [{"customer_city": "a"}, {"customer_city": "b"}]
    ran = load_json(write_files(tmp_path / "files", {"customers": customers, "orders": [{}]}), *UPDATE)
    assert ran.counts["orders"] == {"read": 1, "inserted": 1}


def test_a_parent_that_only_a_superseded_record_names_is_not_added(tmp_path: Path) -> None:
    products = [{"product_category_name": "none"}, {"product_category_name": "livros"}]
    ran = load_json(write_files(tmp_path / "files", {"products": products}), *UPDATE)
    assert ran.report["tables"]["products"]["repaired"] == {"missing_parent": 1}
    assert query("select product_category_name from olist_product_category_name_translation") == [("livros",)]


def test_repairs_of_a_superseded_record_are_not_counted(tmp_path: Path) -> None:
    sent = [seller("a", seller_state="sp"), seller("b", seller_state="rj"), seller("c", 2, seller_state="rj")]
    ran = load_json(write_files(tmp_path / "files", {"sellers": sent}), *UPDATE)
    assert ran.report["tables"]["sellers"]["repaired"] == {"upper": 2}


def test_a_compressed_file_is_read_twice_like_any_other(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"sellers": FILE})
    with zipfile.ZipFile(tmp_path / "files.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES.values():
            archive.write(folder / name, name)
    load_json(tmp_path / "files.zip", *UPDATE)
    assert (cities()["1"], RejectedRecord.objects.filter(status="superseded").count()) == ("c", 2)


def test_the_rejects_file_has_superseded_records_too(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"sellers": [seller("a"), seller("b")]})
    ran: Any = load(folder, *UPDATE, "--rejects-out", str(tmp_path / "out"))
    assert ran.code == 0
    assert '"superseded_in_batch"' in (tmp_path / "out").read_text()
    assert Account.objects.get(table="sellers").rejected == 1
