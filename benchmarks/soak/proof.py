"""Whether anything is missing, half there or double: what the clients were told against what the database holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.soak.arena import Postgres, Site
from benchmarks.soak.clients import Client, SentBatch
from benchmarks.soak.watch import Backups, Memory, Scraper

OUTCOMES = ("inserted", "updated", "unchanged", "duplicates", "rejected", "rolled_back")
MAX_GROWTH_MIB_A_MINUTE = 3.0
MAX_MIB = 400.0
LONG_SECONDS = 300  # in less, a slope would be that of workers that still warm up

_KEYS = "select key, answer::json->>'id', status from access_idempotencykey"
_BATCHES = "select id::text from ingest_batch where origin = 'api'"
# The counts of each account of the endpoint, as its answers tell them.
_COUNTS = """
select batch_id::text, "table", read, inserted, updated, unchanged, duplicates, rejected, rolled_back
from ingest_account a join ingest_batch b on b.id = a.batch_id where b.origin = 'api'
"""
# How many customers of its own each batch has stored, by the prefix of their ids.
_OWN = """
select left(customer_id, 16), count(*) from olist_customers
where right(customer_id, 16) < '00000000000f4240' and left(customer_id, 16) <> '0000000000000000' group by 1
"""
# What became of all records of each table, by its accounts.
_SUMS = """
select "table", sum(inserted), sum(updated), sum(unchanged), sum(duplicates), sum(rejected), sum(rolled_back)
from ingest_account group by "table"
"""
# The rejects of each batch that were sent wrong on purpose, and how often the most often seen of them was seen.
_BAD = """
select batch_id::text, count(*), max(times_seen) from ingest_rejectedrecord
where codes @> array['invalid_choice'] group by batch_id
"""
_TALLIES = "select subject, detail, sum(amount) from ingest_tally where series = 'records' group by 1, 2"
# How many accounts do not add up.
_UNBALANCED = """
select count(*) from ingest_account
where read <> inserted + updated + unchanged + duplicates + rejected + rolled_back
"""
# The newest finished backup of each table.
_NEWEST = """
select distinct on ("table") path from backups_backup where status = 'done' order by "table", snapshot_at desc
"""


@dataclass(frozen=True)
class Check:
    """One claim: how many things it was tried on, and those of which it does not hold."""

    claim: str
    tried: int
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Worker:
    """The MiB of one worker in the quiet part."""

    first: float
    last: float
    most: float
    a_minute: float


def settle(clients: Sequence[Client], postgres: Postgres) -> Check:
    """Send the batches that were never answered again: those that are there are replayed, the others carried out."""
    there = {key for key, _, _ in postgres.ask(_KEYS)}
    failures, tried = [], 0
    for client in clients:
        for batch in (sent for sent in client.sent if sent.answer is None):
            client.insist(batch)
            tried += 1
            if batch.replayed != (batch.key in there):
                failures.append(f"{batch.key}: there before: {batch.key in there}, replayed: {batch.replayed}")
    claim = "A batch that was never answered is there or not; the same key again replays it or carries it out"
    return Check(claim, tried, tuple(failures))


def prove(clients: Sequence[Client], postgres: Postgres) -> list[Check]:
    """Compare all answers with all that is stored."""
    sent = [batch for client in clients for batch in client.sent]
    bad_status = [f"{batch.key}: {batch.status}" for batch in sent if batch.status not in (200, 201, 207, 422)]
    by_id = {str(batch.answer["id"]): batch for batch in sent if batch.answer}
    return [
        Check("Every batch ended in an answer that settles it, and none in a 5xx", len(sent), tuple(bad_status)),
        _once(sent, by_id, postgres),
        _accounts(by_id, postgres),
        _own_rows(sent, postgres),
        _rejects(by_id, postgres),
        *_sums(postgres),
    ]


def _once(sent: Sequence[SentBatch], by_id: dict[str, SentBatch], postgres: Postgres) -> Check:
    stored = {number for (number,) in postgres.ask(_BATCHES)}
    kept = {key: (number, status) for key, number, status in postgres.ask(_KEYS)}
    failures = [f"answered and not there: {number}" for number in by_id.keys() - stored]
    failures += [f"there and never answered: {number}" for number in stored - by_id.keys()]
    failures += [f"the answer's id twice: {len(sent)} batches, {len(by_id)} ids"] * (len(by_id) != len(sent))
    failures += [
        f"{batch.key} is kept as {kept.get(batch.key)}"
        for number, batch in by_id.items()
        if kept.get(batch.key) != (number, batch.status)
    ]
    return Check("Every answered batch is in the database exactly once, and no other is", len(stored), tuple(failures))


def _accounts(by_id: dict[str, SentBatch], postgres: Postgres) -> Check:
    stored: dict[str, dict[str, list[int]]] = {}
    for number, table, *counts in postgres.ask(_COUNTS):
        stored.setdefault(number, {})[table] = counts
    failures = []
    for number, batch in by_id.items():
        tables = (batch.answer or {})["tables"]
        told = {table: [counts[name] for name in ("read", *OUTCOMES)] for table, counts in tables.items()}
        if told != stored.get(number):
            failures.append(f"{batch.key}: told {told}, stored {stored.get(number)}")
    return Check("Each answer says of every table what the account says", len(by_id), tuple(failures))


def _own_rows(sent: Sequence[SentBatch], postgres: Postgres) -> Check:
    """Customers that only one batch has: all of them, or none where the batch was refused as a whole."""
    stored = dict(postgres.ask(_OWN))
    due = {batch.prefix: batch.own for batch in sent if not _refused(batch)}
    failures = [
        f"{p}: {stored.get(p, 0)} of {due.get(p, 0)}"
        for p in stored.keys() | due.keys()
        if stored.get(p, 0) != due.get(p, 0)
    ]
    claim = "Rows that only one batch has are all there, or none where it was refused (atomic)"
    return Check(claim, sum(due.values()), tuple(failures))


def _refused(batch: SentBatch) -> bool:
    return batch.answer is not None and batch.answer["mode"] == "atomic" and batch.answer["status"] == "rejected"


def _rejects(by_id: dict[str, SentBatch], postgres: Postgres) -> Check:
    stored = {number: (count, most) for number, count, most in postgres.ask(_BAD)}
    failures = []
    for number, batch in by_id.items():
        results = (batch.answer or {})["results"]
        due = sum(any(r["code"] == "invalid_choice" for r in result.get("reasons", ())) for result in results)
        if stored.get(number, (0, 1)) != (due, 1):
            failures.append(f"{batch.key}: {due} told, stored {stored.get(number)}")
    claim = "Each refused record is kept as one reject, seen once"
    return Check(claim, sum(count for count, _ in stored.values()), tuple(failures))


def _sums(postgres: Postgres) -> list[Check]:
    sums = {table: dict(zip(OUTCOMES, map(int, counts), strict=True)) for table, *counts in postgres.ask(_SUMS)}
    rows = {table: int(postgres.ask(f"select count(*) from olist_{table}")[0][0]) for table in sums}
    ((unbalanced,),) = postgres.ask(_UNBALANCED)
    failures = [f"{t}: {rows[t]} rows, {sums[t]['inserted']} inserted" for t in sums if rows[t] != sums[t]["inserted"]]
    failures += [f"{unbalanced} accounts do not add up"] * bool(unbalanced)
    tallies = {(table, outcome): int(amount) for table, outcome, amount in postgres.ask(_TALLIES)}
    due = {(table, outcome): count for table, counts in sums.items() for outcome, count in counts.items() if count}
    wrong = [
        f"{key}: {tallies.get(key)} of {due.get(key)}"
        for key in tallies.keys() | due.keys()
        if tallies.get(key) != due.get(key)
    ]
    return [
        Check(
            "All accounts add up, and together say how many rows each table has", sum(rows.values()), tuple(failures)
        ),
        Check("The counters of /metrics say what the accounts say", len(due), tuple(wrong)),
    ]


def prove_backups(backups: Backups, site: Site, postgres: Postgres) -> list[Check]:
    """Verify every backup that counts as done, and restore the newest of each table into a scratch table."""
    paths = [path for (path,) in postgres.ask(_NEWEST)]
    checked = site.command("verify_backup", "--all")
    drilled = site.command("verify_backup", "--drill", *paths)
    return [
        Check(
            "A backup that met a restart failed with a clear message",
            sum(backups.codes.values()),
            tuple(backups.unclear),
        ),
        Check(
            "Every backup that was made verifies",
            checked.stdout.count(": whole ("),
            (checked.stderr[-2000:] or "exit code",) if checked.returncode or not backups.codes[0] else (),
        ),
        Check(
            "The newest of each table is restored into a scratch table, and is the same",
            drilled.stdout.count("PostgreSQL restores it"),
            (drilled.stderr[-2000:],) if drilled.returncode else (),
        ),
    ]


def prove_scrapes(scraper: Scraper) -> Check:
    """No counter ever fell."""
    return Check("No counter ever fell, over restarts and workers", scraper.answers["200"], tuple(scraper.fallen[:5]))


def prove_memory(memory: Memory, *, seconds: float, quiet_from: float) -> tuple[Check, list[Worker]]:
    """Bound the memory of every worker, and its slope where it lived through a quiet part that is long enough."""
    workers = [
        Worker(quiet[0][1], quiet[-1][1], max(size for _, size in quiet), _slope(quiet) * 60)
        for samples in memory.samples.values()
        if (quiet := [(at, size) for at, size in samples if at >= quiet_from * seconds])
        and quiet[-1][0] - quiet[0][0] > 0.8 * (1 - quiet_from) * seconds
    ]
    limit = MAX_GROWTH_MIB_A_MINUTE if seconds >= LONG_SECONDS else float("inf")
    failures = [f"{worker.a_minute:+.2f} MiB a minute" for worker in workers if worker.a_minute > limit]
    failures += [f"{worker.most:.0f} MiB" for worker in workers if worker.most > MAX_MIB]
    failures += ["no worker lived through the quiet part"] * (not workers)
    slope = f" and grows by at most {limit:g} MiB a minute" if seconds >= LONG_SECONDS else ""
    return Check(f"The memory of a worker stays below {MAX_MIB:g} MiB{slope}", len(workers), tuple(failures)), workers


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Fit a line by least squares; return how much it rises in a second."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
