"""The edges of HTTP, asked of gunicorn and of what ``make serve`` runs: the same answers, and no thread lost."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from core.web.unread_bodies import LINGER_IDLE_SECONDS
from tests.support.api.client import BATCHES, trusted
from tests.support.api.parcels import one_table, record
from tests.support.api.service import THREADS, WORKERS, Service, serving, serving_for_a_developer
from tests.support.loading.loads import database_url, hex_id

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.slow]
SERVERS: dict[str, Callable[..., AbstractContextManager[Service]]] = {
    "gunicorn": serving,
    "make serve": serving_for_a_developer,
}
TABLES = b"GET /api/v1/tables/sellers/ HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module", params=SERVERS)
def service(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[Service]:
    with SERVERS[request.param](database_url()) as running:
        yield running


@pytest.fixture
def token() -> bytes:
    return f"Authorization: {trusted().headers['Authorization']}\r\n".encode()


def talk(service: Service, *sent: bytes, hang_up: bool = False, pause_seconds: float = 0.05) -> bytes:
    """Send pieces with pauses between them, and return all that comes until the other side closes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        for piece in sent:
            client.sendall(piece)
            time.sleep(pause_seconds)
        if hang_up:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def statuses(answered: bytes) -> list[int]:
    return [int(part[2:5]) for part in answered.split(b"HTTP/1.")[1:]]


def batch(number: int) -> bytes:
    return json.dumps(one_table("sellers", record("sellers", seller_id=hex_id(number)))).encode()


def head(token: bytes, *headers: str, method: str = "POST", path: str = BATCHES, version: str = "1.1") -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    begin = f"{method} {path} HTTP/{version}\r\nHost: localhost\r\nContent-Type: application/json\r\n{lines}"
    return begin.encode() + token + b"\r\n"


def test_two_requests_sent_at_once_are_answered_one_after_the_other(service: Service, token: bytes) -> None:
    first, second = batch(1), batch(2)
    sent = head(token, f"Content-Length: {len(first)}") + first
    sent += head(token, f"Content-Length: {len(second)}", "Connection: close") + second
    assert statuses(talk(service, sent)) == [201, 201]


def test_a_request_behind_a_short_body_that_is_refused_is_answered(service: Service, token: bytes) -> None:
    good = batch(1)
    sent = head(b"", "Content-Length: 1000") + b" " * 1000
    sent += head(token, f"Content-Length: {len(good)}", "Connection: close") + good
    assert statuses(talk(service, sent)) == [401, 201]


def test_a_long_body_that_is_refused_is_never_read_as_requests(service: Service, token: bytes) -> None:
    good = head(token, f"Content-Length: {len(batch(1))}") + batch(1)
    smuggled = good * (1 + 100_000 // len(good))
    for framing in (f"Content-Length: {len(smuggled)}", "Transfer-Encoding: chunked"):
        answered = talk(service, head(b"", framing), smuggled, hang_up=True)
        assert len(statuses(answered)) == 1, answered
        assert b"\r\nConnection: close\r\n" in answered


def test_an_expectation_is_met_and_the_batch_taken(service: Service, token: bytes) -> None:
    body = batch(1)
    sent = head(token, f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: close")
    assert statuses(talk(service, sent, body)) == [100, 201]


def test_a_head_has_no_body_and_its_own_is_passed_over(service: Service, token: bytes) -> None:
    sent = head(token, "Content-Length: 5", method="HEAD", path="/api/v1/tables/")
    answered = talk(service, sent + b"12345" + TABLES + b"Connection: close\r\n" + token + b"\r\n")
    assert len(statuses(answered)) == 2
    assert statuses(answered)[1] == 200


def test_an_old_client_gets_its_answer_and_the_end(service: Service, token: bytes) -> None:
    body = batch(1)
    assert statuses(talk(service, head(token, f"Content-Length: {len(body)}", version="1.0") + body)) == [201]


def test_a_body_that_is_shorter_than_it_says_is_refused(service: Service, token: bytes) -> None:
    answered = talk(service, head(token, "Content-Length: 9999") + batch(1), hang_up=True)
    assert (statuses(answered), b'"truncated"' in answered) == ([400], True)


def test_a_body_with_two_lengths_is_refused(service: Service, token: bytes) -> None:
    body = batch(1)
    sent = head(token, f"Content-Length: {len(body)}", "Transfer-Encoding: chunked") + body
    assert statuses(talk(service, sent, hang_up=True)) == [400]


def test_clients_that_do_not_hang_up_hold_no_thread_and_are_let_go() -> None:
    """Under gunicorn: more of them than there are threads, each with an answer and a body that does not come."""
    slow = head(b"", "Content-Length: 999999999") + b" "
    with serving(database_url()) as service, ExitStack() as open_ones:
        clients = []
        for _ in range(3 * WORKERS * THREADS):
            client = open_ones.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=20))
            client.sendall(slow)
            clients.append(client)
        for client in clients:
            assert client.recv(65536).startswith(b"HTTP/1.1 401 ")
        started = time.monotonic()
        assert service.send("GET", "/api/v1/tables/", "wrong").status == 401
        assert time.monotonic() - started < LINGER_IDLE_SECONDS / 2
        time.sleep(LINGER_IDLE_SECONDS + 3)
        assert all(was_reset(client) for client in clients)


def was_reset(client: socket.socket) -> bool:
    """Tell whether the other side has closed altogether: the first byte meets a reset, which the next ones find."""
    try:
        for _ in range(3):
            client.sendall(b" ")
            time.sleep(0.02)
    except ConnectionError:
        return True
    return False
