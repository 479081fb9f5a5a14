"""The soak's proof finds what it is there to find."""

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.soak import proof
from benchmarks.soak.clients import Client, SentBatch
from benchmarks.soak.watch import Memory, Scraper

COUNTS = {"read": 2, "inserted": 2, "updated": 0, "unchanged": 0, "duplicates": 0, "rejected": 0, "rolled_back": 0}


def soaked() -> tuple[list[Client], dict[str, list[tuple[Any, ...]]]]:
    """Return a client with one answered batch, and what a database says in which it is there."""
    answer = {"id": "b", "status": "accepted", "mode": "partial", "tables": {"customers": COUNTS}, "results": []}
    sent = SentBatch(key="1-0", body=b"", prefix="p", own=2, answer=answer, status=201)
    told: dict[str, list[tuple[Any, ...]]] = {
        proof._BATCHES: [("b",)],
        proof._KEYS: [("1-0", "b", 201)],
        proof._COUNTS: [("b", "customers", *COUNTS.values())],
        proof._OWN: [("p", 2)],
        proof._BAD: [],
        proof._SUMS: [("customers", 2, 0, 0, 0, 0, 0)],
        proof._UNBALANCED: [(0,)],
        proof._TALLIES: [("customers", "inserted", 2)],
        "select count(*) from olist_customers": [(2,)],
    }
    return [Client(1, 0, "", sent=[sent])], told


def failures(clients: list[Client], told: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """Return the claims that do not hold."""
    postgres: Any = SimpleNamespace(ask=lambda statement: told[statement])
    return [check.claim for check in proof.prove(clients, postgres) if check.failures]


def test_what_is_whole_is_found_whole() -> None:
    assert failures(*soaked()) == []


@pytest.mark.parametrize(
    ("question", "said", "claim"),
    [
        ("_BATCHES", [], "exactly once"),
        ("_BATCHES", [("b",), ("never answered",)], "exactly once"),
        ("_KEYS", [("1-0", "another", 201)], "exactly once"),
        ("_COUNTS", [("b", "customers", 2, 1, 1, 0, 0, 0, 0)], "what the account says"),
        ("_OWN", [("p", 1)], "Rows that only one batch has"),
        ("_OWN", [("p", 2), ("of nobody", 1)], "Rows that only one batch has"),
        ("_BAD", [("b", 1, 1)], "one reject"),
        ("_SUMS", [("customers", 3, 0, 0, 0, 0, 0)], "together say how many rows"),
        ("_UNBALANCED", [(1,)], "All accounts add up"),
        ("_TALLIES", [("customers", "inserted", 4)], "counters of /metrics"),
    ],
)
def test_what_is_missing_half_there_or_double_is_found(question: str, said: list[Any], claim: str) -> None:
    clients, told = soaked()
    told[getattr(proof, question)] = said
    assert any(claim in failure for failure in failures(clients, told))


def test_a_batch_that_ended_in_a_500_is_found() -> None:
    clients, told = soaked()
    clients[0].sent[0].status = 500
    assert any("none in a 5xx" in failure for failure in failures(clients, told))


def test_a_counter_that_falls_is_found() -> None:
    scraper = Scraper()
    for value in (5, 5, 4):
        scraper._compare(f'# HELP x\ndataforge_records_total{{table="orders"}} {value}.0\n')
    assert proof.prove_scrapes(scraper).failures == ('dataforge_records_total{table="orders"}: 5.0 -> 4.0',)


@pytest.mark.parametrize(("a_minute", "flat"), [(1.0, True), (6.0, False)])
def test_memory_that_grows_is_found(a_minute: float, flat: bool) -> None:  # noqa: FBT001 - pytest's
    samples = {7: [(float(at), 200 + a_minute * at / 60) for at in range(600)]}
    check, (worker,) = proof.prove_memory(Memory(samples), seconds=600, quiet_from=0.5)
    assert worker.a_minute == pytest.approx(a_minute)
    assert (not check.failures) is flat
