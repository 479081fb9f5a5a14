"""How many rows the planner expects: the way to say "about", where a count would read them all."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import QuerySet


def planned_rows(rows: "QuerySet[Any]") -> int:
    """Give the planner's guess at the rows of a query, which is not run."""
    plan = json.loads(rows.order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
