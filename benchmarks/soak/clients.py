"""Eight clients: batches of good, bad and overlapping records, each sent with its key until it is answered."""

import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CLIENTS = 8
UNIQUE = 20  # customers that only one batch ever has, and an order of each
BAD = 3
SHARED, SHARED_CHOSEN = 500, 8  # customers that all batches fight over
LARGE_EVERY, LARGE = 25, 300
PATIENCE_SECONDS = 120
ABANDONED = 0.05  # share of the batches whose answer the client does not wait for
LOST = (OSError, http.client.HTTPException)
WAIT_SECONDS = 0.25  # at most, whatever Retry-After says: the soak is to meet the service as it comes back

type Json = dict[str, Any]


@dataclass
class SentBatch:
    """One batch: what of it must be there, once it is answered."""

    key: str
    body: bytes
    prefix: str  # of the ids of its own customers
    own: int
    answer: Json | None = None
    status: int = 0
    replayed: bool = False
    abandoned: bool = False


@dataclass
class Client:
    """One client, its batches, and what it met on its way."""

    number: int
    port: int
    token: str
    sent: list[SentBatch] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.number)
        self._connection: http.client.HTTPConnection | None = None

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Send batch after batch."""
        while goes_on():
            batch = self._make(len(self.sent))
            self.sent.append(batch)
            if self._dice.random() < ABANDONED:
                self._abandon(batch)
            else:
                self.insist(batch)

    def insist(self, batch: SentBatch) -> None:
        """Send a batch, again and again, until it has an answer that settles it; TimeoutError where none comes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            started = time.monotonic()
            try:
                status, headers, text = self._post(batch)
            except LOST as error:
                self.met[f"no answer ({type(error).__name__})"] += 1
                self._hang_up()
                time.sleep(0.05)
                continue
            if status in (409, 429, 503):
                self.met[f"{status} {json.loads(text)['code']}"] += 1
                time.sleep(min(float(headers.get("Retry-After", WAIT_SECONDS)), WAIT_SECONDS))
                continue
            self.seconds.append(time.monotonic() - started)
            self.met[str(status)] += 1
            batch.status, batch.answer = status, json.loads(text)
            batch.replayed = headers.get("Idempotency-Replayed") == "true"
            return
        raise TimeoutError(f"batch {batch.key} was not answered in {PATIENCE_SECONDS} s")

    def _abandon(self, batch: SentBatch) -> None:
        """Send a batch and hang up at some moment, as a client that is killed does."""
        batch.abandoned = True
        self._hang_up()
        try:
            connection = self._connect()
            connection.request("POST", "/api/v1/batches/", batch.body, self._headers(batch))
            time.sleep(self._dice.uniform(0, 0.1))
        except LOST as error:
            self.met[f"no answer ({type(error).__name__})"] += 1
        self._hang_up()

    def _post(self, batch: SentBatch) -> tuple[int, http.client.HTTPMessage, str]:
        connection = self._connect()
        connection.request("POST", "/api/v1/batches/", batch.body, self._headers(batch))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _headers(self, batch: SentBatch) -> dict[str, str]:
        return {
            "Authorization": f"Token {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": batch.key,
        }

    def _make(self, number: int) -> SentBatch:
        prefix = f"{self.number:04x}{number:012x}"
        own = LARGE if number % LARGE_EVERY == LARGE_EVERY - 1 else UNIQUE
        records = [_customer(f"{prefix}{index:016x}") for index in range(own)]
        records += [_order(f"{prefix}{index:016x}") for index in range(own)]
        records += [_payment(f"{prefix}{index:016x}") for index in range(0, own, 2)]
        records += [_shared(self._dice) for _ in range(SHARED_CHOSEN)]
        atomic = self._dice.random() < 0.15
        if not atomic or self._dice.random() < 0.5:
            records += [_customer(f"{prefix}{BAD_FROM + index:016x}", state="XX") for index in range(BAD)]
        if self._dice.random() < 0.2:  # an order that comes before its customer, whom this client's next batch brings
            records.append(_order(f"{prefix}{EARLY:016x}", customer=f"{self.number:04x}{number + 1:012x}{0:016x}"))
        self._dice.shuffle(records)
        body = {
            "records": records,
            "mode": "atomic" if atomic else "partial",
            "on_conflict": self._dice.choice(["reject", "update"]),
            "results": "errors",
        }
        return SentBatch(key=f"{self.number}-{number}", body=json.dumps(body).encode(), prefix=prefix, own=own)


BAD_FROM, EARLY = 1_000_000, 2_000_000  # places in the ids of a batch


def _shared(dice: random.Random) -> Json:
    number = f"{dice.randrange(SHARED):032x}"
    return _customer(number, city=dice.choice(["rio de janeiro", "santos", "niteroi"]))


def _customer(number: str, *, city: str = "sao paulo", state: str = "SP") -> Json:
    data = {
        "customer_id": number,
        "customer_unique_id": number,
        "customer_zip_code_prefix": "01037",
        "customer_city": city,
        "customer_state": state,
    }
    return {"table": "customers", "data": data}


def _order(number: str, *, customer: str = "") -> Json:
    data = {
        "order_id": number,
        "customer_id": customer or number,
        "order_status": "created",
        "order_purchase_timestamp": "2018-08-01 10:00:00",
        "order_estimated_delivery_date": "2018-08-20 00:00:00",
    }
    return {"table": "orders", "data": data}


def _payment(order: str) -> Json:
    data = {
        "order_id": order,
        "payment_sequential": 1,
        "payment_type": "boleto",
        "payment_installments": 1,
        "payment_value": "18.90",
    }
    return {"table": "order_payments", "data": data}
