"""What can be read over HTTP, and by whom."""

import json
import logging

import pytest

from dataforge.logs import formatter
from ingest.models import Batch, RejectedRecord
from tests.support.api.client import ApiClient, Json, client_of
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


@pytest.fixture
def two_batches(api: ApiClient) -> None:
    """A batch that was accepted, and one that was rejected."""
    api.post(one_table("sellers", record("sellers")))
    api.post(one_table("customers", record("customers", customer_id="x")))


@pytest.mark.usefixtures("two_batches")
def test_batches_are_listed_newest_first(api: ApiClient) -> None:
    found = [batch["status"] for batch in api.get("/api/v1/batches/").json["results"]]
    assert found == ["rejected", "accepted"]


@pytest.mark.usefixtures("two_batches")
@pytest.mark.parametrize(
    ("narrowing", "count"),
    [
        ("status=rejected", 1),
        ("table=sellers", 1),
        ("table=orders", 0),
        ("origin=load", 0),
        ("since=2020-01-01T00:00:00Z&until=2021-01-01T00:00:00Z", 0),
    ],
)
def test_batches_are_narrowed_by_filters(api: ApiClient, narrowing: str, count: int) -> None:
    assert len(api.get(f"/api/v1/batches/?{narrowing}").json["results"]) == count


@pytest.fixture
def two_sellers_refused(api: ApiClient) -> str:
    """The number of a batch with two of three rejects."""
    posted = api.post(one_table("sellers", record("sellers", seller_id="x"), record("sellers", seller_state="XX")))
    api.post(one_table("customers", record("customers", customer_state="XX")))
    number: str = posted.json["id"]
    return number


@pytest.mark.parametrize(
    ("narrowing", "count"),
    [
        ("", 3),
        ("table=sellers", 2),
        ("code=invalid_choice", 2),
        ("code=invalid_choice&table=sellers", 1),
        ("status=open", 3),
        ("status=dismissed", 0),
        ("batch={batch}", 2),
        ("since=2020-01-01T00:00:00Z", 3),
        ("until=2020-01-01T00:00:00Z", 0),
    ],
)
def test_rejects_are_narrowed_by_table_code_status_batch_and_time(
    api: ApiClient, two_sellers_refused: str, narrowing: str, count: int
) -> None:
    path = f"/api/v1/rejects/?{narrowing.format(batch=two_sellers_refused)}"
    assert len(api.get(path).json["results"]) == count


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


@pytest.fixture
def listed(api: ApiClient) -> Json:
    """A reject that was not even UTF-8, as the list shows it."""
    api.post(b'{"table": "sellers", "records": [{"seller_id": "\xff"}]}')
    (found,) = api.get("/api/v1/rejects/").json["results"]
    return dict(found)


def test_a_reject_shows_its_exact_text_and_why(listed: Json) -> None:
    assert listed["raw"] == r'{"seller_id": "\xff"}'
    assert [reason["code"] for reason in listed["reasons"]] == ["encoding"]


def test_a_reject_alone_is_shown_as_in_the_list(api: ApiClient, listed: Json) -> None:
    assert api.get(f"/api/v1/rejects/{listed['id']}/").json == listed


@pytest.mark.parametrize(
    "path", ["batches/?colour=red", "rejects/?status=lost", "rejects/?batch=1", "batches/?since=x"]
)
def test_a_parameter_that_means_nothing_is_refused_by_name(api: ApiClient, path: str) -> None:
    answer = api.get(f"/api/v1/{path}")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert set(answer.json["errors"]) == {path.split("?")[1].split("=", maxsplit=1)[0]}


@pytest.fixture
def of_sellers(api: ApiClient) -> str:
    """The number of a batch of sellers only."""
    answer = api.post(one_table("sellers", record("sellers", seller_id="x")))
    return str(answer.json["id"])


@pytest.fixture
def of_both(api: ApiClient) -> str:
    """The address of a batch of sellers and customers."""
    answer = api.post({"records": [tagged("sellers", seller_state="XX"), tagged("customers", customer_state="XX")]})
    return answer.headers["Location"]


@pytest.fixture
def viewer() -> ApiClient:
    """One who may view sellers and nothing else."""
    return client_of("viewer", rights={"seller": ("view",)})


@pytest.mark.usefixtures("of_both")
def test_a_person_sees_only_batches_of_tables_that_they_may_view(viewer: ApiClient, of_sellers: str) -> None:
    assert [batch["id"] for batch in viewer.get("/api/v1/batches/").json["results"]] == [of_sellers]


def test_a_batch_with_a_table_that_one_may_not_view_is_not_found(viewer: ApiClient, of_both: str) -> None:
    assert viewer.get(of_both).status == 404


@pytest.mark.usefixtures("of_sellers", "of_both")
def test_a_person_sees_only_rejects_of_tables_that_they_may_view(viewer: ApiClient) -> None:
    assert {reject["table"] for reject in viewer.get("/api/v1/rejects/").json["results"]} == {"sellers"}


@pytest.mark.usefixtures("of_both")
def test_a_reject_of_a_table_that_one_may_not_view_is_not_found(viewer: ApiClient) -> None:
    hidden = RejectedRecord.objects.get(table="customers")
    assert viewer.get(f"/api/v1/rejects/{hidden.pk}/").status == 404


def test_a_person_sees_only_tables_that_they_may_view(viewer: ApiClient) -> None:
    assert [table["table"] for table in viewer.get("/api/v1/tables/").json["results"]] == ["sellers"]


def test_a_table_that_one_may_not_view_is_not_found(viewer: ApiClient) -> None:
    assert viewer.get("/api/v1/tables/customers/").status == 404


@pytest.fixture
def sender(api: ApiClient) -> ApiClient:
    """One who may add sellers and nothing else, beside a batch of somebody else."""
    api.post(one_table("sellers", record("sellers")))
    return client_of(rights={"seller": ("add",)})


def test_a_sender_may_read_their_own_batches_and_no_others(sender: ApiClient) -> None:
    mine = sender.post(one_table("sellers", record("sellers", seller_id=hex_id(2))))
    assert mine.status == 201
    assert [batch["id"] for batch in sender.get("/api/v1/batches/").json["results"]] == [mine.json["id"]]


def test_a_sender_may_read_no_rejects(sender: ApiClient) -> None:
    sender.post(one_table("sellers", record("sellers", seller_state="XX")))
    assert sender.get("/api/v1/rejects/").json["results"] == []


@pytest.fixture
def of_orders(api: ApiClient) -> ApiClient:
    """A service that may add orders, and view the customer that is there."""
    api.post(one_table("customers", record("customers")))
    return client_of(rights={"order": ("add",), "customer": ("view",)})


def test_a_service_user_writes_its_table(of_orders: ApiClient) -> None:
    assert of_orders.post(one_table("orders", record("orders"))).status == 201
    assert Batch.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "table", "right"),
    [
        (one_table("customers", record("customers")), "customers", "add"),
        ({"records": [tagged("orders"), tagged("order_items")]}, "order_items", "add"),
        (one_table("orders", record("orders"), on_conflict="update"), "orders", "change"),
    ],
)
def test_a_service_user_writes_no_table_but_its_own(of_orders: ApiClient, body: Json, table: str, right: str) -> None:
    answer = of_orders.post(body)
    assert (answer.status, answer.json["table"], answer.json["permission"]) == (403, table, right)
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("table", list(PLAIN))
def test_a_table_is_shown_with_all_its_columns_and_its_rows(api: ApiClient, table: str) -> None:
    shown = api.get(f"/api/v1/tables/{table}/").json
    assert (shown["rows"], shown["rows_exact"]) == (0, True)
    assert set(shown["schema"]["properties"]) == set(PLAIN[table]) == set(shown["rules"])


@pytest.mark.parametrize("table", list(PLAIN))
def test_the_example_of_every_table_is_really_accepted(api: ApiClient, table: str) -> None:
    example = api.get(f"/api/v1/tables/{table}/").json["example"]
    answer = api.post(example)
    assert (answer.status, answer.counts["inserted"]) == (201, len(example["records"]))
    assert api.get(f"/api/v1/tables/{table}/").json["rows"] == 1


def test_the_id_of_a_request_is_in_its_answer_and_in_the_log_of_its_batch(
    api: ApiClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caplog.handler, "formatter", formatter(development=False))  # a handler of all tests
    with caplog.at_level(logging.INFO, "ingest.api.batches"):
        answer = api.post(one_table("sellers", record("sellers")), X_Request_ID="night-run-0007")
    assert answer.headers["X-Request-ID"] == "night-run-0007"
    line = json.loads(caplog.text.splitlines()[0])
    assert (line["request_id"], line["event"], line["batch"]) == ("night-run-0007", "batch", answer.json["id"])
    assert (line["token"], line["status"], line["counts"]) == ("test", "accepted", answer.json["counts"])
    assert 0 < line["seconds"] < 60
    assert hex_id(1) not in caplog.text


def test_an_id_that_cannot_be_one_is_replaced(api: ApiClient) -> None:
    assert api.post(b"{", X_Request_ID="bad\tid").json["request_id"] != "bad\tid"
