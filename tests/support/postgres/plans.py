"""Plans of queries, as PostgreSQL tells them in JSON."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.backends.utils import CursorWrapper


def explained(cursor: CursorWrapper, sql: str) -> dict[str, Any]:
    """Run a query that is as Django has logged it, and return how it went."""
    cursor.execute(f"explain (analyze, format json) {sql.replace('%', '%%')}", [])
    found = cursor.fetchone()[0]
    told: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]
    return told


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all steps of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def rows_read(node: dict[str, Any]) -> int:
    """Return how many rows a step looked at."""
    return int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
