"""The load against what else loads CSV files from Python: Django, pandas and dlt."""

from collections.abc import Callable
from pathlib import Path

from django.db import connection

from benchmarks import scratch
from benchmarks.agreeing import agreeing
from benchmarks.child import PEERS, in_child, in_peer
from benchmarks.frame import Contender, Contest, Row, Run
from benchmarks.loads import load_files

LOAD, BULK, PANDAS, DLT = "load (beside peers)", "Django bulk_create", "pandas.to_sql", "dlt"
WORK = "load into empty tables"
DLT_SCHEMA = "olist_by_dlt"
NOTES = (
    """Peers of the load: `benchmarks/peers/django_bulk.py`, `pandas_to_sql.py`, `dlt_load.py`. They check nothing that
    PostgreSQL does not, and keep no rejects. pandas sends its rows by COPY, as its user guide shows; dlt loads tables
    of its own, without any constraint on their values.""",
)


def contest(clean: Path) -> Contest:
    """All rows at one size; a peer that is not installed is left out by name."""
    from benchmarks.peers import django_bulk

    folder = str(clean)
    same = agreeing(scratch.counts, what="rows by table")
    contenders = [
        _contender(LOAD, lambda: in_child(load_files, folder), same),
        _contender(BULK, lambda: in_child(django_bulk.load, folder), same),
    ]
    left_out = []
    peers = (
        (PANDAS, "sqlalchemy", "benchmarks.peers.pandas_to_sql:load", same),
        (DLT, "dlt", "benchmarks.peers.dlt_load:load", agreeing(_rows_of_dlt, what="rows by table of dlt")),
    )
    for name, package, work, check in peers:
        if (PEERS / package).is_dir():
            contenders.append(_contender(name, _peer(work, folder), check))
        else:
            left_out.append(f"{name} is left out: not installed (`make bench` does, from requirements-bench.txt).")
    rows = [Row(work=WORK, ours=LOAD, against=contender.name) for contender in contenders[1:]]
    return Contest(name="load, peers", contenders=tuple(contenders), rows=tuple(rows), notes=(*NOTES, *left_out))


def _peer(work: str, folder: str) -> Callable[[], Run]:
    return lambda: in_peer(work, folder, scratch.database_url())


def _contender(name: str, run: Callable[[], Run], check: Callable[[], None]) -> Contender:
    return Contender(name=name, run=run, prepare=_prepare, check=check)


def _prepare() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"drop schema if exists {DLT_SCHEMA} cascade")
        cursor.execute(f"drop schema if exists {DLT_SCHEMA}_staging cascade")
    scratch.empty_tables()


def _rows_of_dlt() -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in scratch.counts():
            cursor.execute(f"select count(*) from {DLT_SCHEMA}.{table}")
            ((counts[table],),) = cursor.fetchall()
    return counts
