"""The floor of a batch: psycopg2's COPY of the same rows and one commit, with nothing checked and nothing answered."""

import csv
import io
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import psycopg2
from django.db import connection
from psycopg2 import sql

from benchmarks.bodies import Batch

READY_TIMEOUT_SECONDS = 60.0

type Copies = list[tuple[sql.Composed, str]]  # (COPY statement, rows as CSV), parents first


def prepared(batch: Batch) -> Copies:
    """Render a batch, table by table, before the clock runs."""
    return [_copy(table, [record for own, record in batch if own == table]) for table in dict(batch)]


def copy_batches(batches: Sequence[Copies], *, warm_ups: int) -> list[float]:
    """Copy batch after batch on one connection and return the seconds of each; the first ``warm_ups`` do not count."""
    with closing(psycopg2.connect(**connection.get_connection_params())) as server:
        return [_copied(server, copies) for copies in batches][warm_ups:]


def copy_together(shares: Sequence[Sequence[Copies]], *, warm_ups: int) -> float:
    """Copy each share on a connection of its own at the same time; return the seconds of all of it, a counted batch."""
    parameters = connection.get_connection_params()
    ready = Barrier(len(shares), timeout=READY_TIMEOUT_SECONDS)

    def copy_share(share: Sequence[Copies]) -> tuple[float, float]:
        with closing(psycopg2.connect(**parameters)) as server:
            for copies in share[:warm_ups]:
                _copied(server, copies)
            ready.wait()
            began = time.perf_counter()
            for copies in share[warm_ups:]:
                _copied(server, copies)
            return began, time.perf_counter()

    with ThreadPoolExecutor(len(shares)) as threads:  # which wait for the server and not for one another
        began, ended = zip(*threads.map(copy_share, shares), strict=True)
    return float(max(ended) - min(began)) / sum(len(share) - warm_ups for share in shares)


def _copied(server: psycopg2.extensions.connection, copies: Copies) -> float:
    """Copy and commit one batch; return the seconds."""
    began = time.perf_counter()
    with server.cursor() as cursor:
        for statement, rows in copies:
            cursor.copy_expert(statement, io.StringIO(rows))
    server.commit()
    return time.perf_counter() - began


def _copy(table: str, records: Sequence[dict[str, object]]) -> tuple[sql.Composed, str]:
    rows = io.StringIO()
    csv.writer(rows, quoting=csv.QUOTE_NOTNULL).writerows(record.values() for record in records)
    columns = sql.SQL(", ").join(map(sql.Identifier, records[0]))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(f"olist_{table}"), columns)
    return statement, rows.getvalue()
