"""One key more than once in a batch: an update writes the last good record of it, and says so of the earlier ones."""

import json
from typing import Any

import pytest

from ingest.models import RejectedRecord
from tests.support.api.client import Answered, ApiClient, Json
from tests.support.api.parcels import assert_accounts_exact, one_table, record, stored, tagged
from tests.support.loading.loads import hex_id, query, seller_cities

pytestmark = pytest.mark.usefixtures("committed")


def sellers(*cities: str, **options: Any) -> Json:
    """Return a batch of one seller in so many versions."""
    return one_table("sellers", *(record("sellers", seller_city=city) for city in cities), results="all", **options)


def fates(answer: Answered) -> list[str]:
    """Return what became of each record: its outcome, or the code of its one reason."""
    return [(r.get("reasons") or [{"code": r["outcome"]}])[0]["code"] for r in answer.json["results"]]


def test_an_update_writes_the_last_record_of_a_key_and_rejects_the_earlier_ones_by_name(api: ApiClient) -> None:
    answer = api.post(sellers("a", "b", "c", on_conflict="update"))
    assert (answer.status, answer.counts) == (207, {"read": 3, "inserted": 1, "rejected": 2})
    assert (fates(answer), seller_cities()) == (["superseded_in_batch", "superseded_in_batch", "inserted"], ["c"])
    assert answer.json["results"][0]["reasons"] == [
        {
            "field": "seller_id",
            "code": "superseded_in_batch",
            "pointer": "/records/0/seller_id",
            "message": "A later record of the same batch has this key and counts instead: record 2.",
            "value": hex_id(1),
        }
    ]
    assert_accounts_exact()


def test_without_update_the_first_record_of_a_key_is_written(api: ApiClient) -> None:
    answer = api.post(sellers("a", "b", "a"))
    assert (fates(answer), seller_cities()) == (["inserted", "unique", "duplicate"], ["a"])
    assert set(RejectedRecord.objects.values_list("status", flat=True)) == {"open"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("aa", ["inserted", "duplicate"]),
        ("aab", ["superseded_in_batch", "duplicate", "inserted"]),
        ("abb", ["superseded_in_batch", "inserted", "duplicate"]),
        ("aba", ["duplicate", "superseded_in_batch", "inserted"]),
    ],
)
def test_a_whole_record_that_repeats_stays_a_duplicate(api: ApiClient, sent: str, expected: list[str]) -> None:
    answer = api.post(sellers(*sent, on_conflict="update"))
    assert (fates(answer), seller_cities()) == (expected, [sent[-1]])
    assert_accounts_exact()


def test_the_last_record_of_a_stored_key_is_an_update_or_unchanged(api: ApiClient) -> None:
    api.post(sellers("a"))
    assert fates(api.post(sellers("b", "a", on_conflict="update"))) == ["superseded_in_batch", "unchanged"]
    assert fates(api.post(sellers("a", "b", on_conflict="update"))) == ["superseded_in_batch", "updated"]
    assert seller_cities() == ["b"]


def test_where_the_last_record_is_refused_for_itself_the_last_good_one_is_written(api: ApiClient) -> None:
    records = [*(record("sellers", seller_city=city) for city in "ab"), record("sellers", seller_state="XX")]
    answer = api.post(one_table("sellers", *records, on_conflict="update", results="all"))
    assert (fates(answer), seller_cities()) == (["superseded_in_batch", "inserted", "invalid_choice"], ["b"])
    assert dict(RejectedRecord.objects.values_list("position", "status")) == {0: "superseded", 2: "open"}


def test_children_of_a_superseded_record_are_good_for_its_key_is_there(api: ApiClient) -> None:
    children = [tagged("orders", order_id=hex_id(number)) for number in (1, 2)]
    parents = [tagged("customers", customer_city=city) for city in "ab"]
    answer = api.post({"records": [parents[0], *children, parents[1]], "on_conflict": "update", "results": "all"})
    assert fates(answer) == ["superseded_in_batch", "inserted", "inserted", "inserted"]


def test_an_atomic_batch_is_written_for_a_superseded_record_is_no_fault(api: ApiClient) -> None:
    answer = api.post(sellers("a", "b", on_conflict="update", mode="atomic"))
    assert (answer.status, fates(answer), seller_cities()) == (207, ["superseded_in_batch", "inserted"], ["b"])


def test_of_an_atomic_batch_that_is_refused_no_record_is_superseded(api: ApiClient) -> None:
    records = [*(record("sellers", seller_city=city) for city in "ab"), record("sellers", seller_state="XX")]
    answer = api.post(one_table("sellers", *records, on_conflict="update", mode="atomic", results="all"))
    assert (answer.status, answer.counts) == (422, {"read": 3, "rejected": 1, "rolled_back": 2})
    assert fates(answer) == ["rolled_back", "rolled_back", "invalid_choice"]
    assert (seller_cities(), RejectedRecord.objects.count()) == ([], 1)


def test_a_group_does_not_fall_with_a_superseded_record(api: ApiClient) -> None:
    groups = [("g", "a"), ("g", "b"), ("h", "c")]
    records = [tagged("sellers", group=group, seller_city=city) for group, city in groups]
    mate = tagged("sellers", group="g", seller_id=hex_id(2))
    answer = api.post({"records": [*records, mate], "on_conflict": "update", "results": "all"})
    assert fates(answer) == ["superseded_in_batch", "superseded_in_batch", "inserted", "inserted"]


def test_where_the_group_of_the_last_record_falls_the_one_before_it_counts(api: ApiClient) -> None:
    groups = [(None, "a"), ("g", "b"), ("g", "c")]
    records = [tagged("sellers", group=group, seller_city=city) for group, city in groups]
    bad = tagged("sellers", group="g", seller_id=hex_id(2), seller_state="XX")
    answer = api.post({"records": [*records, bad], "on_conflict": "update", "results": "all"})
    assert fates(answer) == ["inserted", "group_rejected", "group_rejected", "invalid_choice"]
    assert seller_cities() == ["a"]
    assert set(RejectedRecord.objects.values_list("status", flat=True)) == {"open"}


def test_whole_orders_that_come_twice_leave_their_last_state(api: ApiClient) -> None:
    def order(group: str, price: str) -> list[Json]:
        parts = [tagged("customers"), tagged("sellers"), tagged("products", product_category_name=None)]
        parts += [tagged("orders", order_status="shipped" if group == "first" else "delivered")]
        return [part | {"group": group} for part in [*parts, tagged("order_items", price=price)]]

    answer = api.post({"records": [*order("first", "1.00"), *order("then", "2.00")], "on_conflict": "update"})
    assert answer.counts == {"read": 10, "inserted": 5, "duplicates": 3, "rejected": 2}
    assert query("select order_status, price from olist_orders, olist_order_items") == [("delivered", 2)]
    assert_accounts_exact()


def test_a_dry_run_tells_what_would_become_of_each_and_writes_nothing(api: ApiClient) -> None:
    answer = api.post(sellers("a", "b", on_conflict="update", dry_run=True))
    assert (answer.status, fates(answer)) == (200, ["superseded_in_batch", "inserted"])
    assert (stored("sellers"), RejectedRecord.objects.count()) == (0, 0)


@pytest.mark.parametrize("kind", ["application/x-ndjson", "text/csv"])
def test_lines_of_text_are_records_in_their_order(api: ApiClient, kind: str) -> None:
    records = [record("sellers", seller_city=city) for city in "ab"]
    lines = [json.dumps(each) for each in records]
    if kind == "text/csv":
        lines = [",".join(records[0]), *(",".join(each.values()) for each in records)]
    body = "\n".join(lines)
    answer = api.post(body, to="/api/v1/batches/?table=sellers&on_conflict=update&results=all", kind=kind)
    assert (fates(answer), seller_cities()) == (["superseded_in_batch", "inserted"], ["b"])


# Its reject


def test_a_superseded_record_is_stored_closed_and_cannot_be_replayed(api: ApiClient) -> None:
    answer = api.post(sellers("a", "b", on_conflict="update"))
    number = answer.json["results"][0]["reject_id"]
    reject = api.get(f"/api/v1/rejects/{number}/").json
    assert (reject["status"], reject["reasons"][0]["code"]) == ("superseded", "superseded_in_batch")
    assert reject["closed_at"] is not None
    assert reject["closed_why"] == "A later record of the same batch has this key, and counts instead."
    assert RejectedRecord.objects.get().stage == "duplicates"
    assert api.post({}, to=f"/api/v1/rejects/{number}/replay/").status == 409
    assert api.get("/api/v1/rejects/?status=open").json["results"] == []


def test_the_same_batch_again_finds_its_reject_closed(api: ApiClient) -> None:
    for _ in range(2):
        api.post(sellers("a", "b", on_conflict="update"))
    reject = RejectedRecord.objects.get()
    assert (reject.status, reject.times_seen) == ("superseded", 2)


def test_a_superseded_record_that_is_refused_for_itself_later_is_open_with_that_reason(api: ApiClient) -> None:
    api.post(sellers("a", "b", on_conflict="update"))
    api.post(sellers("a"))  # another content of the stored key
    reject = RejectedRecord.objects.get()
    assert (reject.status, reject.codes, reject.closed_at, reject.closed_why) == ("open", ["unique"], None, "")
    assert reject.times_seen == 2


def test_a_superseded_record_whose_parent_is_missing_later_is_healed_when_it_comes(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers")))
    api.post(one_table("orders", record("orders")))
    payments = [record("order_payments", payment_value=value) for value in ("1.00", "2.00")]
    api.post(one_table("order_payments", *payments, on_conflict="update"))
    query("delete from olist_order_payments; delete from olist_orders")
    assert fates(api.post(one_table("order_payments", payments[0], results="all"))) == ["does_not_exist"]
    api.post(one_table("orders", record("orders")))
    assert query("select payment_value::text from olist_order_payments") == [("1.00",)]
    assert RejectedRecord.objects.get().status == "replayed"


def test_an_open_reject_whose_record_comes_again_and_is_superseded_is_closed(api: ApiClient) -> None:
    orders = [record("orders", order_status=status) for status in ("shipped", "delivered")]
    assert api.post(one_table("orders", *orders, on_conflict="update")).codes == [
        (index, "customer_id", "does_not_exist") for index in range(2)
    ]
    customer = {"table": "customers", "data": record("customers")}
    tags = [{"table": "orders", "data": order} for order in orders]
    answer = api.post({"records": [customer, *tags], "on_conflict": "update", "results": "all"})
    assert fates(answer) == ["inserted", "superseded_in_batch", "inserted"]
    (first, second) = RejectedRecord.objects.order_by("position")
    assert (first.status, first.codes) == ("superseded", ["superseded_in_batch"])
    assert (first.closed_at is not None, second.status) == (True, "superseded")


def test_of_rejects_with_one_key_that_are_replayed_as_an_update_the_last_counts(api: ApiClient) -> None:
    orders = [tagged("orders", group="g", order_status=status) for status in ("shipped", "canceled", "delivered")]
    first, second, third = (r["reject_id"] for r in api.post({"records": orders}).json["results"])
    query("insert into olist_customers values (%s, %s, '01037', 'rio', 'RJ')", hex_id(1), hex_id(1))
    answer = api.post({"on_conflict": "update"}, to=f"/api/v1/rejects/{first}/replay/")
    assert fates(answer) == ["superseded_in_batch", "superseded_in_batch", "inserted"]
    assert query("select order_status from olist_orders") == [("delivered",)]
    kept = {str(reject.pk): reject for reject in RejectedRecord.objects.all()}
    assert [kept[number].status for number in (first, second, third)] == ["superseded", "superseded", "replayed"]
    assert kept[first].closed_why.startswith(f"The reject {third} has this key too")
    assert (kept[first].closed_at is not None, kept[first].attempts) == (True, 1)
