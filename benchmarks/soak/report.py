"""The report of a soak."""

import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles

from benchmarks.soak.arena import THREADS, WORKERS
from benchmarks.soak.clients import CLIENTS, Client
from benchmarks.soak.proof import Check, Worker
from benchmarks.soak.watch import Backups, Scraper


@dataclass(frozen=True)
class SoakResult:
    """What was done, met and proved; ``workers``: their memory."""

    seconds: int
    clients: Sequence[Client]
    faults: Sequence[tuple[float, str]]
    backups: Backups
    scraper: Scraper
    workers: Sequence[Worker]
    checks: Sequence[Check]
    postgres: str
    load_before: float


def render(soaked: SoakResult) -> str:
    """Write it as Markdown."""
    met: Counter[str] = sum((client.met for client in soaked.clients), Counter())
    lines = [
        "# Soak",
        "",
        _setting(soaked),
        "",
        "| claim | tried on | holds |",
        "|---|---:|---|",
        *(f"| {check.claim} | {check.tried:,} | {_verdict(check)} |" for check in soaked.checks),
        "",
        "## What was done to it",
        "",
        *(f"- after {at:.0f} s: {name}" for at, name in soaked.faults),
        f"- backups of all tables in a loop: {_counted(soaked.backups.codes, 'exit code')}",
        f"- `/metrics` scraped: {_counted(soaked.scraper.answers, 'answer')}",
        "",
        "## What the clients met",
        "",
        f"{_batches(soaked)} One that got no answer, 409, 429 or 503 sent the batch again with its key.",
        "",
        "| answer | times |",
        "|---|---:|",
        *(f"| {name} | {count:,} |" for name, count in sorted(met.items())),
        "",
        "## Memory of the workers after the faults",
        "",
        "| worker | MiB at first | MiB at last | MiB at most | MiB a minute |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {place} | {worker.first:.1f} | {worker.last:.1f} | {worker.most:.1f} | {worker.a_minute:+.2f} |"
            for place, worker in enumerate(soaked.workers, start=1)
        ),
        "",
    ]
    return "\n".join(lines)


def _setting(soaked: SoakResult) -> str:
    return (
        f"{CLIENTS} clients for {soaked.seconds} s against gunicorn ({WORKERS} workers of {THREADS} threads, settings "
        f"of production) and PostgreSQL {soaked.postgres}; {os.cpu_count()} cores shared by all of them and "
        f"by other work (load average before: {soaked.load_before:.1f}), "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}. Written by `make soak`."
    )


def _verdict(check: Check) -> str:
    if not check.failures:
        return "yes"
    shown = "; ".join(check.failures[:3]).replace("|", "/").replace("\n", " ")
    return f"**no, {len(check.failures)} times**: {shown}"


def _counted(counts: Counter[int] | Counter[str], what: str) -> str:
    return ", ".join(f"{count:,} with {what} {name}" for name, count in sorted(counts.items(), key=str))


def _batches(soaked: SoakResult) -> str:
    sent = [batch for client in soaked.clients for batch in client.sent]
    seconds = [second for client in soaked.clients for second in client.seconds]
    records = sum(sum(table["read"] for table in batch.answer["tables"].values()) for batch in sent if batch.answer)
    left = sum(batch.abandoned for batch in sent)
    cuts = quantiles(seconds, n=100)
    return (
        f"{len(sent):,} batches of {records:,} records; {left:,} were sent by a client that hung up. "
        f"Half were answered within {cuts[49] * 1000:.0f} ms, 99 of 100 within {cuts[98] * 1000:.0f} ms."
    )
