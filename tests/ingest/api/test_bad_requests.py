"""Faults that are not of a batch: of its way to us, of a replay, of an address."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from dataforge.wsgi import application
from ingest.models import RejectedRecord
from tests.support.api.client import BATCHES, ApiClient, trusted
from tests.support.loading.loads import PLAIN, PROJECT, database_url
from tests.support.secrets import SECRET_KEY

TABLE = "customers"
LINES = f"{BATCHES}?table={TABLE}"
CSV, NDJSON = "text/csv", "application/x-ndjson"
GOOD = json.dumps(PLAIN[TABLE])
HEADER = ",".join(PLAIN[TABLE])


def replay(client: ApiClient, body: Any = "{}") -> Any:
    return client.post(body, to=f"/api/v1/rejects/{RejectedRecord.objects.latest('id').pk}/replay/")


@pytest.mark.django_db
@pytest.mark.parametrize("line", [GOOD + " x", GOOD + "\r" + GOOD, "[" * 500 + "]" * 500, "{", '{"a": \ud800}'])
def test_a_line_that_is_no_record_is_none_when_replayed_either(line: str) -> None:
    client = trusted()
    assert client.post(line.encode("utf-8", "surrogatepass"), to=LINES, kind=NDJSON).status == 422
    assert replay(client).status == 422


@pytest.mark.django_db
def test_a_csv_record_with_a_long_field_is_replayed(settings: Any) -> None:
    client = trusted()
    record = ",".join([*list(PLAIN[TABLE].values())[:-1], '"' + "x" * 200_000 + '"'])
    first = client.post(f"{HEADER}\n{record}", to=LINES, kind=CSV)
    assert first.status == 422
    again = replay(client)
    assert [code for _, _, code in again.codes] == [code for _, _, code in first.codes]


@pytest.mark.django_db
def test_a_record_that_was_not_utf_8_can_be_corrected() -> None:
    client = trusted()
    assert client.post(b'{"customer_city": "\xff"}', to=LINES, kind=NDJSON).codes == [(0, None, "encoding")]
    assert replay(client, {"record": PLAIN[TABLE]}).status == 201


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[]", 400),
        ("null", 400),
        ("[" * 100_000, 400),
        ('{"record": null}', 400),
        ('{"record": []}', 400),
        (f'{{"record": {{"a": {"[" * 40}{"]" * 40}}}}}', 400),
        ('{"record": {}, "record": {}}', 400),
        ('{"record": {}, "\\ud800": 1}', 400),
        ('{"on_conflict": "\\ud800"}', 400),
        ('{"on_conflict": NaN}', 400),
        ('{"record": {}}', 422),
        ('{"record": {"customer_id": NaN, "\\ud800": "\\u0000", "a": {"a": 1}}}', 422),
        (b'{"record": {"customer_id": "\xff"}}', 422),
        ('{"record": {"customer_id": "a", "customer_id": "a"}}', 422),
    ],
)
def test_an_odd_correction_leaves_the_reject_open(body: Any, status: int) -> None:
    client = trusted()
    client.post(f'{{"table": "{TABLE}", "records": [{{}}]}}')
    assert replay(client, body).status == status
    assert RejectedRecord.objects.get().status == "open"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "rejects/99999999999999999999/",
        f"rejects/{'9' * 6000}/",
        "rejects/-1/",
        "batches/%00/",
        "tables/%00/",
        "tables/%FF/",
    ],
)
def test_there_is_nothing_at_an_odd_address(path: str) -> None:
    answered = trusted().get(f"/api/v1/{path}")
    assert answered.status == answered.json["status"] == 404


@pytest.mark.django_db
def test_a_post_without_the_slash_is_not_redirected_to_a_list() -> None:
    answered = trusted().post(f'{{"table": "{TABLE}", "records": [{GOOD}]}}', to=BATCHES.rstrip("/"))
    assert answered.status == 404
    assert "slash" in answered.json["detail"]


@pytest.mark.django_db
def test_a_chunked_batch_is_refused_instead_of_taken_for_none() -> None:
    assert trusted().post("", Transfer_Encoding="chunked").status == 411


@pytest.mark.django_db
def test_a_chunked_correction_is_refused_instead_of_taken_for_none() -> None:
    client = trusted()
    client.post(f'{{"table": "{TABLE}", "records": [{{}}]}}')
    path = f"/api/v1/rejects/{RejectedRecord.objects.get().pk}/replay/"
    assert client.post("", to=path, Transfer_Encoding="chunked").status == 411


@pytest.mark.django_db
def test_one_doubled_member_among_many_takes_no_time() -> None:
    members = ", ".join(f'"u{number}": 1' for number in range(200_000))  # in square time: an hour
    answered = trusted().post(f'{{"table": "{TABLE}", "records": [{{"u0": 1, {members}}}]}}')
    assert (answered.status, answered.json["code"]) == (400, "max_members")


@pytest.mark.parametrize("kind", ["a" * 20_000, "a/b; x*=foo''%ff", "a/b; charset=\0", ";" * 9000])
def test_a_media_type_that_nobody_can_read_is_415(kind: str, one_connection: None) -> None:
    answered: list[str] = []

    def start(status: str, *_: Any) -> Callable[[bytes], object]:
        answered.append(status)
        return lambda _: None

    environ = EnvironBuilder(
        method="POST",
        path=BATCHES,
        base_url="https://localhost",
        data=GOOD,
        content_type=kind,
        headers=list(trusted().headers.items()),
    ).get_environ()
    body = b"".join(application(environ, start))
    assert answered == ["415 Unsupported Media Type"], body


@pytest.mark.parametrize("charset", ["zlib", "rot13", "base64", "hex", "bz2", "idna", "undefined"])
@pytest.mark.parametrize("kind", ["text/csv", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_charset_that_is_no_text_is_no_fault_in_a_query_or_form(
    method: str, kind: str, charset: str, one_connection: None
) -> None:
    answered: list[str] = []

    def start(status: str, *_: Any) -> Callable[[bytes], object]:
        answered.append(status)
        return lambda _: None

    token = "a" * 32  # of CSRF: the form is read
    environ = EnvironBuilder(
        method=method,
        path="/admin/login/",
        query_string="a=%C3%A9",
        base_url="https://localhost",
        data=b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n\xc3\r\n--x--\r\n',
        content_type=f"{kind}; charset={charset}",
        headers=[
            ("Cookie", f"csrftoken={token}; __Host-csrftoken={token}"),
            ("X-CSRFToken", token),
            ("Origin", "https://localhost"),
        ],
    ).get_environ()
    body = b"".join(application(environ, start))
    assert answered[0][0] in "24", (answered, body)


@pytest.fixture
def server(committed: None) -> Iterator[tuple[str, int]]:
    """Yield the host and port of a gunicorn with one worker, on the tests' database."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        environment = {**os.environ, "DATABASE_URL": database_url(), "SECRET_KEY": SECRET_KEY, "DEBUG": "off"}
        environment["SECURE_SSL_REDIRECT"] = "off"
        bound = f"fd://{listening.fileno()}"
        command = [sys.executable, "-m", "gunicorn", "dataforge.wsgi", "--bind", bound, "--log-level", "error"]
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, pass_fds=[listening.fileno()])
        try:
            yield listening.getsockname()
        finally:
            process.terminate()
            process.wait(20)


def talk(server: tuple[str, int], request: bytes) -> bytes:
    """Send ``request`` and hang up; return the answer."""
    with socket.create_connection(server, timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.slow
def test_a_real_server_says_what_is_wrong_with_a_body_and_goes_on(server: tuple[str, int]) -> None:
    body = f'{{"table": "{TABLE}", "records": [{GOOD}]}}'.encode()
    head = f"POST {BATCHES} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {trusted().headers['Authorization']}\r\n"

    def send(*headers: str, body: bytes = body) -> bytes:
        lines = "".join(f"{header}\r\n" for header in headers)
        return talk(server, f"{head}{lines}\r\n".encode("latin-1") + body)

    assert b'"truncated"' in send("Content-Length: 9999")
    assert b'"length_required"' in send("Transfer-Encoding: chunked", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert b'"max_bytes"' in send("Content-Length: 99999999999999999999")
    for wrong in ("-5", "abc", "1e3", "9" * 5000):
        assert send(f"Content-Length: {wrong}").startswith(b"HTTP/1.1 400 ")
    assert b'"bad_request"' in talk(
        server, f"GET {BATCHES}?{'a&' * 1500} HTTP/1.0\r\n{head.partition('\r\n')[2]}\r\n".encode()
    )
    assert send(f"Content-Length: {len(body)}").startswith(b"HTTP/1.1 201 ")
