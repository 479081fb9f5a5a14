"""What a sender is told of a table that they may not view: that a key is taken, and nothing of what stands there."""

from typing import Any

import pytest

from ingest.models import Batch, RejectedRecord
from tests.support.api.client import Answered, ApiClient, Json, client_of
from tests.support.api.parcels import one_table, record, tagged
from tests.support.loading.loads import query

pytestmark = pytest.mark.django_db
OTHER = one_table("sellers", record("sellers", seller_city="santos"))
TAKEN = "A record with this key is stored with other content."
DIFFERS = f"{TAKEN[:-1]}; different: seller_city."


@pytest.fixture
def stored_seller(api: ApiClient) -> None:
    """A seller that somebody else sent."""
    api.post(one_table("sellers", record("sellers")))


def sender(*rights: str, name: str = "till") -> ApiClient:
    return client_of(name, rights={"seller": rights})


def message(answer: Answered) -> str:
    ((reason,),) = [result["reasons"] for result in answer.json["results"]]
    assert reason["code"] == "unique"
    return str(reason["message"])


@pytest.mark.usefixtures("stored_seller")
@pytest.mark.parametrize("options", [{}, {"dry_run": True}, {"results": "all"}])
@pytest.mark.parametrize(
    ("rights", "said"),
    [(("add",), TAKEN), (("add", "change", "delete"), TAKEN), (("add", "view"), DIFFERS)],
)
def test_which_columns_differ_is_told_to_those_who_may_view_the_table(
    rights: tuple[str, ...], said: str, options: Json
) -> None:
    assert message(sender(*rights).post({**OTHER, **options})) == said


@pytest.mark.usefixtures("stored_seller")
def test_the_reject_keeps_the_whole_reason_for_those_who_may_view_the_table(api: ApiClient) -> None:
    number = sender("add").post(OTHER).json["results"][0]["reject_id"]
    assert [reason["message"] for reason in api.get(f"/api/v1/rejects/{number}/").json["reasons"]] == [DIFFERS]


@pytest.mark.usefixtures("stored_seller")
def test_the_answer_kept_under_a_key_says_no_more_than_the_first(api: ApiClient) -> None:
    till = sender("add")
    first, again = (till.post(OTHER, Idempotency_Key="k") for _ in range(2))
    assert (again.headers["Idempotency-Replayed"], again.text) == ("true", first.text)
    assert "seller_city" not in again.text


@pytest.mark.usefixtures("stored_seller")
def test_in_a_batch_of_several_tables_each_reason_is_told_by_the_rights_to_its_table(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers")))
    till = client_of("till", rights={"seller": ("add",), "customer": ("add", "view")})
    answer = till.post(
        {"records": [tagged("sellers", seller_city="santos"), tagged("customers", customer_city="santos")]}
    )
    told = {result["table"]: result["reasons"][0]["message"] for result in answer.json["results"]}
    assert told == {"sellers": TAKEN, "customers": f"{TAKEN[:-1]}; different: customer_city."}


def test_a_clash_within_the_batch_is_told_to_everybody() -> None:
    answer = sender("add").post(one_table("sellers", record("sellers"), record("sellers", seller_city="santos")))
    assert "came earlier in the same batch" in message(answer)


def test_the_words_of_postgresql_are_told_to_those_who_may_view_the_table() -> None:
    query(
        "create function refuse() returns trigger language plpgsql as"
        " $$begin raise integrity_constraint_violation using message = 'the other one has 17 left'; end$$"
    )
    query("create trigger refuse before insert on olist_sellers for each row execute function refuse()")
    body = one_table("sellers", record("sellers"))
    blind, seeing = sender("add").post(body), sender("add", "view", name="clerk").post(body)
    assert [answer.codes for answer in (blind, seeing)] == [[(0, None, "database")]] * 2
    assert ("17 left" in blind.text, "17 left" in seeing.text) == (False, True)
    assert RejectedRecord.objects.get().reasons[0]["message"] == "the other one has 17 left"


@pytest.mark.usefixtures("stored_seller")
@pytest.mark.parametrize(
    ("rights", "rows"), [(("add",), (None, None)), (("change",), (None, None)), (("view",), (1, True))]
)
def test_the_rows_of_a_table_are_counted_for_those_who_may_view_it(
    rights: tuple[str, ...], rows: tuple[Any, ...]
) -> None:
    shown = sender(*rights).get("/api/v1/tables/sellers/").json
    assert (shown["rows"], shown["rows_exact"]) == rows
    assert shown["table"] == "sellers"


def test_a_parent_s_reject_is_named_to_those_who_may_view_it(api: ApiClient) -> None:
    api.post({"records": [tagged("customers", customer_state="XX"), tagged("orders")]})
    customer, order = (RejectedRecord.objects.get(table=table) for table in ("customers", "orders"))
    assert order.parent_id == customer.pk
    clerk = client_of("clerk", rights={"order": ("view",)})
    shown = {who: who.get(f"/api/v1/rejects/{order.pk}/").json["parent"] for who in (api, clerk)}
    assert shown == {api: str(customer.pk), clerk: None}


def test_the_batch_that_caused_another_is_named_to_those_who_may_view_it(api: ApiClient) -> None:
    cause, effect = (api.post(one_table(table, record(table))).json["id"] for table in ("customers", "sellers"))
    Batch.objects.filter(pk=effect).update(caused_by=cause)
    clerk = client_of("clerk", rights={"seller": ("view",)})
    shown = {who: who.get(f"/api/v1/batches/{effect}/").json["caused_by"] for who in (api, clerk)}
    assert shown == {api: cause, clerk: None}


@pytest.mark.parametrize(("tables", "status"), [(["sellers"], 200), (["sellers", "customers"], 404), (None, 404)])
def test_a_load_that_has_no_account_yet_is_seen_by_those_who_may_view_its_tables(
    tables: list[str] | None, status: int
) -> None:
    options = {} if tables is None else {"tables": tables}
    batch = Batch.objects.create(origin="load", status="running", app_version="1", options=options)
    assert sender("view").get(f"/api/v1/batches/{batch.pk}/").status == status
