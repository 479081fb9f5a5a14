"""Posting records: what is accepted, what is refused and why, and the account of both."""

import gzip
import json
from typing import Any
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


CSV = "seller_state,seller_city,seller_zip_code_prefix,seller_id\nSP,sao paulo,01037,{}\nXX,rio,01037,{}\n"


def test_csv_is_taken_for_one_table_with_its_columns_in_any_order(api: ApiClient) -> None:
    body = CSV.format(hex_id(1), hex_id(2))
    answer = api.post(body, to="/api/v1/batches/?table=sellers", kind="text/csv; charset=utf-8")
    assert (answer.status, answer.counts) == (207, {"read": 2, "inserted": 1, "rejected": 1})
    assert answer.codes == [(1, "seller_state", "invalid_choice")]
    reject = RejectedRecord.objects.get()
    assert bytes(reject.raw) == f"XX,rio,01037,{hex_id(2)}".encode()
    assert (reject.position, reject.line) == (1, 3)


def test_ndjson_is_taken_for_one_table_and_a_bad_line_is_a_reject(api: ApiClient) -> None:
    lines = [json.dumps(record("sellers")), "", '{"seller_id": ', json.dumps(record("sellers", seller_id="x"))]
    answer = api.post(
        "\r\n".join(lines), to="/api/v1/batches/?table=sellers&mode=partial&results=all", kind="application/x-ndjson"
    )
    assert (answer.status, answer.counts) == (207, {"read": 3, "inserted": 1, "rejected": 2})
    assert answer.codes == [(1, None, "invalid"), (2, "seller_id", "invalid")]
    assert bytes(RejectedRecord.objects.get(position=1).raw) == b'{"seller_id": '


@pytest.mark.parametrize(
    ("kind", "address"), [("application/json", ""), ("application/x-ndjson", "?table=orders&on_conflict=update")]
)
def test_what_an_update_leaves_out_becomes_null(api: ApiClient, kind: str, address: str) -> None:
    api.post(one_table("customers", record("customers")))
    full = record("orders", order_approved_at="2018-03-01 11:00:00")
    less = {name: value for name, value in full.items() if name != "order_approved_at"}
    assert api.post(one_table("orders", full)).status == 201
    body = less if address else one_table("orders", less, on_conflict="update")
    answer = api.post(body, to=f"/api/v1/batches/{address}", kind=kind)
    assert (answer.status, answer.counts) == (201, {"read": 1, "updated": 1})
    assert query("select order_approved_at, order_id from olist_orders") == [(None, full["order_id"])]


def test_a_column_is_not_left_out_of_an_update_in_csv(api: ApiClient) -> None:
    csv = "seller_id,seller_city\n" + hex_id(1) + ",rio"
    answer = api.post(csv, to="/api/v1/batches/?table=sellers&on_conflict=update", kind="text/csv")
    assert (answer.status, "seller_state" in answer.json["detail"]) == (400, True)


def test_what_must_not_be_null_is_not_left_out_of_an_update(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    less = {name: value for name, value in record("sellers").items() if name != "seller_city"}
    answer = api.post(one_table("sellers", less, on_conflict="update"))
    assert (answer.status, answer.codes) == (422, [(0, "seller_city", "required")])
    assert query("select seller_city from olist_sellers") == [(record("sellers")["seller_city"],)]


@pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip", " gzip ", "X-GZIP"])
def test_a_body_may_be_gzipped(api: ApiClient, coding: str) -> None:
    body = gzip.compress(json.dumps(one_table("sellers", record("sellers"))).encode())
    answer = api.post(body, Content_Encoding=coding)
    assert (answer.status, answer.counts) == (201, {"read": 1, "inserted": 1})


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_a_body_may_be_said_to_be_as_it_is(api: ApiClient, coding: str) -> None:
    assert api.post(one_table("sellers", record("sellers")), Content_Encoding=coding).status == 201


def test_a_gzipped_body_may_have_been_written_in_several_parts(api: ApiClient) -> None:
    lines = [json.dumps(record("sellers", seller_id=hex_id(number))).encode() + b"\n" for number in range(300)]
    body = gzip.compress(b"") + b"".join(map(gzip.compress, lines)) + gzip.compress(b"")
    answer = api.post(body, to="/api/v1/batches/?table=sellers", kind="application/x-ndjson", Content_Encoding="gzip")
    assert (answer.status, answer.counts) == (201, {"read": 300, "inserted": 300})


def test_another_coding_is_told_which_are_read(api: ApiClient) -> None:
    answer = api.post(one_table("sellers", record("sellers")), Content_Encoding="br")
    assert (answer.status, answer.headers["Accept-Encoding"]) == (415, "gzip, identity")
    assert all(word in answer.json["detail"] for word in ("'br'", "gzip", "x-gzip", "identity"))


THOUSAND = [record("sellers", seller_id=hex_id(number)) for number in range(1000)]


def test_a_whole_batch_of_a_thousand_records_is_taken(api: ApiClient) -> None:
    assert api.post(one_table("sellers", *THOUSAND)).counts == {"read": 1000, "inserted": 1000}


def test_a_thousand_records_that_are_stored_are_all_unchanged(api: ApiClient) -> None:
    api.post(one_table("sellers", *THOUSAND))
    assert api.post(one_table("sellers", *reversed(THOUSAND))).counts == {"read": 1000, "unchanged": 1000}
