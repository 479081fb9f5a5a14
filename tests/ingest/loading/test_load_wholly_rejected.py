"""A file of which no record was good is said to be one: it holds something else, or is written in another way."""

from pathlib import Path

import pytest

from ingest.models import Batch, RejectedRecord
from tests.support.loading.loads import ONE_OF_EACH, load, load_json, query, write_files

pytestmark = pytest.mark.usefixtures("committed")
TURNED_ROUND = [{"order_id": f"{number:032x}", "order_estimated_delivery_date": "18/10/2017"} for number in range(1, 4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good files but for that of the orders, in which a program has turned all dates round."""
    return write_files(tmp_path / "files", {**ONE_OF_EACH, "orders": TURNED_ROUND})


def test_its_load_ends_with_1_and_the_commonest_reason(folder: Path) -> None:
    ran = load(folder)
    assert (ran.code, ran.err) == (1, "")
    told = "orders: every record was rejected, most often (3 of them) for this reason: order_estimated_delivery_date: "
    assert f"{told}Enter a date and time as YYYY-MM-DD HH:MM:SS.\n" in ran.out
    assert Batch.objects.get().status == "rejected"


def test_its_rejects_are_kept_and_so_is_all_that_is_good(folder: Path) -> None:
    report = load_json(folder, code=1).report
    assert report["status"] == "rejected"
    assert [note.split(",")[0] for note in report["notes"] if note.startswith("orders")] == [
        "orders: every record was rejected"
    ]
    assert RejectedRecord.objects.filter(table="orders", status="open").count() == 3
    assert query("select count(*) from olist_customers") == [(1,)]


def test_its_children_are_judged_as_always(folder: Path) -> None:
    load_json(folder, code=1)
    children = RejectedRecord.objects.filter(table="order_payments")
    assert [reject.codes for reject in children] == [["parent_rejected"]]


def test_a_dry_run_says_so_too_and_keeps_nothing(folder: Path) -> None:
    ran = load(folder, "--dry-run")
    assert ran.code == 1
    assert "orders: every record was rejected, most often (3 of them)" in ran.out
    assert not RejectedRecord.objects.exists()


def test_one_good_record_makes_it_a_file_with_rejects(tmp_path: Path) -> None:
    orders = [*TURNED_ROUND, *ONE_OF_EACH["orders"]]
    ran = load(write_files(tmp_path / "files", {**ONE_OF_EACH, "orders": orders}))
    assert ran.code == 0
    assert "every record was rejected" not in ran.out
    assert Batch.objects.get().status == "partial"


def test_a_reason_that_most_have_is_told_before_one_that_comes_first(tmp_path: Path) -> None:
    customers = [
        {"customer_id": "short", "customer_state": "SP"},
        *({"customer_id": f"{number:032x}", "customer_state": "XX"} for number in range(2)),
    ]
    ran = load(write_files(tmp_path / "files", {"customers": customers}))
    assert ran.code == 1
    assert "customers: every record was rejected, most often (2 of them) for this reason: customer_state: " in ran.out
