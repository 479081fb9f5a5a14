"""Clients in processes of their own, servers that are always stopped, and the bodies they are given. No database."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks import bodies
from benchmarks.client import Address, post
from benchmarks.servers import HOST, running
from tests.support.loading.loads import hex_id, write_files


class Recorder(ThreadingHTTPServer):
    """Answers 201 to all, and knows from which connection which body came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.heard: list[tuple[int, bytes]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.client_address[1], body))
        self.send_response(400 if body == b"bad" else 201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Recorder]:
    with Recorder() as recorder:
        thread = threading.Thread(target=recorder.serve_forever)
        thread.start()
        yield recorder
        recorder.shutdown()
        thread.join()


def address(server: Recorder) -> Address:
    return Address(port=server.server_address[1], path="/", headers={})


def test_each_client_posts_its_share_on_one_connection_and_the_warm_up_does_not_count(server: Recorder) -> None:
    posted = post(address(server), [[b"a1", b"a2", b"a3"], [b"b1", b"b2", b"b3"]], warm_ups=1)
    assert [len(one.latencies) for one in posted] == [2, 2]
    assert all(one.ended > one.began for one in posted)
    assert sorted(body for _, body in server.heard) == [b"a1", b"a2", b"a3", b"b1", b"b2", b"b3"]
    assert len({connection for connection, _ in server.heard}) == 2


def test_an_answer_that_is_no_success_ends_the_measurement(server: Recorder, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        post(address(server), [[b"good", b"bad"]], warm_ups=1)
    assert "answered 400" in capfd.readouterr().err


def test_a_server_is_stopped_also_on_an_error() -> None:
    ports = []

    def fail_while_it_runs() -> None:
        with running((sys.executable, "-m", "http.server", "{port}", "--bind", HOST), {}) as port:
            socket.create_connection((HOST, port)).close()
            ports.append(port)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_it_runs()
    (port,) = ports
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port))


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="No module named"), running((sys.executable, "-m", "no_such_server"), {}):
        pass


def test_no_record_of_the_batches_is_stored_or_comes_twice(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"orders": [{}, {"order_id": hex_id(2)}]})
    batches = bodies.batches(folder, "orders", count=2, size=3)
    ids = [record["order_id"] for batch in batches for _, record in batch]
    assert [len(batch) for batch in batches] == [3, 3]
    assert len({*ids, hex_id(1), hex_id(2)}) == 8
    assert {record["customer_id"] for batch in batches for _, record in batch} == {hex_id(1)}


def test_every_second_record_of_a_bad_batch_is_changed(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"orders": [{}]})
    (batch,) = bodies.batches(folder, "orders", count=1, size=10)
    changed = [own != other for own, other in zip(batch, bodies.half_bad(batch), strict=True)]
    assert changed == [False, True] * 5
    assert bodies.good_half(batch) == [own for own in bodies.half_bad(batch) if own in batch]


def test_a_mixed_body_has_whole_orders_with_their_parts(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {table: [{}] for table in ("orders", *bodies.PARTS)})
    (batch,) = bodies.mixed_batches(folder, count=1)
    records = json.loads(bodies.mixed_body(batch))["records"]
    assert [record["table"] for record in records] == ["orders", *bodies.PARTS]
    assert len({record["data"]["order_id"] for record in records} - {hex_id(1)}) == 1
