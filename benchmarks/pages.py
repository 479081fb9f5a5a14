"""The admin's pages with a million rows behind each, on the server alone, against one query by an index."""

import time
from collections.abc import Callable
from functools import cached_property

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client

from benchmarks import scratch
from benchmarks.frame import Contender, Contest, Limit, Row, Run

BAR_SECONDS = 0.300
FLOOR = "one query by an index"
PAGES = {
    "admin: reject list": "/admin/ingest/rejectedrecord/",
    "admin: dashboard": "/admin/",
    "admin: table list": "/admin/olist/geolocation/",
}
NOTES = (
    """Admin: a page on the server, from the request to the whole answer, in one process (Django's test client, a
    superuser). The second of two requests counts: a page that nobody has opened since the start compiles templates.""",
)
# So many rejects of three tables and five codes, of which each tenth is dismissed, one a second into the past.
_REJECTS = """
insert into ingest_rejectedrecord ("table", raw, record, natural_key, reasons, codes, fields, stage, batch_id,
    file_name, position, line, waits_for, ref, "group", contract_version, app_version, times_seen, first_seen_at,
    last_seen_at, last_batch_id, status, attempts, closed_why)
select (array['orders', 'order_items', 'geolocation'])[1 + n %% 3], convert_to('"' || md5(n::text) || '",x', 'UTF8'),
    jsonb_build_object('order_id', md5(n::text), 'order_status', 'teleported'), md5(n::text),
    jsonb_build_array(jsonb_build_object('field', 'order_status', 'code', code, 'message', 'No.', 'value', 'x')),
    array[code], array['order_status'], 'check', %(batch)s, 'orders.csv', n, n + 1, '{}', '', '', 'bench', 'bench', 1,
    now() - n * interval '1 second', now() - n * interval '1 second', %(batch)s,
    case when n %% 10 = 0 then 'dismissed' else 'open' end, 0, ''
from (
    select n, (array['invalid', 'invalid_choice', 'does_not_exist', 'unique', 'check'])[1 + n %% 5] as code
    from generate_series(1, %(rows)s) as n
) as numbered
"""
# So many points, a little beside one another.
_POINTS = """
insert into olist_geolocation (geolocation_zip_code_prefix, geolocation_lat, geolocation_lng, geolocation_city,
    geolocation_state)
select lpad((n %% 100000)::text, 5, '0'), -23 - n * 1e-6, -46 + n * 1e-6, 'sao paulo', 'SP'
from generate_series(1, %(rows)s) as n
"""


class Site:
    """The admin with so many rows, made when they are first wanted."""

    def __init__(self, rows: int) -> None:
        """Make nothing yet."""
        self._rows = rows
        self._is_filled = False

    @cached_property
    def client(self) -> Client:
        """Somebody who may see everything; pages name their style sheets as in production."""
        call_command("collectstatic", interactive=False, verbosity=0)
        from django.contrib.auth.models import User

        operator, _ = User.objects.get_or_create(username="operator", is_staff=True, is_superuser=True)
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(operator)
        return client

    def fill(self) -> None:
        """Fill the tables; a round later they are still full."""
        if self._is_filled:
            return
        batch_model = apps.get_model("ingest", "Batch")
        scratch.empty_tables()
        batch = batch_model._default_manager.create(origin="load", source="bench", app_version="bench", options={})
        with connection.cursor() as cursor:
            for statement in (_REJECTS, _POINTS):
                cursor.execute(statement, {"rows": self._rows, "batch": batch.pk})
        scratch.settle()
        self._is_filled = True

    def open(self, path: str) -> Run:
        """Time one page. RuntimeError where it is not a page with a full list."""
        for _ in range(2):
            started = time.perf_counter()
            answer = self.client.get(path, secure=True)
            seconds = time.perf_counter() - started
        if answer.status_code != 200 or len(answer.content) < 10_000:
            raise RuntimeError(f"{path} answered {answer.status_code} with {len(answer.content)} bytes")
        return Run(seconds=seconds)

    def query(self) -> Run:
        """Time what a list needs at least: its first hundred rows in the order of an index."""
        started = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("select * from ingest_rejectedrecord order by id desc limit 100")
            rows = cursor.fetchall()
        if len(rows) != 100:
            raise RuntimeError(f"{len(rows)} rejects where 100 were asked for")
        return Run(seconds=time.perf_counter() - started)


def contest(*, rows: int) -> Contest:
    """Each page at so many rejects and points."""
    site = Site(rows)

    def page(path: str) -> Callable[[], Run]:
        return lambda: site.open(path)

    pages = [Contender(name=name, run=page(path), prepare=site.fill) for name, path in PAGES.items()]
    return Contest(
        name="admin",
        contenders=(*pages, Contender(name=FLOOR, run=site.query, prepare=site.fill)),
        rows=tuple(Row(work=name, ours=name, against=FLOOR) for name in PAGES),
        limits=tuple(Limit(work=name, ours=name, bar_seconds=BAR_SECONDS) for name in PAGES),
        notes=NOTES,
    )
