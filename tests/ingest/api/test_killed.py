"""The service itself: workers that are killed, a server that goes and comes, eight clients over TCP."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest
from django.contrib.auth.models import User

from access.models import IdempotencyKey
from access.tokens import create_token
from core.embedded_postgres import stop
from ingest.models import Batch, RejectedRecord
from tests.support.api.client import Answered, Json
from tests.support.api.parcels import assert_accounts_exact, mixed_batch, stored, tagged
from tests.support.api.service import THREADS, WORKERS, Service, serving
from tests.support.loading.loads import PROJECT, database_url, hex_id, query
from tests.support.postgres.cluster import Cluster
from tests.support.postgres.sessions import together, transaction_elsewhere, wait_for_waiting, wait_until

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.slow]
PARTS = 200
_OPEN = "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null"


@pytest.fixture(scope="module")
def service(django_db_setup: None) -> Iterator[Service]:
    many = "1000000000"
    with serving(database_url(), API_REQUESTS_PER_MINUTE=many, API_RECORDS_PER_MINUTE=many) as running:
        yield running


@pytest.fixture
def token() -> str:
    user = User.objects.create_user("till", is_superuser=True)
    return create_token(user, name="test", expires=None)


def batch_of(number: int) -> Json:
    """Return 2 * ``PARTS`` records of one batch, and one that is refused."""
    keys = [hex_id(number * PARTS + part) for part in range(PARTS)]
    records = [tagged("orders", order_id=key, customer_id=key) for key in keys]
    records += [tagged("customers", customer_id=key) for key in keys]
    return {"records": [*records, tagged("sellers", seller_id=hex_id(number), seller_state="XX")]}


def assert_all_or_nothing(number: int) -> bool:
    """Assert that of the batch either all is there or nothing; tell which, and leave nothing at work."""
    wait_until(lambda: query(_OPEN)[0][0] == 1)  # only this one's own: all others have ended
    low, high = hex_id(number * PARTS), hex_id(number * PARTS + PARTS - 1)
    found = {
        query("select count(*) from olist_orders where order_id between %s and %s", low, high)[0][0] / PARTS,
        query("select count(*) from olist_customers where customer_id between %s and %s", low, high)[0][0] / PARTS,
        IdempotencyKey.objects.filter(key=str(number)).count(),
        Batch.objects.filter(accounts__table="sellers").count() - number,
        RejectedRecord.objects.count() - number,
    }
    assert found in ({0}, {1})
    return found == {1}


def check_once(service: Service, token: str, number: int) -> Answered:
    """Repeat a batch until it is answered, and assert that it is there once."""
    answer = service.insist(token, batch_of(number), key=str(number))
    assert answer.status == 207
    assert answer.json["counts"]["inserted"] == 2 * PARTS
    assert assert_all_or_nothing(number)
    assert Batch.objects.count() == number + 1
    assert_accounts_exact()
    return answer


def test_a_worker_killed_while_it_waits_for_a_lock_leaves_nothing_and_the_repeated_batch_is_done_once(
    service: Service, token: str
) -> None:
    with ThreadPoolExecutor(1) as threads, transaction_elsewhere() as other:
        other.execute("insert into olist_customers values (%s, %s, '01037', 'rio', 'RJ')", [hex_id(PARTS - 1)] * 2)
        posting = threads.submit(service.post, token, batch_of(0), Idempotency_Key="0")
        wait_for_waiting()
        service.kill_workers()
        assert isinstance(posting.exception(), service.lost)
        assert (stored("orders"), Batch.objects.count()) == (0, 0)
        other.connection.rollback()
    assert not assert_all_or_nothing(0)
    assert "Idempotency-Replayed" not in check_once(service, token, 0).headers


def begun_or_done(posting: Future[Answered]) -> bool:
    """Tell whether a batch is at work, or answered already."""
    return posting.done() or query(_OPEN)[0][0] > 1


def kill_at_random_moments(service: Service, token: str, *, seed: int, rounds: int) -> None:
    moments = random.Random(seed)
    for number in range(rounds):
        with ThreadPoolExecutor(1) as threads, suppress(*service.lost):
            posting = threads.submit(service.post, token, batch_of(number), Idempotency_Key=str(number))
            wait_until(partial(begun_or_done, posting))
            with suppress(TimeoutError):
                posting.exception(moments.uniform(0, 0.15))
            service.kill_workers()
            posting.result()
        done = assert_all_or_nothing(number)
        assert ("Idempotency-Replayed" in check_once(service, token, number).headers) == done
    assert stored("orders") == rounds * PARTS


def test_workers_killed_at_random_moments_leave_all_of_a_batch_or_nothing(service: Service, token: str) -> None:
    kill_at_random_moments(service, token, seed=1, rounds=2)


@pytest.mark.parametrize("seed", range(2, 5))
def test_workers_killed_many_times_leave_all_of_a_batch_or_nothing(service: Service, token: str, seed: int) -> None:
    kill_at_random_moments(service, token, seed=seed, rounds=12)


def test_connections_that_were_cut_between_requests_are_not_noticed(service: Service, token: str) -> None:
    requests = [partial(service.send, "GET", "/api/v1/tables/", token)] * WORKERS * THREADS
    assert {answer.status for answer in together(requests)} == {200}
    others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    assert query(f"select pg_terminate_backend(pid, 5000) {others}")
    assert {answer.status for answer in together(requests)} == {200}


def test_a_server_that_goes_and_comes_back_is_told_and_then_used_again(cluster: Cluster) -> None:
    environment = {**os.environ, "DATABASE_URL": cluster.url, "DEBUG": "on", "SECRET_KEY": "of a test"}
    code = "from django.contrib.auth.models import User; from access.tokens import create_token; "
    code += "user = User.objects.create_user('till', is_superuser=True); "
    code += "print(create_token(user, name='test', expires=None))"
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    made = subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True, text=True, timeout=60)
    token = made.stdout.strip()
    with serving(cluster.url) as service:
        assert service.post(token, batch_of(0), Idempotency_Key="0").status == 207
        ends: list[Callable[[], None]] = [partial(stop, cluster.folder), cluster.kill]
        for end in ends:
            end()
            lost = service.post(token, batch_of(1), Idempotency_Key="1")
            assert (lost.status, lost.json["code"], lost.headers["Retry-After"]) == (503, "unavailable", "5")
            assert cluster.ask("select count(*) from ingest_batch") == [(1,)]  # and starts it
            again = service.post(token, batch_of(0), Idempotency_Key="0")
            assert (again.status, again.headers["Idempotency-Replayed"]) == (207, "true")
        assert service.post(token, batch_of(1), Idempotency_Key="1").status == 207
    assert cluster.ask("select count(*) from olist_orders") == [(2 * PARTS,)]


@pytest.mark.parametrize("seed", range(3))
def test_eight_clients_over_tcp_get_each_record_in_once(service: Service, token: str, seed: int) -> None:
    dice = random.Random(seed)
    sent = [mixed_batch(dice, orders=60, size=12) for _ in range(40)]

    def send_all(order: list[int]) -> dict[int, Answered]:
        return {number: service.insist(token, sent[number], key=str(number)) for number in order}

    answers = together([partial(send_all, dice.sample(range(40), 40)) for _ in range(8)])
    for number in range(40):
        assert {answered[number].status for answered in answers} <= {200, 201, 207, 422}
        assert len({answered[number].text for answered in answers}) == 1
        assert sum("Idempotency-Replayed" not in answered[number].headers for answered in answers) == 1
    assert Batch.objects.count() == 40
    assert_accounts_exact()
