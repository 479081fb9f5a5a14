"""Clients that get into each other's way: every record exactly once, every account exact, no deadlock in an answer."""

import random
import time
from functools import partial
from unittest import mock

import pytest
from django.db.backends.utils import CursorWrapper

from access.models import IdempotencyKey
from core.postgres.engine import poolers
from ingest.models import Batch
from tests.support.api.client import Answered, ApiClient, Json, trusted
from tests.support.api.parcels import assert_accounts_exact, mixed_batch, one_table, record, stored, tagged
from tests.support.loading.loads import hex_id, query
from tests.support.postgres.server_settings import BY_DATABASE, set_by
from tests.support.postgres.sessions import aside, together, transaction_elsewhere, wait_for_waiting

pytestmark = pytest.mark.usefixtures("committed")
CLIENTS = 8


def until_answered(api: ApiClient, batch: Json, key: str) -> Answered:
    """Send a batch as a patient client does: again while its key is in flight."""
    while True:
        answer = api.post(batch, Idempotency_Key=key)
        if answer.status != 409:
            return answer
        assert (answer.json["code"], answer.headers["Retry-After"]) == ("in_flight", "1")
        time.sleep(0.1)  # a client that asked all the time would take its time from those at work


def send_all(api: ApiClient, batches: list[Json], seed: int) -> dict[str, Answered]:
    """Send all batches, each with its key, in an order of one's own."""
    order = list(range(len(batches)))
    random.Random(seed).shuffle(order)
    return {str(number): until_answered(api, batches[number], str(number)) for number in order}


def insert(cursor: CursorWrapper, table: str, data: Json) -> None:
    """Store a record past the endpoint."""
    places = ", ".join(["%s"] * len(data))
    cursor.execute(f"insert into olist_{table} ({', '.join(data)}) values ({places})", list(data.values()))


def deadlocks() -> int:
    """Count those that PostgreSQL had to end; sessions report theirs when they end."""
    return int(query("select deadlocks from pg_stat_database where datname = current_database()")[0][0])


def check_eight_clients(api: ApiClient, *, seed: int, batches: int, size: int) -> None:
    dice, orders = random.Random(seed), 40
    sent = [mixed_batch(dice, orders=orders, size=size) for _ in range(batches)]
    before = deadlocks()
    answers = together([partial(send_all, api, sent, seed) for seed in range(CLIENTS)])
    for number in range(batches):
        each = [answered[str(number)] for answered in answers]
        assert {answer.status for answer in each} <= {200, 201, 207, 422}, each
        assert len({answer.text for answer in each}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in each) == 1
        assert each[0].json["counts"]["read"] == size * 6
    assert Batch.objects.count() == IdempotencyKey.objects.count() == batches
    assert_accounts_exact()
    assert deadlocks() == before  # retried, none would reach a client, but each costs all of them a second
    used = {r["data"]["order_id"] for batch in sent for r in batch["records"] if r["table"] == "orders"}
    assert stored("orders") == stored("order_items") == stored("order_payments") == len(used)


def test_eight_clients_with_the_same_batches_get_each_record_in_once(api: ApiClient) -> None:
    check_eight_clients(api, seed=1, batches=10, size=6)


@pytest.mark.parametrize("pooled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_eight_clients_get_through_where_serializable_is_the_default(*, pooled: bool) -> None:
    api = trusted()
    with (
        set_by(BY_DATABASE, {"default_transaction_isolation": "serializable"}),
        mock.patch.object(poolers, "refuses_options", return_value=pooled),
    ):
        check_eight_clients(api, seed=7, batches=4, size=6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_eight_clients_with_many_batches_get_each_record_in_once(api: ApiClient, seed: int) -> None:
    check_eight_clients(api, seed=seed, batches=25, size=12)


def test_a_key_that_another_batch_brought_first_is_judged_by_what_is_stored_then(api: ApiClient) -> None:
    mine = {
        "records": [
            tagged("customers", customer_city="rio"),
            tagged("orders"),
            tagged("sellers"),
            tagged("sellers", seller_id=hex_id(2)),
        ],
        "results": "all",
    }
    with transaction_elsewhere() as other, aside(partial(api.post, mine)) as (posting,):
        other.execute("insert into olist_customers values (%s, %s, '01037', 'santos', 'SP')", [hex_id(1)] * 2)
        other.execute("insert into olist_sellers values (%s, '01037', 'sao paulo', 'SP')", [hex_id(2)])
        wait_for_waiting()
        other.connection.commit()
        answer = posting.result()
    assert answer.status == 207
    assert answer.codes == [(0, "customer_id", "unique")]
    assert [result["outcome"] for result in answer.json["results"]] == ["rejected", "inserted", "inserted", "unchanged"]


def test_a_parent_that_came_with_a_key_of_another_batch_is_seen_and_held_too(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers", customer_id=hex_id(1))))
    orders = [
        record("orders", order_id=hex_id(10), customer_id=hex_id(1)),
        record("orders", order_id=hex_id(11), customer_id=hex_id(2)),
        record("orders", order_id=hex_id(12), order_status="x"),  # because of which parents are asked for
    ]
    with (
        transaction_elsewhere() as other,
        aside(partial(api.post, one_table("orders", *orders, results="all"))) as (posting,),
    ):
        insert(other, "customers", record("customers", customer_id=hex_id(2)))
        insert(other, "orders", orders[0])
        wait_for_waiting()  # for that order, without the customer
        other.connection.commit()
    outcomes = [result["outcome"] for result in posting.result().json["results"]]
    assert outcomes == ["unchanged", "inserted", "rejected"]


@pytest.mark.parametrize(("theirs", "outcome"), [("santos", "updated"), ("rio", "unchanged")])
def test_an_update_waits_for_another_batch_and_then_says_what_it_changed(
    api: ApiClient, theirs: str, outcome: str
) -> None:
    mine = one_table("sellers", record("sellers", seller_city="rio"), on_conflict="update")
    query("insert into olist_sellers values (%s, '01037', 'bauru', 'SP')", hex_id(1))
    with transaction_elsewhere() as other, aside(partial(api.post, mine)) as (posting,):
        other.execute("update olist_sellers set seller_city = %s", [theirs])
        wait_for_waiting()
        other.connection.commit()
        assert posting.result().counts == {"read": 1, outcome: 1}
    assert query("select seller_city from olist_sellers") == [("rio",)]


def test_a_placeholder_is_filled_by_one_of_two_batches(api: ApiClient) -> None:
    table = "product_category_name_translation"
    query(f"insert into olist_{table} (product_category_name) values ('livros')")
    words = ["books", "novels"]
    batches = [one_table(table, record(table, product_category_name_english=word)) for word in words]
    with transaction_elsewhere() as other:
        other.execute(f"select 1 from olist_{table} for share")
        with aside(*(partial(api.post, batch) for batch in batches)) as posting:
            wait_for_waiting(2)
            other.connection.commit()
            answers = [each.result() for each in posting]
    first, second = sorted(answers, key=lambda answer: answer.status)
    assert (first.status, first.counts) == (201, {"read": 1, "updated": 1})
    assert (second.status, second.codes) == (422, [(0, "product_category_name", "unique")])
    winner = words[answers.index(first)]
    assert query(f"select product_category_name_english from olist_{table}") == [(winner,)]


def test_two_batches_that_wait_for_each_other_both_succeed(api: ApiClient) -> None:
    """The other one is none of ours and locks in its own order. Ours looks for a deadlock first, and is sacrificed."""
    mine = {"records": [tagged("customers"), tagged("sellers")]}

    def post() -> Answered:
        query("set deadlock_timeout = '3s'")  # time enough for the other one to begin to wait
        return api.post(mine)

    with transaction_elsewhere() as other:
        other.execute("set local deadlock_timeout = '30s'")
        other.execute("insert into olist_sellers values (%s, '01037', 'sao paulo', 'SP')", [hex_id(1)])
        with aside(post) as (posting,):
            wait_for_waiting()  # for the seller, with the customer in hand
            other.execute("insert into olist_customers values (%s, %s, '01037', 'sao paulo', 'SP')", [hex_id(1)] * 2)
            other.connection.commit()
            answer = posting.result()
    assert (answer.status, answer.counts) == (200, {"read": 2, "unchanged": 2})
    assert Batch.objects.count() == 1
