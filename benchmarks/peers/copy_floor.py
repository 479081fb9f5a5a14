"""The floor of a batch: psycopg2's COPY of the same rows and one commit, with nothing checked and nothing answered."""

import csv
import io
import time
from collections.abc import Sequence
from contextlib import closing

import psycopg2
from django.db import connection
from psycopg2 import sql

from benchmarks.bodies import Batch

type Copies = list[tuple[sql.Composed, str]]  # (COPY statement, rows as CSV), parents first


def prepared(batch: Batch) -> Copies:
    """Render a batch, table by table, before the clock runs."""
    return [_copy(table, [record for own, record in batch if own == table]) for table in dict(batch)]


def copy_batches(batches: Sequence[Copies], *, warm_ups: int) -> list[float]:
    """Copy batch after batch on one connection and give the seconds of each; the first ``warm_ups`` do not count."""
    latencies = []
    with closing(psycopg2.connect(**connection.get_connection_params())) as server, server.cursor() as cursor:
        for copies in batches:
            began = time.perf_counter()
            for statement, rows in copies:
                cursor.copy_expert(statement, io.StringIO(rows))
            server.commit()
            latencies.append(time.perf_counter() - began)
    return latencies[warm_ups:]


def _copy(table: str, records: Sequence[dict[str, object]]) -> tuple[sql.Composed, str]:
    rows = io.StringIO()
    csv.writer(rows, quoting=csv.QUOTE_NOTNULL).writerows(record.values() for record in records)
    columns = sql.SQL(", ").join(map(sql.Identifier, records[0]))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(f"olist_{table}"), columns)
    return statement, rows.getvalue()
