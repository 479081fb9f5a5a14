"""Locks that are held, lost connections, rows that only PostgreSQL refuses: a clear answer, and nothing half done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from access.models import IdempotencyKey
from core.errors import EmbeddedPostgresFailed
from core.postgres.locks.held_locks import exclusive
from core.postgres.retry import in_transaction
from ingest.models import Batch, RejectedRecord
from ingest.posting import post as posting_module
from ingest.replaying import heal
from ingest.tables.write_rows import culprits
from tests.support.api.client import Answered, ApiClient, Json
from tests.support.api.parcels import assert_accounts_exact, one_table, record, stored, tagged
from tests.support.loading.loads import hex_id, nothing_stored, query
from tests.support.postgres.sabotage import rule_by_hand, sabotage
from tests.support.postgres.sessions import aside, transaction_elsewhere, wait_for_waiting

pytestmark = pytest.mark.usefixtures("committed")
FAMILY = [tagged("orders"), tagged("customers")]


@pytest.fixture
def impatient() -> Iterator[None]:
    """Wait for locks only as long as a test has time for."""
    with (
        mock.patch.dict(in_transaction.__kwdefaults__, lock_timeout_seconds=0.2),
        mock.patch.object(posting_module, "SHARE_TIMEOUT_SECONDS", 0.2),
    ):
        yield


def assert_unavailable(answer: Answered) -> None:
    """Assert that the answer is a 503, and says nothing of how the service is built."""
    assert (answer.status, answer.json["code"]) == (503, "unavailable"), answer
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"]) == "5"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not any(word in answer.text.lower() for word in ("select", "insert", "psycopg", "/", "traceback"))


# A parent between check and write


def test_a_parent_cannot_be_deleted_between_check_and_write(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers")))

    def delete() -> str:
        with transaction_elsewhere() as cursor:
            cursor.execute("delete from olist_customers")
            try:
                cursor.execute("set constraints all immediate")
            except Exception as error:
                return str(error)
        return "deleted"

    bad = tagged("sellers", seller_id="x")  # without it, nothing is asked, and PostgreSQL alone would see to it
    checked = [bad, tagged("orders"), tagged("order_payments")]
    with transaction_elsewhere() as other:
        other.execute("lock table olist_order_payments in exclusive mode")  # lets the batch check, and not write
        with aside(partial(api.post, {"records": checked})) as (posting,):
            wait_for_waiting()
            with aside(delete) as (deleting,):
                wait_for_waiting(2)
                other.connection.commit()
                assert "violates foreign key constraint" in deleting.result()
            assert posting.result().counts == {"read": 3, "inserted": 2, "rejected": 1}
    assert stored("customers") == stored("orders") == 1


def test_a_parent_that_is_being_deleted_is_waited_for_and_then_missing(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers")))
    with transaction_elsewhere() as other:
        other.execute("delete from olist_customers")
        with aside(partial(api.post, one_table("orders", record("orders")))) as (posting,):
            wait_for_waiting()
            other.connection.commit()
            answer = posting.result()
    assert (answer.status, answer.codes) == (422, [(0, "customer_id", "does_not_exist")])
    assert RejectedRecord.objects.get().waits_for == [f"customers/{hex_id(1)}"]


# Tables that are held


@contextmanager
def held_by_a_restore(table: str) -> Iterator[None]:
    holder = connection.copy()
    try:
        with exclusive(holder, [table], what="restore", timeout_seconds=1):
            yield
    finally:
        holder.close()


BAD_ORDER = one_table("orders", record("orders", order_id="x"))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("table", ["olist_orders", "olist_customers"])
def test_a_load_or_restore_that_holds_a_table_or_its_parent_gives_503_and_nothing_is_kept(
    api: ApiClient, table: str
) -> None:
    with held_by_a_restore(table):
        assert_unavailable(api.post(BAD_ORDER, Idempotency_Key="k"))
        assert nothing_stored()
    assert api.post(BAD_ORDER, Idempotency_Key="k").status == 422


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("table", ["olist_orders", "olist_customers"])
def test_a_batch_of_another_table_goes_on_beside_a_restore(api: ApiClient, table: str) -> None:
    with held_by_a_restore(table):
        assert api.post(one_table("sellers", record("sellers"))).status == 201


@pytest.fixture
def held_geolocation(committed: None) -> Iterator[None]:
    with transaction_elsewhere() as other:
        other.execute("lock table olist_geolocation in access exclusive mode")
        yield


@pytest.mark.usefixtures("held_geolocation")
def test_whoever_asks_for_a_table_that_is_held_is_told_so_and_does_not_wait(api: ApiClient) -> None:
    begun = time.monotonic()
    assert_unavailable(api.get("/api/v1/tables/geolocation/"))
    assert time.monotonic() - begun < 4


@pytest.mark.usefixtures("held_geolocation")
def test_whoever_asks_for_another_table_than_the_one_that_is_held_is_answered(api: ApiClient) -> None:
    assert api.get("/api/v1/tables/sellers/").status == 200


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("table", ["olist_customers", "olist_orders", "ingest_rejectedrecord", "ingest_batch"])
def test_a_lock_that_is_held_too_long_gives_503_and_nothing_is_kept(api: ApiClient, table: str) -> None:
    batch = {"records": [*FAMILY, tagged("sellers", seller_id="x")]}
    with transaction_elsewhere() as other:
        other.execute(f"lock table {table} in access exclusive mode")
        answer = api.post(batch, Idempotency_Key="k")
    assert_unavailable(answer)
    assert nothing_stored()
    assert api.post(batch, Idempotency_Key="k").counts == {"read": 3, "inserted": 2, "rejected": 1}


# A database that is lost


@pytest.mark.parametrize("table", ["olist_orders", "ingest_rejectedrecord", "ingest_account", "access_idempotencykey"])
def test_a_connection_lost_half_way_gives_503_and_the_next_request_succeeds(api: ApiClient, table: str) -> None:
    batch = {"records": [*FAMILY, tagged("sellers", seller_id="x")]}
    with sabotage(table, "perform pg_terminate_backend(pg_backend_pid());"):
        assert_unavailable(api.post(batch, Idempotency_Key="k"))
    assert nothing_stored()
    assert api.post(batch, Idempotency_Key="k").counts == {"read": 3, "inserted": 2, "rejected": 1}


STATES = ("53100", "53200", "57014", "57P01", "57P03", "25006")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("table", ["olist_orders", "access_counter"])
def test_a_server_that_cannot_go_on_gives_503(api: ApiClient, state: str, table: str) -> None:
    with sabotage(table, f"raise exception 'select it from /somewhere' using errcode = '{state}';"):
        assert_unavailable(api.post({"records": FAMILY}, Idempotency_Key="k"))
    assert nothing_stored()
    assert api.post({"records": FAMILY}, Idempotency_Key="k").status == 201


def test_an_embedded_server_that_does_not_start_gives_503_without_its_folder(api: ApiClient) -> None:
    failure = EmbeddedPostgresFailed(folder="/somewhere", problem="it did not start", remedy="See its log.")
    with mock.patch.object(BaseDatabaseWrapper, "cursor", side_effect=failure):
        assert_unavailable(api.post({"records": FAMILY}))


# Rows that only PostgreSQL refuses

NO_ATLANTIS = "check (customer_city <> 'atlantis')"


def family(number: int, *, group: str | None = None, city: str = "rio") -> list[Json]:
    """Return a customer with an order and its payment."""
    key = hex_id(number)
    return [
        tagged("order_payments", order_id=key, group=group),
        tagged("orders", order_id=key, customer_id=key, group=group),
        tagged("customers", customer_id=key, customer_city=city, group=group),
    ]


@pytest.fixture
def atlantis(committed: None, api: ApiClient) -> Answered:
    """The answer to three families, of which the database refuses the second's customer."""
    with rule_by_hand("customers", NO_ATLANTIS):
        return api.post({"records": [*family(1), *family(2, city="atlantis"), *family(3)], "results": "all"})


def test_a_row_that_only_the_database_refuses_is_a_reject(atlantis: Answered) -> None:
    assert (atlantis.status, atlantis.counts) == (207, {"read": 9, "inserted": 6, "rejected": 3})
    assert atlantis.codes == [
        (3, "order_id", "parent_rejected"),
        (4, "customer_id", "parent_rejected"),
        (5, None, "database"),
    ]
    assert atlantis.json["results"][5]["reasons"][0]["constraint"] == "by_hand"
    assert stored("customers") == stored("orders") == stored("order_payments") == 2
    assert_accounts_exact()


@pytest.mark.usefixtures("atlantis")
def test_a_row_that_only_the_database_refuses_is_the_parent_of_its_childrens_rejects() -> None:
    payment, order, customer = (RejectedRecord.objects.get(position=position) for position in (3, 4, 5))
    assert (payment.parent, order.parent, customer.parent) == (order, customer, None)


def test_rows_that_only_the_database_refuses_at_every_level_are_all_found(api: ApiClient) -> None:
    records = [record_ for number in range(1, 30) for record_ in family(number)]
    records[4]["data"]["order_status"] = "canceled"
    records[15]["data"]["payment_value"] = "666.00"
    records[26]["data"]["customer_city"] = "atlantis"
    with (
        rule_by_hand("customers", NO_ATLANTIS),
        rule_by_hand("orders", "check (order_status <> 'canceled')"),
        rule_by_hand("order_payments", "check (payment_value <> 666)"),
    ):
        answer = api.post({"records": records})
    assert [(index, code) for index, _, code in answer.codes] == [
        (3, "parent_rejected"),
        (4, "database"),
        (15, "database"),
        (24, "parent_rejected"),
        (25, "parent_rejected"),
        (26, "database"),
    ]
    assert answer.counts == {"read": 87, "inserted": 81, "rejected": 6}
    assert_accounts_exact()


def test_a_group_falls_with_a_row_that_only_the_database_refuses(api: ApiClient) -> None:
    records = [*family(1, group="a"), *family(2, group="b", city="atlantis"), tagged("sellers", group="b")]
    with rule_by_hand("customers", NO_ATLANTIS):
        answer = api.post({"records": records})
    assert answer.counts == {"read": 7, "inserted": 3, "rejected": 4}
    assert {index: code for index, _, code in answer.codes} == {
        3: "parent_rejected",
        4: "parent_rejected",
        5: "database",
        6: "group_rejected",
    }
    assert (stored("customers"), stored("orders"), stored("sellers")) == (1, 1, 0)
    assert_accounts_exact()


def test_an_atomic_batch_falls_with_a_row_that_only_the_database_refuses(api: ApiClient) -> None:
    with rule_by_hand("customers", NO_ATLANTIS):
        answer = api.post({"records": family(3) + family(4, city="atlantis"), "mode": "atomic"})
    assert (answer.status, answer.counts) == (422, {"read": 6, "rejected": 3, "rolled_back": 3})
    assert stored("customers") == stored("orders") == 0
    assert_accounts_exact()


def test_an_update_that_only_the_database_refuses_is_a_reject(api: ApiClient) -> None:
    api.post({"records": [*family(1), *family(2)]})
    changed = [*family(1, city="atlantis"), *family(2, city="santos"), *family(3, city="atlantis")]
    with rule_by_hand("customers", NO_ATLANTIS):
        answer = api.post({"records": changed, "on_conflict": "update"})
    assert answer.counts == {"read": 9, "updated": 1, "unchanged": 4, "rejected": 4}
    assert [(index, code) for index, _, code in answer.codes] == [
        (2, "database"),
        (6, "parent_rejected"),
        (7, "parent_rejected"),
        (8, "database"),
    ]
    assert query("select customer_city from olist_customers order by customer_id") == [("rio",), ("santos",)]


def test_a_unique_constraint_by_hand_refuses_one_of_two_rows(api: ApiClient) -> None:
    with rule_by_hand("sellers", "unique (seller_city)"):
        cities = ["rio", "santos", "rio"]
        records = [record("sellers", seller_id=hex_id(n), seller_city=city) for n, city in enumerate(cities)]
        answer = api.post(one_table("sellers", *records))
        assert (answer.counts, answer.codes) == ({"read": 3, "inserted": 2, "rejected": 1}, [(2, None, "database")])


def test_a_key_that_comes_in_while_culprits_are_sought_is_none_of_them(api: ApiClient) -> None:
    records = [record("customers", customer_id=hex_id(number)) for number in range(1, 5)]
    records[1]["customer_city"] = "atlantis"

    def overtaken(*arguments: object) -> object:
        with transaction_elsewhere() as other:
            row = ["customer_id", "customer_unique_id", "customer_zip_code_prefix", "customer_city", "customer_state"]
            other.execute("insert into olist_customers values (%s, %s, %s, %s, %s)", [records[3][name] for name in row])
            other.connection.commit()
        return culprits(*arguments)  # type: ignore[arg-type]

    with rule_by_hand("customers", NO_ATLANTIS), mock.patch.object(posting_module, "culprits", side_effect=overtaken):
        answer = api.post(one_table("customers", *records))
    assert answer.codes == [(1, None, "database")]
    assert answer.counts == {"read": 4, "inserted": 2, "unchanged": 1, "rejected": 1}


class Sacrificed(Exception):
    """What psycopg2 raises for it, whose code nobody else can set."""

    pgcode = "40P01"


def test_a_healing_that_cannot_be_asked_for_does_not_repeat_or_spoil_the_batch(api: ApiClient) -> None:
    api.post(one_table("orders", record("orders")))
    failure = OperationalError("sacrificed")
    failure.__cause__ = Sacrificed()
    with mock.patch.object(heal, "heal_task") as asked:
        asked.enqueue.side_effect = failure
        assert api.post(one_table("customers", record("customers"))).counts == {"read": 1, "inserted": 1}
    assert (asked.enqueue.call_count, Batch.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    "body", [b"{", b'{"table": "nobody", "records": [{}]}', b'{"table": "sellers", "records": []}']
)
def test_no_batch_and_no_key_are_kept_of_a_request_that_is_none(api: ApiClient, body: bytes) -> None:
    assert 400 <= api.post(body, Idempotency_Key="k").status < 500
    assert not Batch.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_no_batch_and_no_key_are_kept_of_a_request_that_failed(api: ApiClient) -> None:
    with sabotage("ingest_account", "raise exception 'no' using errcode = '53100';"):
        assert_unavailable(api.post({"records": FAMILY}, Idempotency_Key="k"))
    assert not Batch.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_user_deleted_during_their_own_batch_gets_401_and_nothing_is_kept(api: ApiClient) -> None:
    with transaction_elsewhere() as other:
        other.execute("delete from access_token")
        other.execute("delete from auth_user")
        with aside(partial(api.post, {"records": [*FAMILY, tagged("sellers", seller_id="x")]})) as (posting,):
            wait_for_waiting()
            other.connection.commit()
            answer = posting.result()
    assert (answer.status, answer.json["code"]) == (401, "authentication_failed"), answer
    assert nothing_stored()
