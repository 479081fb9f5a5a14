"""Bodies as clients write them: CSV, NDJSON, gzipped, and what an update leaves out of them."""

import gzip
import json

import pytest

from ingest.models import RejectedRecord
from tests.support.api.client import ApiClient
from tests.support.api.parcels import one_table, record
from tests.support.loading.loads import hex_id, query

pytestmark = pytest.mark.django_db


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
