"""The admin as a browser sees it, and what its pages cost the database."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.access.people import browser, person
from tests.support.postgres.plans import explained, nodes, rows_read


def signed_in(*, superuser: bool = False, may_view: tuple[str, ...] = ()) -> Client:
    """Return a browser in which a member of staff is signed in, who may view the models named ``app.model``."""
    return browser(person("ana", *(name.replace(".", ".view_") for name in may_view), superuser=superuser))


def page(client: Client, path: str, *, status: int = 200) -> str:
    """Open a page below ``/admin/`` and return its HTML."""
    response = client.get(f"/admin/{path}", secure=True)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


@dataclass(frozen=True)
class Cost:
    """What a page's queries did: how many there were, and the plans (as run) of those that read ``table``."""

    queries: list[str]
    plans: list[dict[str, Any]]

    @property
    def rows_read(self) -> int:
        """The most rows that one step of a plan looked at."""
        return max(rows_read(node) for plan in self.plans for node in nodes(plan))

    @property
    def steps(self) -> set[str]:
        """The kinds of steps in the plan of the last query, which fetches the page's rows."""
        return {node["Node Type"] for node in nodes(self.plans[-1])}


def cost(client: Client, path: str, *, table: str) -> Cost:
    """Open a page and run its queries once more under EXPLAIN ANALYZE."""
    with CaptureQueriesContext(connection) as captured:
        page(client, path)
    queries = [query["sql"] for query in captured.captured_queries]
    reading = [sql for sql in queries if f'FROM "{table}"' in sql and not sql.startswith("EXPLAIN")]
    with connection.cursor() as cursor:
        return Cost(queries, [explained(cursor, sql)["Plan"] for sql in reading])
