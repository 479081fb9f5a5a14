"""Many rejects, and what a page of the desk costs the database: its queries and their plans, as they ran."""

from dataclasses import dataclass

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ingest.models import Batch
from tests.support.postgres.plans import explained, nodes, rows_read

_FILL = """
insert into ingest_rejectedrecord ("table", raw, record, natural_key, reasons, codes, fields, stage, batch_id,
    file_name, position, line, waits_for, ref, "group", contract_version, app_version, times_seen,
    first_seen_at, last_seen_at, last_batch_id, status, attempts, closed_why)
select case n %% 10 when 0 then 'orders' when 1 then 'sellers' else 'geolocation' end, n::text::bytea,
    jsonb_build_object('order_id', n::text, 'geolocation_city', 'city ' || n %% 1000), n::text,
    '[{"field": "order_status", "code": "invalid", "message": "No.", "value": "x"}]',
    array[(array['invalid', 'blank', 'max_value', 'required', 'check'])[n %% 5 + 1]],
    array[(array['order_id', 'order_status', 'seller_state'])[n %% 3 + 1]],
    'check', %(batch)s, case n %% 7 when 0 then '' else 'olist.csv' end, n, n, '{}', '', '', '', '', 1,
    now() - n * interval '1 second', now() - n * interval '1 second', %(batch)s,
    case n %% 1000 when 0 then 'dismissed' else 'open' end, 0, ''
from generate_series(1, %(rows)s) n
"""


def fill(rows: int) -> Batch:
    """Store ``rows`` rejects of one batch: 3 tables, 5 codes, 3 fields, 2 origins, and few that are not open."""
    batch = Batch.objects.create(origin="load", status="accepted", app_version="1")
    with connection.cursor() as cursor:
        cursor.execute(_FILL, {"batch": batch.pk, "rows": rows})
        cursor.execute("analyze ingest_rejectedrecord")
    return batch


@dataclass(frozen=True)
class Costs:
    """A page's queries, and the steps of all plans that touch rejects: kind and table."""

    queries: int
    steps: frozenset[tuple[str, str]]
    rows_read: int  # the most that one step looked at
    milliseconds: float


def costs(client: Client, path: str) -> Costs:
    """Open a page, and explain its queries, each under the settings that it ran under."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path, secure=True)
    assert response.status_code == 200, response.content[:2000]
    statements = [query["sql"] for query in captured.captured_queries]
    run, spent = [], 0.0
    with transaction.atomic(), connection.cursor() as cursor:
        for sql in statements:
            if sql.startswith("set local"):
                cursor.execute(sql)
            elif "ingest_rejectedrecord" in sql and not sql.lower().startswith("explain"):
                told = explained(cursor, sql)
                run += list(nodes(told["Plan"]))
                spent += told["Execution Time"]
    steps = frozenset((node["Node Type"], node.get("Relation Name", "")) for node in run)
    counted = [s for s in statements if not s.startswith(("set local", "SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    return Costs(len(counted), steps, max(map(rows_read, run), default=0), spent)
