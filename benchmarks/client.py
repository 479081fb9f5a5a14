"""Clients of a running server, each a process of its own with one warm connection (loopback, HTTP keep-alive).

``python -m benchmarks.client`` is one client: it reads its task as a pickle from stdin, warms its connection up, says
``ready``, waits for a line, posts body after body and tells its times. It needs Python's own library only.
"""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path

LIMIT_SECONDS = 30.0
REQUEST_TIMEOUT_SECONDS = 60.0
ACCEPTED = (200, 201, 207)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where and how to post; ``headers`` carry the token."""

    port: int
    path: str
    headers: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ClientRun:
    """What one client did: seconds of each counted request, begin and end on the machine's monotonic clock."""

    latencies: tuple[float, ...]
    began: float
    ended: float


def post(address: Address, shares: Sequence[Sequence[bytes]], *, warm_ups: int) -> list[ClientRun]:
    """Let one client for each share post its bodies at the same time; the first ``warm_ups`` of each do not count.

    No client begins a request after LIMIT_SECONDS. Raises CalledProcessError where an answer was not a 2xx.
    """
    command = [sys.executable, "-m", "benchmarks.client"]
    with ExitStack() as stack:
        clients = []
        for share in shares:
            client = stack.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parents[1]
                )
            )
            stack.callback(client.kill)  # does nothing to one that has ended
            clients.append(client)
            _send(client, pickle.dumps((asdict(address), list(share), warm_ups)))
        for client in clients:
            _line(client)
        for client in clients:
            _send(client, b"\n")
        told = [json.loads(_line(client)) for client in clients]
    return [ClientRun(latencies=tuple(one["latencies"]), began=one["began"], ended=one["ended"]) for one in told]


def _send(client: subprocess.Popen[bytes], message: bytes) -> None:
    assert client.stdin is not None
    client.stdin.write(message)
    client.stdin.flush()


def _line(client: subprocess.Popen[bytes]) -> bytes:
    assert client.stdout is not None
    line = client.stdout.readline()
    if not line:
        raise subprocess.CalledProcessError(client.wait(), client.args)
    return line


class Client:
    """One connection."""

    def __init__(self, address: Address) -> None:
        """Connect at the first request."""
        self._address = address
        self._connection = HTTPConnection("127.0.0.1", address.port, timeout=REQUEST_TIMEOUT_SECONDS)
        self._headers = {**address.headers, "Content-Type": "application/json"}

    def post(self, body: bytes) -> float:
        """Return the seconds from the first byte sent to the last byte read."""
        began = time.perf_counter()
        self._connection.request("POST", self._address.path, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - began
        if response.status not in ACCEPTED:
            sys.exit(f"{self._address.path} answered {response.status}: {answer[:1000]!r}")
        return seconds


def main() -> None:
    """Be one client."""
    where, bodies, warm_ups = pickle.load(sys.stdin.buffer)
    client = Client(Address(**where))
    for body in bodies[:warm_ups]:
        client.post(body)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.buffer.readline()
    latencies = []
    began = time.perf_counter()
    for body in bodies[warm_ups:]:
        latencies.append(client.post(body))
        if time.perf_counter() - began > LIMIT_SECONDS:
            break
    told = {"latencies": latencies, "began": began, "ended": time.perf_counter()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
