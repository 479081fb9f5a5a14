"""Zones over HTTP are meant, unless the request says of its CSV that they are stamps on wall-clock times."""

import json
from typing import Any

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.api.client import ApiClient, trusted
from tests.support.loading.loads import PLAIN, hex_id, order_moments, query

pytestmark = pytest.mark.django_db

COLUMN = "order_purchase_timestamp"
ORDERS = "/api/v1/batches/?table=orders"


@pytest.fixture
def api() -> ApiClient:
    """A client that may do everything, and has posted a customer."""
    client = trusted()
    client.post({"table": "customers", "records": [PLAIN["customers"]]})
    return client


def body(*times: str, **change: str) -> str:
    orders = ({**PLAIN["orders"], "order_id": hex_id(n), COLUMN: time, **change} for n, time in enumerate(times))
    return "\n".join([",".join(PLAIN["orders"]), *(",".join(order.values()) for order in orders)])


def stored() -> list[str]:
    return order_moments("order_purchase_timestamp")


def test_zones_of_csv_are_taken_off_where_the_request_says_so(api: ApiClient) -> None:
    answer = api.post(body("2018-02-01T10:00:00Z", "2018-02-01"), to=f"{ORDERS}&times=wall", kind="text/csv")
    assert (answer.status, answer.counts) == (207, {"read": 2, "inserted": 1, "rejected": 1})
    assert answer.json["tables"]["orders"]["repaired"] == {"wall_time": 1}
    assert stored() == ["2018-02-01 10:00:00"]
    sign = Account.objects.get(table="orders").signs["times"]
    assert (sign["value"], sign["evidence"]) == ("wall", "asked for by ?times=")


@pytest.mark.parametrize("said", ["", "&times=instant"])
def test_zones_of_csv_are_meant_otherwise(said: str, api: ApiClient) -> None:
    api.post(body("2018-02-01T10:00:00Z", "2018-02-01 10:00:00+00"), to=f"{ORDERS}{said}", kind="text/csv")
    assert stored() == ["2018-02-01 08:00:00"] * 2  # summer in Brazil


def test_a_reject_of_such_a_body_is_replayed_by_what_its_request_said(api: ApiClient) -> None:
    orphan = body("2018-02-01T10:00:00Z", customer_id=hex_id(7))
    assert api.post(orphan, to=f"{ORDERS}&times=wall", kind="text/csv").status == 422
    query("update olist_customers set customer_id = %s", hex_id(7))
    assert api.post("", to=f"/api/v1/rejects/{RejectedRecord.objects.get().pk}/replay/").status == 201
    assert stored() == ["2018-02-01 10:00:00"]


def test_a_table_without_times_takes_no_notice(api: ApiClient) -> None:
    seller = PLAIN["sellers"]
    text = "\n".join([",".join(seller), ",".join(seller.values())])
    assert api.post(text, to="/api/v1/batches/?table=sellers&times=wall", kind="text/csv").status == 201
    assert Account.objects.get(table="sellers").signs == {}


@pytest.mark.parametrize("said", ["utc", "", "WALL", "wall&times=wall"])
def test_another_answer_is_a_fault_of_the_request(said: str, api: ApiClient) -> None:
    answer = api.post(body("2018-02-01T10:00:00Z"), to=f"{ORDERS}&times={said}", kind="text/csv")
    assert (answer.status, "times" in answer.text) == (400, True)
    assert not stored()


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_json_says_what_it_means_by_itself(kind: str, api: ApiClient) -> None:
    record: dict[str, Any] = {**PLAIN["orders"], COLUMN: "2018-02-01T10:00:00Z"}
    line = kind == "application/x-ndjson"
    text = json.dumps(record if line else {"table": "orders", "records": [record]})
    answer = api.post(text, to=f"{ORDERS}&times=wall" if line else "/api/v1/batches/?times=wall", kind=kind)
    assert (answer.status, "times" in answer.text) == (400, True)
    named = api.post({"table": "orders", "records": [record], "times": "wall"})
    assert (named.status, "There is no such member." in named.text) == (400, True)


def test_the_published_schema_names_the_parameter(api: ApiClient) -> None:
    schema = api.get("/api/schema/?format=json").json
    (times,) = [p for p in schema["paths"]["/api/v1/batches/"]["post"]["parameters"] if p["name"] == "times"]
    assert times["schema"]["enum"] == ["wall", "instant"]
