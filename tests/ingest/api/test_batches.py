"""Posting records: what is accepted, what is refused and why, and the account of both."""

import json
from unittest import mock

import pytest

from ingest.models import Account, Batch, RejectedRecord
from ingest.tables.stored_rows import StoredRows
from tests.support.api.client import ApiClient, Json
from tests.support.api.parcels import one_table, order_with_parts, record, stored, tagged
from tests.support.loading.loads import hex_id, query

pytestmark = pytest.mark.django_db


def test_a_new_record_is_inserted(api: ApiClient) -> None:
    answer = api.post(one_table("customers", record("customers")))
    assert (answer.status, answer.counts) == (201, {"read": 1, "inserted": 1})
    assert answer.headers["Location"] == f"/api/v1/batches/{answer.json['id']}/"
    assert answer.headers["Forge-Rejected"] == "0"
    assert stored("customers") == 1


def test_the_same_record_again_is_unchanged(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers")))
    again = api.post(one_table("customers", record("customers")))
    assert (again.status, again.counts) == (200, {"read": 1, "unchanged": 1})
    assert stored("customers") == 1


def test_an_order_comes_with_all_its_parts_in_any_order(api: ApiClient) -> None:
    answer = api.post({"records": order_with_parts()})
    assert (answer.status, answer.counts) == (201, {"read": 7, "inserted": 7})
    assert {name: counts["inserted"] for name, counts in answer.json["tables"].items()} == dict.fromkeys(
        ["customers", "sellers", "products", "orders", "order_items", "order_payments", "order_reviews"], 1
    )
    assert query("select order_id, product_id, seller_id from olist_order_items") == [(hex_id(1),) * 3]


def test_every_reason_is_given_with_index_reference_pointer_and_value(api: ApiClient) -> None:
    bad = tagged(
        "orders", ref="o-2", order_status="teleported", customer_id="x", order_approved_at="2017-01-01 00:00:00"
    )
    answer = api.post({"records": [tagged("customers"), bad]})
    assert answer.status == 207
    assert answer.headers["Forge-Rejected"] == "1"
    (result,) = answer.json["results"]
    reject = RejectedRecord.objects.get()
    assert {name: result[name] for name in ("index", "ref", "table", "outcome", "reject_id")} == {
        "index": 1,
        "ref": "o-2",
        "table": "orders",
        "outcome": "rejected",
        "reject_id": str(reject.pk),
    }
    assert [(r["pointer"], r["code"], r["value"]) for r in result["reasons"]] == [
        ("/records/1/data/customer_id", "invalid", "x"),
        ("/records/1/data/order_status", "invalid_choice", "teleported"),
        (
            "/records/1/data/order_approved_at",
            "check",
            "order_purchase_timestamp=2018-03-01 10:00:00.000000, order_approved_at=2017-01-01 00:00:00.000000",
        ),
    ]
    assert result["reasons"][2]["constraint"] == "olist_orders_approved_after_purchase"
    assert (reject.position, reject.ref, reject.batch.origin) == (1, "o-2", "api")


ODD = 'a"b\\c\u0000\n\x1f\x7f~/é😀'
ODD_NAME = "".join(filter(str.isprintable, ODD))
ODD_RECORD = record("sellers", seller_city=ODD, seller_state="x" * 201) | {ODD_NAME: "1"}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param({"records": [{"table": "sellers", "data": ODD_RECORD}]}, "/records/0/data", id="a named table"),
        pytest.param(one_table("sellers", ODD_RECORD), "/records/0", id="one table"),
    ],
)
def test_whatever_a_record_holds_its_reasons_show_it_exactly(api: ApiClient, body: Json, where: str) -> None:
    (result,) = api.post(body).json["results"]
    assert {reason["field"]: (reason["pointer"], reason["value"]) for reason in result["reasons"]} == {
        "seller_city": (f"{where}/seller_city", ODD),
        "seller_state": (f"{where}/seller_state", "x" * 200 + "…"),
        ODD_NAME: (where + "/" + ODD_NAME.replace("~", "~0").replace("/", "~1"), "1"),
    }


def test_whatever_the_names_of_a_record_are_its_result_shows_them_exactly(api: ApiClient) -> None:
    sent = {"table": "sellers", "ref": ODD_NAME, "group": ODD_NAME, "data": ODD_RECORD}
    (result,) = api.post({"records": [sent]}).json["results"]
    assert (result["ref"], result["group"]) == (ODD_NAME, ODD_NAME)


def test_an_atomic_batch_tells_of_keys_that_are_stored_too(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    other = tagged("sellers", seller_city="santos")
    twice = [tagged("customers"), tagged("customers")]  # a duplicate is neither refused nor written
    answer = api.post({"records": [*twice, other, tagged("orders", order_status="teleported")], "mode": "atomic"})
    assert answer.codes == [(2, "seller_id", "unique"), (3, "order_status", "invalid_choice")]
    assert answer.counts == {"read": 4, "duplicates": 1, "rejected": 2, "rolled_back": 1}


def test_a_partial_batch_tells_of_keys_that_are_stored_beside_other_faults(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    other = tagged("sellers", seller_city="santos")
    answer = api.post({"records": [other, tagged("orders", order_status="teleported")]})
    assert answer.codes[0] == (0, "seller_id", "unique")


def test_a_reject_keeps_the_bytes_of_its_record_as_they_were_sent(api: ApiClient) -> None:
    sent = '{ "seller_id" : "x",\t"seller_city":"S\\u00e3o \\ud83d\\ude00", "seller_state": 12.50 }'
    body = f'{{"records": [{{"data": {sent}, "table": "sellers"}}]}}'
    answer = api.post(body.encode())
    assert answer.status == 422
    assert bytes(RejectedRecord.objects.get().raw) == sent.encode()


BAD_SELLER = record("sellers", seller_id=hex_id(2), seller_state="XX")


def test_a_partial_batch_keeps_the_good(api: ApiClient) -> None:
    answer = api.post(one_table("sellers", record("sellers"), BAD_SELLER))
    assert (answer.status, answer.counts) == (207, {"read": 2, "inserted": 1, "rejected": 1})
    assert stored("sellers") == 1


def test_an_atomic_batch_with_a_fault_keeps_nothing(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    new, known = record("sellers", seller_id=hex_id(3)), record("sellers")
    answer = api.post(one_table("sellers", new, BAD_SELLER, known, mode="atomic"))
    assert (answer.status, answer.counts) == (422, {"read": 3, "rejected": 1, "rolled_back": 2})
    assert stored("sellers") == 1
    assert Account.objects.get(batch=answer.json["id"]).rolled_back == 2


def test_a_reject_that_comes_again_in_an_atomic_batch_stays_with_the_partial_one(api: ApiClient) -> None:
    partial = api.post(one_table("sellers", BAD_SELLER))
    api.post(one_table("sellers", BAD_SELLER, mode="atomic"))
    reject = RejectedRecord.objects.get()
    assert (reject.times_seen, str(reject.last_batch_id)) == (2, partial.json["id"])  # so that it can be replayed


@pytest.mark.parametrize("mode", ["partial", "atomic"])
def test_an_atomic_batch_without_a_fault_is_accepted_like_a_partial_one(api: ApiClient, mode: str) -> None:
    answer = api.post({"records": order_with_parts(), "mode": mode})
    assert (answer.status, answer.json["mode"], answer.counts) == (201, mode, {"read": 7, "inserted": 7})


def test_a_reject_names_the_step_that_refused_it(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    api.post(
        {
            "records": [
                tagged("sellers", seller_city="elsewhere"),
                tagged("sellers", seller_id=hex_id(2)),
                tagged("sellers", seller_id=hex_id(2), seller_city="elsewhere"),
                tagged("sellers", seller_id=hex_id(3), seller_state="XX", group="g"),
                tagged("sellers", seller_id=hex_id(4), group="g"),
                tagged("orders"),
                {"table": "sellers", "data": 5},
            ]
        }
    )
    steps = RejectedRecord.objects.order_by("position").values_list("position", "stage")
    named = {0: "stored", 2: "duplicates", 3: "check", 4: "write", 5: "references", 6: "parse"}
    assert dict(steps) == named


def test_good_records_are_written_without_asking_also_where_some_name_no_parent(api: ApiClient) -> None:
    rows = [record("products", product_id=hex_id(number), product_category_name=None) for number in range(2)]
    with mock.patch.object(StoredRows, "compare", side_effect=AssertionError("it was asked")):
        answer = api.post(one_table("products", *rows))
    assert (answer.status, answer.counts) == (201, {"read": 2, "inserted": 2})


def test_the_real_category_fills_a_placeholder_that_a_load_has_added(api: ApiClient) -> None:
    query("insert into olist_product_category_name_translation (product_category_name) values ('livros')")
    answer = api.post(one_table("product_category_name_translation", record("product_category_name_translation")))
    assert (answer.status, answer.counts) == (201, {"read": 1, "updated": 1})
    assert query("select product_category_name_english from olist_product_category_name_translation") == [("books",)]


OTHER_SELLER = record("sellers", seller_city="rio", seller_state="RJ")


def test_a_key_stored_with_other_content_is_a_reject_that_names_what_differs(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    answer = api.post(one_table("sellers", OTHER_SELLER))
    assert answer.codes == [(0, "seller_id", "unique")]
    assert "different: seller_city, seller_state" in answer.json["results"][0]["reasons"][0]["message"]


def test_a_key_stored_with_other_content_is_an_update_where_that_is_asked_for(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    answer = api.post(one_table("sellers", OTHER_SELLER, on_conflict="update"))
    assert (answer.status, answer.counts) == (201, {"read": 1, "updated": 1})
    assert query("select seller_city, seller_state from olist_sellers") == [("rio", "RJ")]


def test_a_record_that_was_refused_before_can_still_be_an_update(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    api.post(one_table("sellers", OTHER_SELLER))
    answer = api.post(one_table("sellers", OTHER_SELLER, on_conflict="update"))
    assert answer.counts == {"read": 1, "updated": 1}


def test_an_update_keeps_every_type_of_value(api: ApiClient) -> None:
    parts = order_with_parts()
    api.post({"records": parts})
    parts[0]["data"] |= {"review_comment_title": None, "review_comment_message": 'a "b"\\ {c},\n ', "review_score": 1}
    parts[2]["data"] |= {"price": "99999999.99", "shipping_limit_date": "0001-01-01 00:00:00.000001"}
    answer = api.post({"records": parts, "on_conflict": "update"})
    assert answer.counts == {"read": 7, "updated": 2, "unchanged": 5}
    assert query("select review_comment_title, review_comment_message, review_score from olist_order_reviews") == [
        (None, 'a "b"\\ {c},\n ', 1)
    ]
    assert query("select price::text, shipping_limit_date::text from olist_order_items") == [
        ("99999999.99", "0001-01-01 00:00:00.000001")
    ]


def test_the_same_record_twice_is_a_duplicate_and_the_same_key_twice_a_reject(api: ApiClient) -> None:
    answer = api.post(one_table("sellers", record("sellers"), record("sellers"), record("sellers", seller_city="rio")))
    assert (answer.status, answer.counts) == (207, {"read": 3, "inserted": 1, "duplicates": 1, "rejected": 1})
    assert answer.codes == [(2, "seller_id", "unique")]


def test_normalising_is_counted_as_repairs(api: ApiClient) -> None:
    zipped = record("sellers", seller_id=hex_id(0xABC).upper(), seller_zip_code_prefix=1037, seller_state=" sp ")
    answer = api.post(one_table("sellers", zipped))
    assert answer.status == 201
    assert answer.json["tables"]["sellers"]["repaired"] == {"leading_zero": 1, "lower": 1, "trim": 1, "upper": 1}
    assert query("select seller_id, seller_zip_code_prefix, seller_state from olist_sellers") == [
        (hex_id(0xABC), "01037", "SP")
    ]


@pytest.mark.parametrize("written", ["12.50", '"12.50"', "12.5", "12.500", '" 12.50 "'])
def test_a_number_is_judged_by_its_exact_text(api: ApiClient, written: str) -> None:
    api.post({"records": order_with_parts()})
    body = json.dumps(one_table("order_payments", record("order_payments", payment_sequential=2, payment_value=0)))
    answer = api.post(body.replace('"payment_value": 0', f'"payment_value": {written}'))
    assert answer.status == 201
    assert query("select payment_value::text from olist_order_payments where payment_sequential = 2") == [("12.50",)]


@pytest.mark.parametrize(
    ("results", "listed"),
    [("errors", [(1, "rejected")]), ("all", [(0, "inserted"), (1, "rejected")]), ("summary", [])],
)
def test_results_lists_refused_records_or_all_or_none(
    api: ApiClient, results: str, listed: list[tuple[int, str]]
) -> None:
    records = [record("sellers"), record("sellers", seller_id="x")]
    answer = api.post(one_table("sellers", *records, results=results, dry_run=True))
    assert [(result["index"], result["outcome"]) for result in answer.json["results"]] == listed


def test_a_dry_run_says_what_would_be_and_writes_nothing(api: ApiClient) -> None:
    answer = api.post(one_table("sellers", record("sellers"), record("sellers", seller_id="x"), dry_run=True))
    assert (answer.status, answer.counts) == (200, {"read": 2, "inserted": 1, "rejected": 1})
    assert (answer.json["id"], answer.json["results"][0]["reject_id"]) == (None, None)
    assert "Location" not in answer.headers
    assert not stored("sellers")
    assert not Batch.objects.exists()
    assert not RejectedRecord.objects.exists()


THOUSAND = [record("sellers", seller_id=hex_id(number)) for number in range(1000)]


def test_a_whole_batch_of_a_thousand_records_is_taken(api: ApiClient) -> None:
    assert api.post(one_table("sellers", *THOUSAND)).counts == {"read": 1000, "inserted": 1000}


def test_a_thousand_records_that_are_stored_are_all_unchanged(api: ApiClient) -> None:
    api.post(one_table("sellers", *THOUSAND))
    assert api.post(one_table("sellers", *reversed(THOUSAND))).counts == {"read": 1000, "unchanged": 1000}
