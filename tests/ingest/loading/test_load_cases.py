"""Small inputs of real faults, with the right values: they lie beside the project, and are read there."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.support.loading.loads import SHARED, load, load_json, query

CASES = SHARED.parent / "cases"

pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the project"),
]


def tables(*names: str) -> list[str]:
    return [part for name in names for part in ("--table", name)]


def test_whole_numbers_with_exponents_are_taken_by_their_digits() -> None:
    ran = load_json(CASES / "exponents", *tables("product_category_name_translation", "products"))
    assert query("select product_weight_g from olist_products order by product_id") == [
        (3000,),
        (30000,),
        (30000,),
        (30000,),
    ]
    assert ran.report["tables"]["products"]["repaired"] == {"integral": 3}


@pytest.mark.parametrize(
    ("answer", "moments", "repaired"),
    [
        (
            "instant",
            {"2018-08-01 10:00:00": 4, "2018-08-01 07:00:00": 5, "2018-08-01 07:00:00.123456": 1},
            {"local_time": 8, "moment": 8},
        ),
        ("wall", {"2018-08-01 10:00:00": 9, "2018-08-01 10:00:00.123456": 1}, {"wall_time": 8, "moment": 3}),
    ],
)
def test_every_spelling_of_a_moment_is_read_as_its_zone_is_said_to_be_meant(
    answer: str, moments: dict[str, int], repaired: dict[str, int]
) -> None:
    ran = load_json(CASES / "times", *tables("customers", "orders"), "--times", answer)
    assert ran.counts["orders"]["inserted"] == 10
    assert Counter(str(moment) for (moment,) in query("select order_purchase_timestamp from olist_orders")) == moments
    assert ran.report["tables"]["orders"]["repaired"] == repaired


def test_zones_on_most_of_a_column_are_asked_about() -> None:
    ran = load(CASES / "times", *tables("customers", "orders"))
    assert (ran.code, ran.out) == (2, "")
    assert "order_purchase_timestamp: 8 of 10 values, " in ran.err


def test_a_name_that_is_nearly_right_is_asked_back() -> None:
    ran = load(CASES / "spelling", *tables("products"))
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean 'product_name_lenght' where 'product_name_length' stands" in ran.err


def test_an_archive_with_backslashes_gives_its_files(tmp_path: Path) -> None:
    shutil.copy(CASES / "backslash.zip", tmp_path)
    ran = load(tmp_path / "backslash.zip", *tables("customers"))
    assert ran.code == 0, ran.err
    assert query("select count(*) from olist_customers") == [(1,)]


def test_files_joined_by_cat_give_the_records_of_both() -> None:
    ran = load_json(CASES / "concatenated", *tables("product_category_name_translation"))
    assert query("select * from olist_product_category_name_translation order by 1") == [
        ("artes", "art"),
        ("bebes", "baby"),
        ("beleza", "beauty"),
    ]
    report = ran.report["tables"]["product_category_name_translation"]
    assert (report["read"], report["inserted"]) == (3, 3)
    assert (report["skipped"], report["repaired"]) == ({"header_line": 2}, {"byte_order_mark": 1})


def test_rows_that_a_spreadsheet_padded_are_no_records() -> None:
    ran = load_json(CASES / "padding", *tables("product_category_name_translation", "customers"), "--max-rejects", "1")
    assert ran.counts == {
        "product_category_name_translation": {"read": 1, "inserted": 1},
        "customers": {"read": 2, "inserted": 1, "rejected": 1},
    }
    skipped = {table: report["skipped"] for table, report in ran.report["tables"].items()}
    assert skipped == {"product_category_name_translation": {"blank_line": 2}, "customers": {"blank_line": 3}}
