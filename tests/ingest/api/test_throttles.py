"""Bounds a minute: exact however many spend at once, told with Retry-After, and gone with the minute."""

import pytest
from pytest_django import Settings
from rest_framework.exceptions import Throttled

from access.models import Counter
from access.throttling import spend
from ingest.models import Batch, IdempotencyKey
from tests.support.api.client import BATCHES, Answered, ApiClient, client_of, trusted
from tests.support.api.parcels import one_table, record
from tests.support.loading.loads import hex_id, query
from tests.support.postgres.sessions import together, wait_until

pytestmark = pytest.mark.usefixtures("committed", "early_in_a_minute")
SPENDERS = 8


@pytest.fixture
def early_in_a_minute(committed: None) -> None:
    """Let no minute end in the middle of the test."""
    wait_until(lambda: bool(query("select extract(second from clock_timestamp()) < 50")[0][0]), patience_seconds=60)


def spent(key: str, amount: int, limit: int) -> bool:
    """Tell whether ``amount`` of ``limit`` was left."""
    try:
        spend(key, amount, limit=limit)
    except Throttled:
        return False
    return True


def pass_a_minute() -> None:
    """Make all counters those of the minute before."""
    query("update access_counter set minute = minute - 1")


def assert_throttled(answer: Answered) -> None:
    assert (answer.status, answer.json["code"]) == (429, "throttled")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("amount", "limit"), [(1, 100), (3, 100), (7, 50)])
def test_sessions_that_spend_at_once_never_pass_the_limit(amount: int, limit: int) -> None:
    def spend_on() -> int:
        return sum(spent("key", amount, limit) for _ in range(20))

    assert sum(together([spend_on] * SPENDERS)) == limit // amount
    assert Counter.objects.get().used == limit // amount * amount


def test_a_spender_whose_minute_ended_while_it_waited_does_not_set_the_clock_back() -> None:
    assert spent("key", 6, 10)
    query("update access_counter set minute = minute + 1")  # one that came later was faster
    assert not spent("key", 6, 10)
    assert spent("key", 4, 10)
    assert not spent("key", 1, 10)


def test_requests_are_bounded_for_each_token(settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    one, other = trusted(), client_of("other", superuser=True)
    assert [one.get(BATCHES).status for _ in range(3)] == [200] * 3
    assert_throttled(one.get(BATCHES))
    assert other.get(BATCHES).status == 200
    pass_a_minute()
    assert one.get(BATCHES).status == 200


def test_records_are_bounded_and_a_refused_batch_costs_nothing(settings: Settings) -> None:
    settings.API_RECORDS_PER_MINUTE = 10
    api, six = trusted(), [record("sellers", seller_id=hex_id(number)) for number in range(6)]
    assert api.post(one_table("sellers", *six)).status == 201
    assert_throttled(api.post(one_table("sellers", *six), Idempotency_Key="k"))
    assert (Batch.objects.count(), IdempotencyKey.objects.count()) == (1, 0)
    assert api.post(one_table("sellers", *six[:4])).status == 200
    assert_throttled(api.post(one_table("sellers", *six[:1])))
    pass_a_minute()
    assert api.post(one_table("sellers", *six), Idempotency_Key="k").status == 200


def test_wrong_tokens_are_bounded_for_each_address_and_right_ones_go_on(settings: Settings) -> None:
    settings.API_BAD_TOKENS_PER_MINUTE = 2
    right, wrong = trusted(), ApiClient("0" * 64)
    assert [wrong.get(BATCHES).status for _ in range(2)] == [401] * 2
    assert_throttled(wrong.get(BATCHES))
    assert right.get(BATCHES).status == 200
    pass_a_minute()
    assert wrong.get(BATCHES).status == 401


def test_an_address_of_any_length_is_counted(settings: Settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    assert ApiClient("0" * 64).get(BATCHES, X_Forwarded_For="x" * 1000).status == 401
