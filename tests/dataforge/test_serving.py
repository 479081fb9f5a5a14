"""The site under gunicorn, in production: what stands in its log, and what it answers to what is no request."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from access.tokens import create_token
from tests.support.api.client import Answered
from tests.support.api.parcels import one_table, record
from tests.support.api.service import Service, serving
from tests.support.loading.loads import PROJECT, database_url, hex_id
from tests.support.postgres.sabotage import rule_by_hand, sabotage

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.slow]
SECRET = "hush4711"
PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": f"{SECRET}-key-{'0123456789' * 6}",
    "SECURE_SSL_REDIRECT": "off",
    "METRICS_TOKEN": f"{SECRET}-of-the-scraper",
}
LINE = b"GET /api/v1/tables/ HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture(scope="module", autouse=True)
def collected() -> None:
    """The style sheets as production wants them, without which no page of the admin is made."""
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **PRODUCTION}, check=True)


@pytest.fixture
def service(log: Path) -> Iterator[Service]:
    with serving(database_url(), log=log, **PRODUCTION) as running:
        yield running


@pytest.fixture
def token() -> str:
    user = User.objects.create_user("till", is_superuser=True, is_staff=True, password="right-" + SECRET)
    return create_token(user, name="shop 7", expires=None)


def raw(service: Service, sent: bytes) -> tuple[int, str, Any]:
    """Send bytes, and return status, media type and document."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        with suppress(ConnectionError):
            client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        body = answer.read()
        assert answer.getheader("Connection") == "close"
        return answer.status, answer.getheader("Content-Type") or "", json.loads(body)


NO_REQUESTS = {
    400: LINE + f"Authorization {SECRET}\r\n\r\n".encode(),
    414: f"GET /{SECRET}{'x' * 5000} HTTP/1.1\r\n\r\n".encode(),
    431: LINE + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n",
    501: LINE + f"Transfer-Encoding: {SECRET}\r\n\r\n".encode(),
}


def test_what_is_no_request_is_answered_by_a_problem_document(service: Service) -> None:
    for status, sent in NO_REQUESTS.items():
        answered, media_type, problem = raw(service, sent)
        assert (answered, media_type) == (status, "application/problem+json")
        assert (problem["status"], problem["type"]) == (status, "about:blank")
        assert SECRET not in str(problem)


def offend(service: Service, token: str) -> list[Answered]:
    """Do all that might bring a secret into a log."""
    bad = record("customers", customer_city=SECRET, customer_state=SECRET)
    good = record("customers", customer_city=SECRET)
    answers = [
        service.post(token, one_table("customers", bad, good)),
        service.post(token, one_table("customers", {**good, SECRET: SECRET}), Idempotency_Key=SECRET),
        service.post(token, one_table("customers", good, {**good, "customer_city": SECRET + "x"})),
        service.post(token, {"table": SECRET, "records": [], SECRET: SECRET}),
        service.post(f"{SECRET}-bad", one_table("customers", good)),
        service.send("GET", "/metrics", token, Authorization=f"Bearer {SECRET}"),
        service.send("GET", f"/api/v1/rejects/?code={SECRET}", token),
        service.send("GET", f"/admin/olist/customer/{SECRET}/change/?q={SECRET}", token),
        service.send(SECRET.upper(), f"/{SECRET}?token={token}", token),
        service.send("GET", "/api/v1/tables/", token, Host=f"{SECRET}.example"),
        service.send("POST", "/admin/login/", token, None, Origin=f"https://{SECRET}.example", Cookie=f"x={SECRET}"),
    ]
    with rule_by_hand("customers", "check (customer_city <> 'hush4711-by-hand')"):
        hand = record("customers", customer_id=hex_id(7), customer_city=f"{SECRET}-by-hand")
        answers.append(service.post(token, one_table("customers", hand)))
    with sabotage("olist_customers", f"raise exception '{SECRET}' using errcode = 'XX000', detail = '{SECRET}';"):
        answers.append(service.post(token, one_table("customers", record("customers", customer_id=hex_id(8)))))
    with sabotage("olist_customers", f"raise exception '{SECRET}' using errcode = '53100', hint = '{SECRET}';"):
        answers.append(service.post(token, one_table("customers", record("customers", customer_id=hex_id(9)))))
    return answers


def log_in(service: Service, password: str) -> int:
    """Try to log in to the admin, as a browser does."""
    page = service.send("GET", "/admin/login/", "")
    (csrf,) = [part.split(";")[0] for part in page.headers["Set-Cookie"].split(", ") if part.startswith("csrftoken=")]
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    form = f"username={SECRET}-name&password={password}&csrfmiddlewaretoken={csrf.partition('=')[2]}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": csrf}
    connection.request("POST", "/admin/login/", form, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_no_record_token_or_password_comes_into_the_log_which_is_one_object_a_line(
    service: Service, token: str, log: Path
) -> None:
    statuses = [answer.status for answer in offend(service, token)]
    assert {207, 400, 401, 403, 404, 422, 500, 503} & set(statuses) >= {207, 400, 401, 404, 422, 500, 503}
    assert [log_in(service, f"wrong-{SECRET}") for _ in range(6)] == [200] * 5 + [429]
    for sent in NO_REQUESTS.values():
        raw(service, sent)
    service.kill_workers()
    text = log.read_text()
    assert SECRET not in text.lower()
    assert token not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"event", "level", "logger", "time"} <= line.keys() for line in lines)
    loggers = {line["logger"] for line in lines}
    assert {
        "gunicorn.error",
        "core.web.request_ids",
        "access.login",
        "ingest.api.batches",
        "ingest.tables.refusals",
    } <= loggers
    batch = next(line for line in lines if line["event"] == "batch")
    assert (batch["token"], batch["counts"]["read"], batch["status"]) == ("shop 7", 2, "partial")
    answered = next(line for line in lines if line["event"] == "answered" and line["request_id"] == batch["request_id"])
    assert (answered["token"], answered["route"], answered["status"]) == ("shop 7", "api/v1/batches/", 207)
    failed = next(line for line in lines if "exception" in line and "XX000" in line["exception"][0]["error"])
    assert any(place.startswith("ingest/tables/write_rows.py:") for place in failed["exception"][0]["at"])


def test_a_database_that_is_away_is_logged_without_its_password(log: Path) -> None:
    gone = f"postgres://forge:{SECRET}@127.0.0.1:1/forge"
    with serving(gone, log=log, **PRODUCTION) as service:
        assert service.post("x", {}).status == 503
    text = log.read_text()
    assert SECRET not in text
    told = [json.loads(line) for line in text.splitlines()]
    assert any("Connection refused" in line["event"] for line in told)
