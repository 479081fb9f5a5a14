"""Records that stand or fall together, and children with their parents, in one batch."""

from typing import Any

import pytest

from ingest.models import RejectedRecord
from tests.support.api.client import ApiClient
from tests.support.api.parcels import one_table, order_with_parts, record, stored, tagged
from tests.support.loading.loads import hex_id

pytestmark = pytest.mark.django_db


def test_records_of_a_group_stand_or_fall_together(api: ApiClient) -> None:
    bad, good = order_with_parts(1, group="one"), order_with_parts(2, group="two")
    bad[1]["data"]["payment_value"] = "-1"
    answer = api.post({"records": [*bad, *good]})
    assert (answer.status, answer.counts) == (207, {"read": 14, "inserted": 7, "rejected": 7})
    assert answer.codes[1] == (1, "payment_value", "min_value")
    assert [code for index, _, code in answer.codes if index != 1] == ["group_rejected"] * 6
    assert stored("orders") == stored("customers") == 1
    assert set(RejectedRecord.objects.values_list("group", flat=True)) == {"one"}


def test_a_group_that_waits_for_a_fallen_group_falls_too(api: ApiClient) -> None:
    length = 30
    chain = [tagged("sellers", group="0", seller_state="XX")]
    for number in range(length):
        chain.append(tagged("customers", group=str(number), customer_id=hex_id(number)))
        chain.append(tagged("orders", group=str(number + 1), order_id=hex_id(number), customer_id=hex_id(number)))
    answer = api.post({"records": chain})
    assert (answer.status, answer.counts) == (422, {"read": 1 + 2 * length, "rejected": 1 + 2 * length})


def test_a_record_that_repeats_one_of_a_fallen_group_takes_its_place(api: ApiClient) -> None:
    fallen = [tagged("sellers", group="a"), tagged("customers", group="a", customer_state="XX")]
    answer = api.post({"records": [*fallen, tagged("sellers", group="b")]})
    assert answer.counts == {"read": 3, "inserted": 1, "rejected": 2}
    assert [code for _, _, code in answer.codes] == ["group_rejected", "invalid_choice"]


def test_a_child_of_a_refused_parent_is_rejected_and_linked_to_it(api: ApiClient) -> None:
    answer = api.post({"records": [tagged("orders"), tagged("customers", customer_state="XX")]})
    assert answer.codes == [(0, "customer_id", "parent_rejected"), (1, "customer_state", "invalid_choice")]
    child, parent = (RejectedRecord.objects.get(table=table) for table in ("orders", "customers"))
    assert child.parent == parent
    assert child.waits_for == [f"customers/{hex_id(1)}"]


def test_a_missing_parent_is_a_reason_and_is_never_added_over_http(api: ApiClient) -> None:
    answer = api.post(one_table("products", record("products", product_category_name="a_typo")))
    assert answer.codes == [(0, "product_category_name", "does_not_exist")]
    assert stored("product_category_name_translation") == 0


def test_a_missing_parent_is_found_beside_a_refused_record_that_names_none(api: ApiClient) -> None:
    categories = (None, "a_typo", None)
    rows = [
        record("products", product_id=hex_id(number), product_category_name=category, product_weight_g=weight)
        for number, (category, weight) in enumerate(zip(categories, (1, 1, -1), strict=True))
    ]
    answer = api.post(one_table("products", *rows))
    assert answer.codes == [(1, "product_category_name", "does_not_exist"), (2, "product_weight_g", "min_value")]
    missing = answer.json["results"][0]["reasons"][0]
    assert missing["message"] == "There is no such record in product_category_name_translation."
    assert (answer.counts["inserted"], RejectedRecord.objects.get(position=1).stage) == (1, "references")


def test_a_group_does_not_fall_for_a_key_of_another_that_falls_itself(api: ApiClient) -> None:
    def customer(number: int, group: str, **changes: Any) -> Any:
        return tagged("customers", group=group, customer_id=hex_id(number), **changes)

    answer = api.post(
        {
            "records": [
                customer(1, "a"),
                customer(2, "a", customer_zip_code_prefix="none"),
                customer(1, "b", customer_city="elsewhere"),
                customer(3, "b"),
                customer(3, "c", customer_city="elsewhere"),
                customer(4, "c"),
                tagged("orders", group="d", customer_id=hex_id(1)),
            ]
        }
    )
    codes = [(index, code) for index, _, code in answer.codes]
    assert codes == [(0, "group_rejected"), (1, "invalid"), (4, "unique"), (5, "group_rejected")]
    assert (stored("customers"), stored("orders")) == (2, 1)


def test_of_two_groups_that_take_a_key_from_each_other_the_first_stays(api: ApiClient) -> None:
    sent = [("a", 1, "rio"), ("b", 2, "rio"), ("b", 1, "niteroi"), ("a", 2, "niteroi")]
    records = [tagged("sellers", group=group, seller_id=hex_id(n), seller_city=city) for group, n, city in sent]
    answer = api.post({"records": records})
    assert [(index, code) for index, _, code in answer.codes] == [(1, "group_rejected"), (2, "unique")]
    assert stored("sellers") == 2


def test_a_record_like_one_without_its_parent_is_refused_like_it(api: ApiClient) -> None:
    answer = api.post(one_table("orders", record("orders"), record("orders")))
    assert (answer.status, answer.counts) == (422, {"read": 2, "rejected": 2})
    assert answer.codes == [(0, "customer_id", "does_not_exist"), (1, "customer_id", "does_not_exist")]
