"""A kept connection after a request that was refused before its body was read: the next good batch always comes in."""

import http.client
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.support.api.client import BATCHES, client_of, trusted
from tests.support.api.parcels import one_table, record
from tests.support.api.service import Service, serving, serving_for_a_developer
from tests.support.loading.loads import database_url, hex_id

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.slow]
TRIES = 50
MEGABYTE = 1 << 20
BODY = b" " * (20 * MEGABYTE)
GENEROUS = {"API_REQUESTS_PER_MINUTE": "100000", "API_BAD_TOKENS_PER_MINUTE": "100000"}
SERVERS: dict[str, Callable[..., AbstractContextManager[Service]]] = {
    "gunicorn": serving,
    "make serve": serving_for_a_developer,
}

# Method, address, headers that differ, and the answer.
JSON = {"Content-Type": "application/json"}
REFUSED: dict[str, tuple[str, str, dict[str, str], int]] = {
    "wrong token": ("POST", BATCHES, {**JSON, "Authorization": "Token wrong"}, 401),
    "no token": ("POST", BATCHES, {**JSON, "Authorization": ""}, 401),
    "no right": ("POST", "/api/v1/backups/", {**JSON, "Authorization": "till"}, 403),
    "no address": ("POST", "/api/v1/nothing/", JSON, 404),
    "no method": ("PUT", BATCHES, JSON, 405),
    "too large": ("POST", BATCHES, JSON, 413),
    "no media type": ("POST", BATCHES, {"Content-Type": "application/xml"}, 415),
    "no coding": ("POST", BATCHES, {**JSON, "Content-Encoding": "br"}, 415),
    "bad key": ("POST", BATCHES, {**JSON, "Idempotency-Key": "a,b"}, 413),
    "unknown host": ("POST", BATCHES, {**JSON, "Host": "elsewhere.example"}, 400),
    "a page": ("POST", "/admin/login/", {"Content-Type": "text/plain"}, 403),
}


@pytest.fixture(params=SERVERS)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with SERVERS[request.param](database_url(), **GENEROUS) as running:
        yield running


def pieces(body: bytes) -> Iterator[bytes]:
    """Cut a body, which http.client then sends in chunks."""
    for start in range(0, len(body), MEGABYTE):
        yield body[start : start + MEGABYTE]


class Shop:
    """A client with one kept connection, and good batches without end."""

    def __init__(self, service: Service) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        self.token = trusted().headers["Authorization"]
        self._numbers = itertools.count(1)

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str], **options: Any) -> tuple[int, bytes]:
        """Send a request and read the whole answer, as a program does that knows nothing of lingering."""
        named = {name: value for name, value in {"Authorization": self.token, **headers}.items() if value}
        self._connection.request(method, path, body, named, **options)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def good_batch(self) -> int:
        """Post a record that was never there, and return the status."""
        body = json.dumps(one_table("sellers", record("sellers", seller_id=hex_id(next(self._numbers)))))
        return self.ask("POST", BATCHES, body, JSON)[0]

    def close(self) -> None:
        self._connection.close()


def test_the_next_good_batch_comes_in_after_a_large_body_was_refused(service: Service) -> None:
    shop, till = Shop(service), client_of("till").headers["Authorization"]
    for name, (method, path, headers, status) in REFUSED.items():
        sent = {**headers, **({"Authorization": till} if headers.get("Authorization") == "till" else {})}
        sizes = (20, 11) if status == 413 else (20, 5)
        bodies = itertools.cycle(BODY[: size * MEGABYTE] for size in sizes)
        answers = [
            (shop.ask(method, path, body, sent)[0], shop.good_batch()) for body in itertools.islice(bodies, TRIES)
        ]
        assert set(answers) == {(status, 201)}, name
    shop.close()


def test_the_next_good_batch_comes_in_after_a_chunked_body_was_refused(service: Service) -> None:
    shop = Shop(service)
    for path in (BATCHES, "/api/v1/backups/", "/admin/login/"):
        for size in itertools.islice(itertools.cycle((1000, 5 * MEGABYTE, 20 * MEGABYTE)), TRIES):
            status, document = shop.ask("POST", path, pieces(BODY[:size]), JSON, encode_chunked=True)
            assert (status, json.loads(document)["code"]) == (411, "length_required")
            assert "Content-Length" in json.loads(document)["detail"]
            assert shop.good_batch() == 201
    shop.close()
