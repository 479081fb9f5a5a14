"""The planner: look-ups that must go by one index whatever it believes, and its guesses in place of dear counts."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.postgres.tables import Cursor

if TYPE_CHECKING:
    from django.db.models import QuerySet

UNSORTED = "set local enable_sort = off"
_AS_BEFORE = "set local enable_sort to default"


def fetch_by_index(cursor: Cursor, query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a query whose ORDER BY only one index gives, and return its rows; in a transaction.

    Where nothing may be sorted, that index is the only way. The planner would else take another one whose first column
    is asked for too, and read the same thousands of rows for each key.
    """
    cursor.execute(f"{UNSORTED}; {query}", parameters)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    cursor.execute(_AS_BEFORE)
    return rows


def planned_rows(rows: "QuerySet[Any]") -> int:
    """Return the planner's guess at the rows of a query, which is not run."""
    plan = json.loads(rows.order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
