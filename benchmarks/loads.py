"""The load against bare COPY, a reload against the first load, a dirty load against a clean one, and their memory."""

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks import scratch
from benchmarks.agreeing import agreeing
from benchmarks.child import in_child
from benchmarks.frame import Contender, Contest, Peak, Row, Run

GIB = 1 << 30
LOAD, DIRTY, RELOAD = "load", "load, 5 % bad", "reload"
RELOAD_RECORDS = "reload, by record"
CONSTRAINED, FLOOR, RELOAD_FLOOR = "COPY, constrained", "COPY, then constraints", "COPY, anti-join"
NOTES = (
    """Every run is a process of its own that measures itself: the interpreter's start and connecting are left out, the
    first use of each library is not. Each starts from truncated tables, after VACUUM and CHECKPOINT.""",
    """Ours reads, normalises, checks every rule, finds duplicates, keeps rejects and the account, and ends with
    ANALYZE. Bare COPY does none of that, and its two repairs are given to it: see `benchmarks/copies.py`.""",
    """A reload hashes each file and each table whole, and knows a file as unchanged where both, and the rules, are what
    they were when they agreed. Record by record: the same reload without that knowledge.""",
)


def load_files(folder: str) -> None:
    """Load ``folder`` as ``manage.py load_olist`` does."""
    from ingest.loading.load import load
    from ingest.loading.options import LoadOptions

    load(folder, LoadOptions())


def contest(clean: Path, dirty: Path) -> Contest:
    """All rows at one size."""
    from benchmarks import copies

    def reload_state() -> None:
        scratch.empty_tables()
        load_files(str(clean))
        scratch.settle()

    def forgotten() -> None:
        from ingest.models import Account

        Account.objects.update(table_fingerprint="")  # so that the files are not known to agree with the tables
        scratch.settle()

    def loaded() -> None:
        scratch.settle()  # a reload changes nothing, so the next contender finds what it needs

    def reload() -> Run:
        return in_child(load_files, str(clean))

    def reloaded(times: int) -> None:
        """See that so many loads in a row have read the same, and the last of them changed nothing."""
        from ingest.models import Account

        accounts = Account.objects.filter(table="order_reviews").values_list("read", "inserted", "rejected")
        if [(read > 0, new > 0, refused) for read, new, refused in accounts.order_by("id")] != [
            (True, not number, 0) for number in range(times)
        ]:
            raise RuntimeError(f"{times} loads of the same files are accounted for as {list(accounts)}")
        same()

    def told_truth() -> None:
        """See that every record that was made bad was rejected."""
        from ingest.models import Account

        truth = json.loads((dirty / "truth.json").read_text(encoding="utf-8"))
        bad = sum(record["outcome"] == "rejected" for record in truth["records"])
        bad += sum(truth["meta"]["parent_rejected"].values())
        rejected = sum(Account.objects.values_list("rejected", flat=True))
        if rejected != bad:
            raise RuntimeError(f"{rejected:,} records were rejected where {bad:,} are bad")

    same = agreeing(scratch.counts, what="rows by table")
    return Contest(
        name="load",
        contenders=(
            _empty(LOAD, lambda: in_child(load_files, str(clean)), same),
            _empty(CONSTRAINED, lambda: in_child(copies.copy_constrained, str(clean)), same),
            _empty(FLOOR, lambda: in_child(copies.copy_then_constrain, str(clean)), same),
            _empty(DIRTY, lambda: in_child(load_files, str(dirty)), told_truth),
            Contender(name=RELOAD, prepare=reload_state, run=reload, check=lambda: reloaded(2)),
            Contender(name=RELOAD_RECORDS, prepare=forgotten, run=reload, check=lambda: reloaded(3)),
            Contender(name=RELOAD_FLOOR, prepare=loaded, run=lambda: in_child(copies.copy_and_compare, str(clean))),
        ),
        rows=(
            Row(work="load into empty tables", ours=LOAD, against=CONSTRAINED, bar=0.40),
            Row(work="load into empty tables", ours=LOAD, against=FLOOR, bar=1.8),
            Row(work="reload, all unchanged", ours=RELOAD, against=LOAD, bar=0.6),
            Row(work="reload, compared record by record", ours=RELOAD_RECORDS, against=LOAD),
            Row(work="reload, compared record by record", ours=RELOAD_RECORDS, against=RELOAD_FLOOR),
            Row(work="load with 5 % bad records", ours=DIRTY, against=LOAD, bar=1.3),
        ),
        peaks=(Peak(work="load into empty tables", ours=LOAD, bar_bytes=GIB),),
        notes=NOTES,
    )


def large_contest(clean: Path, large: Path) -> Contest:
    """The load at ten times the size, once."""
    big = "load, 10 x size"

    def all_there() -> None:
        if not all(scratch.counts().values()):
            raise RuntimeError("a table is empty after its load")

    return Contest(
        name="large",
        contenders=(
            _empty(LOAD, lambda: in_child(load_files, str(clean)), all_there),
            _empty(big, lambda: in_child(load_files, str(large)), all_there),
        ),
        rows=(Row(work="load at 10 x size", ours=big, against=LOAD, bar=11.0),),
        peaks=(Peak(work="load at 10 x size", ours=big, bar_bytes=3 * GIB // 2),),
        rounds=1,
        warm_up=False,
    )


def _empty(name: str, run: Callable[[], Run], check: Callable[[], None] = lambda: None) -> Contender:
    return Contender(name=name, prepare=scratch.empty_tables, run=run, check=check)
