"""The admin as a browser sees it, and what its pages cost the database."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def signed_in(*, superuser: bool = False, may_view: tuple[str, ...] = ()) -> Client:
    """Return a browser in which a member of staff is signed in, who may view the models named ``app.model``."""
    user = User.objects.create_user("ana", is_staff=True, is_superuser=superuser)
    for name in may_view:
        app, model = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=f"view_{model}"))
    client = Client()
    client.force_login(user)
    return client


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
        nodes = [node for plan in self.plans for node in _nodes(plan)]
        return max(
            int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]) for node in nodes
        )

    @property
    def steps(self) -> set[str]:
        """The kinds of steps in the plan of the last query, which fetches the page's rows."""
        return {node["Node Type"] for node in _nodes(self.plans[-1])}


def cost(client: Client, path: str, *, table: str) -> Cost:
    """Open a page and run its queries once more under EXPLAIN ANALYZE."""
    with CaptureQueriesContext(connection) as captured:
        page(client, path)
    queries = [query["sql"] for query in captured.captured_queries]
    reading = [sql for sql in queries if f'FROM "{table}"' in sql and not sql.startswith("EXPLAIN")]
    return Cost(queries, [_plan(sql) for sql in reading])


def _plan(sql: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}", [])
        found = cursor.fetchone()[0]
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
