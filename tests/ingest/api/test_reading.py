"""What can be read over HTTP, and by whom."""

import json
import logging

import pytest

from dataforge.logs import formatter
from ingest.models import Batch, RejectedRecord
from tests.support.api.client import ApiClient, client_of
from tests.support.api.parcels import one_table, record, tagged
from tests.support.loading.loads import PLAIN, hex_id

pytestmark = pytest.mark.django_db


def test_a_batch_can_be_read_where_its_answer_says(api: ApiClient) -> None:
    posted = api.post({"records": [tagged("customers"), tagged("orders", order_status="x")]})
    batch = api.get(posted.headers["Location"]).json
    assert (batch["id"], batch["status"], batch["origin"], batch["user"]) == (
        posted.json["id"],
        "partial",
        "api",
        "root",
    )
    assert batch["counts"] == posted.json["counts"]
    assert {name: (t["read"], t["rejected"]) for name, t in batch["tables"].items()} == {
        "customers": (1, 0),
        "orders": (1, 1),
    }


def test_batches_are_listed_newest_first_and_narrowed_by_filters(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    api.post(one_table("customers", record("customers", customer_id="x")))
    found = [batch["status"] for batch in api.get("/api/v1/batches/").json["results"]]
    assert found == ["rejected", "accepted"]
    for narrowing, count in (
        ("status=rejected", 1),
        ("table=sellers", 1),
        ("table=orders", 0),
        ("origin=load", 0),
        ("since=2020-01-01T00:00:00Z&until=2021-01-01T00:00:00Z", 0),
    ):
        assert len(api.get(f"/api/v1/batches/?{narrowing}").json["results"]) == count, narrowing


def test_rejects_are_narrowed_by_table_code_status_batch_and_time(api: ApiClient) -> None:
    posted = api.post(one_table("sellers", record("sellers", seller_id="x"), record("sellers", seller_state="XX")))
    api.post(one_table("customers", record("customers", customer_state="XX")))
    for narrowing, count in (
        ("", 3),
        ("table=sellers", 2),
        ("code=invalid_choice", 2),
        ("code=invalid_choice&table=sellers", 1),
        ("status=open", 3),
        ("status=dismissed", 0),
        (f"batch={posted.json['id']}", 2),
        ("since=2020-01-01T00:00:00Z", 3),
        ("until=2020-01-01T00:00:00Z", 0),
    ):
        assert len(api.get(f"/api/v1/rejects/?{narrowing}").json["results"]) == count, narrowing


def test_rejects_come_in_pages_that_new_ones_do_not_shift(api: ApiClient) -> None:
    def post(numbers: range) -> None:
        records = [record("sellers", seller_id=hex_id(number), seller_state="XX") for number in numbers]
        api.post(one_table("sellers", *records))

    post(range(150))
    first = api.get("/api/v1/rejects/").json
    post(range(150, 200))
    second = api.get(first["next"].removeprefix("https://testserver")).json
    seen = [reject["id"] for page in (first, second) for reject in page["results"]]
    assert len(set(seen)) == len(seen) == 150
    assert second["next"] is None


def test_a_reject_shows_its_exact_text_and_why(api: ApiClient) -> None:
    api.post(b'{"table": "sellers", "records": [{"seller_id": "\xff"}]}')
    (listed,) = api.get("/api/v1/rejects/").json["results"]
    shown = api.get(f"/api/v1/rejects/{listed['id']}/").json
    assert shown == listed
    assert shown["raw"] == r'{"seller_id": "\xff"}'
    assert [reason["code"] for reason in shown["reasons"]] == ["encoding"]


@pytest.mark.parametrize(
    "path", ["batches/?colour=red", "rejects/?status=lost", "rejects/?batch=1", "batches/?since=x"]
)
def test_a_parameter_that_means_nothing_is_refused_by_name(api: ApiClient, path: str) -> None:
    answer = api.get(f"/api/v1/{path}")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert set(answer.json["errors"]) == {path.split("?")[1].split("=", maxsplit=1)[0]}


def test_a_person_sees_only_what_belongs_to_tables_that_they_may_view(api: ApiClient) -> None:
    sellers = api.post(one_table("sellers", record("sellers", seller_id="x")))
    both = api.post({"records": [tagged("sellers", seller_state="XX"), tagged("customers", customer_state="XX")]})
    viewer = client_of("viewer", rights={"seller": ("view",)})
    assert [b["id"] for b in viewer.get("/api/v1/batches/").json["results"]] == [sellers.json["id"]]
    assert viewer.get(both.headers["Location"]).status == 404
    assert {r["table"] for r in viewer.get("/api/v1/rejects/").json["results"]} == {"sellers"}
    hidden = RejectedRecord.objects.get(table="customers")
    assert viewer.get(f"/api/v1/rejects/{hidden.pk}/").status == 404
    assert [t["table"] for t in viewer.get("/api/v1/tables/").json["results"]] == ["sellers"]
    assert viewer.get("/api/v1/tables/customers/").status == 404


def test_a_sender_may_read_their_own_batches_and_nothing_else(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    till = client_of(rights={"seller": ("add",)})
    mine = till.post(one_table("sellers", record("sellers", seller_id=hex_id(2))))
    assert mine.status == 201
    assert [b["id"] for b in till.get("/api/v1/batches/").json["results"]] == [mine.json["id"]]
    assert till.get("/api/v1/rejects/").json["results"] == []


def test_a_service_user_writes_its_table_and_no_other(api: ApiClient) -> None:
    till = client_of(rights={"order": ("add",), "customer": ("view",)})
    api.post(one_table("customers", record("customers")))
    assert till.post(one_table("orders", record("orders"))).status == 201
    for body, table, right in (
        (one_table("customers", record("customers")), "customers", "add"),
        ({"records": [tagged("orders"), tagged("order_items")]}, "order_items", "add"),
        (one_table("orders", record("orders"), on_conflict="update"), "orders", "change"),
    ):
        answer = till.post(body)
        assert (answer.status, answer.json["table"], answer.json["permission"]) == (403, table, right)
    assert Batch.objects.count() == 2


@pytest.mark.parametrize("table", list(PLAIN))
def test_the_example_of_every_table_is_really_accepted(api: ApiClient, table: str) -> None:
    shown = api.get(f"/api/v1/tables/{table}/").json
    assert (shown["rows"], shown["rows_exact"]) == (0, True)
    answer = api.post(shown["example"])
    assert (answer.status, answer.counts["inserted"]) == (201, len(shown["example"]["records"]))
    after = api.get(f"/api/v1/tables/{table}/").json
    assert after["rows"] == 1
    assert set(after["schema"]["properties"]) == set(PLAIN[table]) == set(after["rules"])


def test_the_id_of_a_request_is_in_its_answer_and_in_the_log_of_its_batch(
    api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(formatter(development=False))
    with caplog.at_level(logging.INFO, "ingest.api.batches"):
        answer = api.post(one_table("sellers", record("sellers")), X_Request_ID="night-run-0007")
    assert answer.headers["X-Request-ID"] == "night-run-0007"
    line = json.loads(caplog.text.splitlines()[0])
    assert (line["request_id"], line["event"], line["batch"]) == ("night-run-0007", "batch", answer.json["id"])
    assert (line["token"], line["status"], line["counts"]) == ("test", "accepted", answer.json["counts"])
    assert 0 < line["seconds"] < 60
    assert hex_id(1) not in caplog.text
    assert api.post(b"{", X_Request_ID="bad\tid").json["request_id"] != "bad\tid"
