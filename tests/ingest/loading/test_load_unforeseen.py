"""Rows that pass every check and that PostgreSQL refuses: a bug of the rulebook, and still no record is lost."""

from pathlib import Path

import pytest

from ingest.models import RejectedRecord
from tests.support.loading.loads import ONE_OF_EACH, hex_id, load_json, query, structures, write_files
from tests.support.postgres.sabotage import rule_by_hand

pytestmark = pytest.mark.usefixtures("committed")


@pytest.mark.parametrize("stored", [False, True])
def test_rows_that_only_the_database_refuses_are_rejected_with_its_constraint(*, stored: bool, tmp_path: Path) -> None:
    if stored:
        load_json(write_files(tmp_path / "before", {"sellers": [{"seller_id": hex_id(99)}]}))
    built = structures()
    sellers = [
        {"seller_id": hex_id(number), "seller_city": "atlantis" if number in {3, 17} else "rio"}
        for number in range(1, 31)
    ]
    folder = write_files(tmp_path / "files", {"sellers": sellers})
    with rule_by_hand("sellers", "check (seller_city <> 'atlantis')"):
        ran = load_json(folder)
        again = load_json(folder)
    assert ran.counts["sellers"] == {"read": 30, "inserted": 28, "rejected": 2}
    assert again.counts["sellers"] == {"read": 30, "unchanged": 28, "rejected": 2}
    rejects = list(RejectedRecord.objects.order_by("position"))
    assert [(reject.position, reject.line, reject.codes) for reject in rejects] == [
        (3, 4, ["database"]),
        (17, 18, ["database"]),
    ]
    assert [reject.reasons[0]["constraint"] for reject in rejects] == ["by_hand", "by_hand"]
    assert bytes(rejects[0].raw) == f"{hex_id(3)},01037,atlantis,SP".encode()
    assert [reject.times_seen for reject in rejects] == [2, 2]
    assert query("select count(*) from olist_sellers") == [(29 if stored else 28,)]
    assert structures() == built


@pytest.mark.parametrize("stored", [False, True])
def test_children_of_a_row_that_only_the_database_refuses_go_with_it(*, stored: bool, tmp_path: Path) -> None:
    if stored:
        load_json(write_files(tmp_path / "before", {**ONE_OF_EACH, "orders": [{"order_id": hex_id(9)}]}))
    customers = [{}, {"customer_id": hex_id(2), "customer_city": "atlantis"}]
    orders = [{}, {"order_id": hex_id(2), "customer_id": hex_id(2)}]
    folder = write_files(tmp_path / "files", {**ONE_OF_EACH, "customers": customers, "orders": orders})
    with rule_by_hand("customers", "check (customer_city <> 'atlantis')"):
        ran = load_json(folder)
    for name in ("customers", "orders"):
        assert ran.counts[name]["read"] == 2
        assert ran.counts[name]["rejected"] == 1
    parent, child = (RejectedRecord.objects.get(table=name) for name in ("customers", "orders"))
    assert (parent.codes, child.codes) == (["database"], ["parent_rejected"])
    assert child.parent == parent
    assert child.waits_for == [f"customers/{hex_id(2)}"]


def test_on_conflict_update_to_a_row_that_only_the_database_refuses_rejects_it(tmp_path: Path) -> None:
    load_json(write_files(tmp_path / "before", {"sellers": [{}, {"seller_id": hex_id(2)}]}))
    sellers = [{"seller_city": "atlantis"}, {"seller_id": hex_id(2), "seller_city": "rio"}]
    with rule_by_hand("sellers", "check (seller_city <> 'atlantis')"):
        ran = load_json(write_files(tmp_path / "files", {"sellers": sellers}), "--on-conflict", "update")
    assert ran.counts["sellers"] == {"read": 2, "updated": 1, "rejected": 1}
    reject = RejectedRecord.objects.get()
    assert (reject.position, reject.codes, reject.reasons[0]["constraint"]) == (1, ["database"], "by_hand")


def test_a_row_that_only_the_database_refuses_supersedes_nothing(tmp_path: Path) -> None:
    load_json(write_files(tmp_path / "before", {"sellers": [{}, {"seller_id": hex_id(2), "seller_state": "XX"}]}))
    sellers = [{"seller_id": hex_id(2), "seller_city": "atlantis"}, {"seller_id": hex_id(3)}]
    with rule_by_hand("sellers", "check (seller_city <> 'atlantis')"):
        ran = load_json(write_files(tmp_path / "files", {"sellers": sellers}))
    assert ran.counts["sellers"] == {"read": 2, "inserted": 1, "rejected": 1}
    assert list(RejectedRecord.objects.values_list("status", flat=True)) == ["open", "open"]
