"""Files over tables that hold something: the same again, other content, and placeholders."""

from pathlib import Path
from unittest import mock

import pytest

from ingest.loading.load_file import load_file
from ingest.models import Account, Batch, RejectedRecord
from tests.support.loading.loads import (
    FILES,
    ONE_OF_EACH,
    Ran,
    Row,
    fingerprints,
    hex_id,
    load,
    load_json,
    map_cells,
    query,
    structures,
    versions,
    write_files,
)

pytestmark = pytest.mark.usefixtures("committed")


def test_loading_twice_changes_no_row_and_says_so(small: Path, tmp_path: Path) -> None:
    built = structures()
    first = load_json(small)
    assert structures() == built
    before = versions()
    for folder in (small, map_cells(small, tmp_path / "reversed", lambda table, column, text: text, reverse=True)):
        for options in ([], ["--on-conflict", "update"]):
            again = load(folder, *options)
            assert (again.code, again.err) == (0, "")
            assert "Nothing changed: every record was there already." in again.out
    third = load_json(small)
    for name, counts in first.counts.items():
        kept = {"unchanged" if outcome == "inserted" else outcome: count for outcome, count in counts.items()}
        assert third.counts[name] == kept
    assert versions() == before
    assert structures() == built
    assert set(Batch.objects.values_list("status", flat=True)) == {"accepted"}


@pytest.fixture
def other_content(committed: None, tmp_path: Path) -> Path:
    """Files whose records have the keys of what is stored and, here and there, other content."""
    load_json(write_files(tmp_path / "first", ONE_OF_EACH))
    return write_files(
        tmp_path / "other",
        {
            **ONE_OF_EACH,
            "customers": [{"customer_city": "rio", "customer_state": "RJ"}, {"customer_id": hex_id(2)}],
            "order_items": [{"price": "14.00"}],
            "order_reviews": [{"review_comment_message": "", "review_score": "4"}],
        },
    )


def test_a_stored_key_with_other_content_is_rejected_with_the_columns_that_differ(other_content: Path) -> None:
    ran = load_json(other_content)
    expected = {
        "customers": ("customer_id", hex_id(1), "customer_city, customer_state"),
        "order_items": ("order_id", f"{hex_id(1)} 1", "price"),
        "order_reviews": ("review_id", f"{hex_id(1)} {hex_id(1)}", "review_score, review_comment_message"),
    }
    rejects = {reject.table: reject for reject in RejectedRecord.objects.all()}
    assert ran.counts["customers"] == {"read": 2, "inserted": 1, "rejected": 1}
    assert ran.counts["orders"] == {"read": 1, "unchanged": 1}  # its customer is stored, whatever the file says of it
    assert set(rejects) == set(expected)
    for table, (field, key, columns) in expected.items():
        (reason,) = rejects[table].reasons
        assert (reason["code"], reason["field"], rejects[table].natural_key) == ("unique", field, key)
        assert reason["message"].endswith(f"different: {columns}.")
        assert rejects[table].position == 1


def test_a_stored_row_stays_as_it_is_where_a_file_has_other_content(other_content: Path) -> None:
    before = versions()
    load_json(other_content)
    kept = versions()
    assert kept.pop("olist_customers")[0] == before.pop("olist_customers")[0]
    assert kept == before


@pytest.fixture
def changed(committed: None, tmp_path: Path) -> Path:
    """Files with a customer and a review changed, a customer that is stored as it is, and a new one."""
    load_json(write_files(tmp_path / "first", {**ONE_OF_EACH, "customers": [{}, {"customer_id": hex_id(2)}]}))
    changes = {"customers": [{"customer_city": "rio"}, {"customer_id": hex_id(2)}, {"customer_id": hex_id(3)}]}
    return write_files(tmp_path / "other", {**ONE_OF_EACH, **changes, "order_reviews": [{"review_comment_title": "a"}]})


def test_on_conflict_update_writes_the_rows_that_differ_and_no_other(changed: Path) -> None:
    before = versions()
    ran = load_json(changed, "--on-conflict", "update")
    assert ran.counts["customers"] == {"read": 3, "inserted": 1, "updated": 1, "unchanged": 1}
    assert ran.counts["order_reviews"] == {"read": 1, "updated": 1}
    assert query("select customer_city from olist_customers order by customer_id")[:2] == [("rio",), ("sao paulo",)]
    after = versions()
    assert before["olist_customers"][1] in after["olist_customers"]
    assert before["olist_customers"][0] not in after["olist_customers"]
    assert after["olist_orders"] == before["olist_orders"]
    assert not RejectedRecord.objects.exists()


def test_on_conflict_update_of_the_same_again_changes_nothing(changed: Path) -> None:
    load_json(changed, "--on-conflict", "update")
    fresh = fingerprints()
    assert load_json(changed, "--on-conflict", "update").counts["customers"] == {"read": 3, "unchanged": 3}
    assert fingerprints() == fresh
    assert not RejectedRecord.objects.exists()


CATEGORIES = "select product_category_name, product_category_name_english from olist_product_category_name_translation"
REAL = {"product_category_name": "pc_gamer", "product_category_name_english": "pc_gamer"}
PRODUCTS: list[Row] = [{}, {"product_id": hex_id(2), "product_category_name": "pc_gamer"}]


@pytest.fixture
def added(committed: None, tmp_path: Path) -> Ran:
    """A load with a product of a category that no file has."""
    return load_json(write_files(tmp_path / "first", {**ONE_OF_EACH, "products": PRODUCTS}))


def test_a_category_that_no_file_has_is_added_for_its_product(added: Ran) -> None:
    assert added.report["tables"]["products"]["repaired"] == {"missing_parent": 1}
    assert added.counts["products"] == {"read": 2, "inserted": 2}
    assert sorted(query(CATEGORIES)) == [("livros", "books"), ("pc_gamer", None)]


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize("option", ["reject", "update"])
def test_a_category_added_for_a_product_is_filled_by_its_real_row(option: str, tmp_path: Path) -> None:
    real = write_files(tmp_path, {"product_category_name_translation": [{}, REAL], "products": PRODUCTS})
    ran = load_json(real, "--on-conflict", option)
    assert ran.counts["product_category_name_translation"] == {"read": 2, "updated": 1, "unchanged": 1}
    assert ran.counts["products"] == {"read": 2, "unchanged": 2}
    assert ran.report["tables"]["products"]["repaired"] == {}
    assert sorted(query(CATEGORIES)) == [("livros", "books"), ("pc_gamer", "pc_gamer")]
    assert not RejectedRecord.objects.exists()


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize("option", ["reject", "update"])
def test_a_category_that_was_filled_is_a_row_like_any_other(option: str, tmp_path: Path) -> None:
    real = write_files(tmp_path / "real", {"product_category_name_translation": [{}, REAL], "products": PRODUCTS})
    load_json(real, "--on-conflict", option)
    other = [{**REAL, "product_category_name_english": "games"}]
    ran = load_json(write_files(tmp_path / "other", {"product_category_name_translation": other}))
    assert ran.counts["product_category_name_translation"] == {"read": 1, "rejected": 1}


def test_the_same_key_twice_in_a_file_keeps_the_first_record(tmp_path: Path) -> None:
    for attempt in ("empty", "stored"):
        customers = [{}, {"customer_city": "rio"}, {}, {"customer_city": "natal"}, {"customer_id": hex_id(2)}]
        ran = load_json(write_files(tmp_path / attempt, {"customers": customers}))
        kept = "inserted" if attempt == "empty" else "unchanged"
        assert ran.counts["customers"] == {"read": 5, kept: 2, "duplicates": 1, "rejected": 2}
    rejects = RejectedRecord.objects.order_by("position")
    assert [(reject.position, reject.codes, reject.times_seen) for reject in rejects] == [
        (2, ["unique"], 2),
        (4, ["unique"], 2),
    ]
    assert query("select distinct customer_city from olist_customers") == [("sao paulo",)]


def test_a_row_changed_by_hand_is_found_by_the_next_load(small: Path) -> None:
    load_json(small)
    whole = fingerprints()
    ((customer,),) = query("select customer_id from olist_customers order by customer_id limit 1")
    query("update olist_customers set customer_city = 'nowhere' where customer_id = %s", customer)
    query("delete from olist_order_reviews where id = (select min(id) from olist_order_reviews)")
    ran = load_json(small, "--on-conflict", "update")
    assert ran.counts["customers"]["updated"] == 1
    assert ran.counts["order_reviews"]["inserted"] == 1
    assert fingerprints() == whole
    assert list(ran.report["tables"]) == list(FILES)


def _tables_read(folder: Path) -> list[str]:
    """Load ``folder`` again, and say which of its files were read record by record."""
    with mock.patch("ingest.loading.lanes.load_file", side_effect=load_file) as reading:
        again = load_json(folder)
    assert all(counts.keys() <= {"read", "unchanged", "duplicates", "repaired"} for counts in again.counts.values())
    return sorted(call.args[0].source.table for call in reading.call_args_list)


def test_a_file_is_not_read_again_while_its_bytes_the_rules_and_the_table_are_what_they_were(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    load_json(folder)
    assert _tables_read(folder) == []
    path = folder / FILES["sellers"]
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    Account.objects.filter(table="orders").update(contract_version="another")
    query("update olist_customers set customer_city = 'rio' returning 1")
    query("update olist_customers set customer_city = 'sao paulo' returning 1")  # a change taken back is none
    assert _tables_read(folder) == ["orders", "sellers"]
    assert _tables_read(folder) == []


def test_a_file_of_which_records_were_rejected_is_read_again(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {**ONE_OF_EACH, "sellers": [{}, {"seller_id": "no id"}]})
    load_json(folder)
    with mock.patch("ingest.loading.lanes.load_file", side_effect=load_file) as reading:
        load_json(folder)
    assert [call.args[0].source.table for call in reading.call_args_list] == ["sellers"]
    assert RejectedRecord.objects.get().times_seen == 2
