"""Bounds a minute: exact however many spend at once, told with Retry-After, and gone with the minute."""

import pytest
from pytest_django import Settings
from rest_framework.exceptions import Throttled

from access.models import Counter, IdempotencyKey
from access.throttling import spend
from ingest.models import Batch
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


@pytest.fixture
def six_of_ten(early_in_a_minute: None) -> None:
    """Six of ten are spent, in a minute to come: one that came later was faster."""
    assert spent("key", 6, 10)
    query("update access_counter set minute = minute + 1")


@pytest.mark.usefixtures("six_of_ten")
@pytest.mark.parametrize(("amount", "left"), [(6, False), (4, True), (5, False)])
def test_a_spender_whose_minute_ended_while_it_waited_does_not_set_the_clock_back(*, amount: int, left: bool) -> None:
    assert spent("key", amount, 10) is left


@pytest.mark.usefixtures("six_of_ten")
def test_a_spender_whose_minute_ended_spends_of_the_minute_to_come() -> None:
    spent("key", 4, 10)
    assert not spent("key", 1, 10)


@pytest.fixture
def three_requests(settings: Settings) -> ApiClient:
    """A client that has made the three requests that each has in a minute."""
    settings.API_REQUESTS_PER_MINUTE = 3
    client = trusted()
    assert [client.get(BATCHES).status for _ in range(3)] == [200] * 3
    return client


def test_requests_are_bounded(three_requests: ApiClient) -> None:
    assert_throttled(three_requests.get(BATCHES))


def test_requests_of_another_token_are_not_counted(three_requests: ApiClient) -> None:
    three_requests.get(BATCHES)
    assert client_of("other", superuser=True).get(BATCHES).status == 200


def test_requests_are_free_again_with_the_next_minute(three_requests: ApiClient) -> None:
    three_requests.get(BATCHES)
    pass_a_minute()
    assert three_requests.get(BATCHES).status == 200


SIX = [record("sellers", seller_id=hex_id(number)) for number in range(6)]


@pytest.fixture
def six_records(settings: Settings) -> ApiClient:
    """A client that has sent six of the ten records that each has in a minute."""
    settings.API_RECORDS_PER_MINUTE = 10
    client = trusted()
    assert client.post(one_table("sellers", *SIX)).status == 201
    return client


def test_records_are_bounded_and_nothing_is_kept_of_a_batch_beyond(six_records: ApiClient) -> None:
    assert_throttled(six_records.post(one_table("sellers", *SIX), Idempotency_Key="k"))
    assert (Batch.objects.count(), IdempotencyKey.objects.count()) == (1, 0)


def test_a_batch_beyond_the_bound_costs_nothing(six_records: ApiClient) -> None:
    six_records.post(one_table("sellers", *SIX))
    assert six_records.post(one_table("sellers", *SIX[:4])).status == 200


def test_a_single_record_beyond_the_bound_is_too_much(six_records: ApiClient) -> None:
    six_records.post(one_table("sellers", *SIX[:4]))
    assert_throttled(six_records.post(one_table("sellers", *SIX[:1])))


def test_records_are_free_again_with_the_next_minute(six_records: ApiClient) -> None:
    assert_throttled(six_records.post(one_table("sellers", *SIX), Idempotency_Key="k"))
    pass_a_minute()
    assert six_records.post(one_table("sellers", *SIX), Idempotency_Key="k").status == 200


@pytest.fixture
def two_wrong_tokens(settings: Settings) -> ApiClient:
    """A client that has come with the two wrong tokens that each address has in a minute."""
    settings.API_BAD_TOKENS_PER_MINUTE = 2
    wrong = ApiClient("0" * 64)
    assert [wrong.get(BATCHES).status for _ in range(2)] == [401] * 2
    return wrong


def test_wrong_tokens_are_bounded_for_each_address(two_wrong_tokens: ApiClient) -> None:
    assert_throttled(two_wrong_tokens.get(BATCHES))


def test_right_tokens_go_on_where_wrong_ones_are_throttled(two_wrong_tokens: ApiClient) -> None:
    two_wrong_tokens.get(BATCHES)
    assert trusted().get(BATCHES).status == 200


def test_wrong_tokens_are_told_again_with_the_next_minute(two_wrong_tokens: ApiClient) -> None:
    two_wrong_tokens.get(BATCHES)
    pass_a_minute()
    assert two_wrong_tokens.get(BATCHES).status == 401


def test_an_address_of_any_length_is_counted(settings: Settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    assert ApiClient("0" * 64).get(BATCHES, X_Forwarded_For="x" * 1000).status == 401
