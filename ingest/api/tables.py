"""``/api/v1/tables/``: what may be sent, and by which rules."""

from http import HTTPStatus
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.postgres.planner import planned_rows
from core.postgres.retry import in_transaction
from core.web.problems import Problem
from core.web.things import ThingView
from ingest.api.docs import operations
from ingest.rights import may_rows
from ingest.rules.examples import example_batch
from ingest.rules.in_words import rules_in_words
from ingest.rules.json_schema import json_schema
from ingest.rules.sources import Source, sources

COUNTED_ROWS = 100_000  # up to here a count is exact
LOCK_TIMEOUT_SECONDS = 1  # a load or restore holds the table: whoever asks is told so, and no thread waits with them


class Tables(APIView):
    """All tables."""

    @operations.lists_tables
    def get(self, request: Request) -> Response:
        """List the tables that one may read or write."""
        return Response({"results": [_summary(source) for source in _known(request)]})


class TableDetail(ThingView):
    """One table."""

    def find(self, request: Request, table: str, /) -> Source:
        """Find a table that one may read or write."""
        source = next((source for source in _known(request) if source.table == table), None)
        if source is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such table, or you may not see it.", code="unknown_table")
        return source

    @operations.shows_table
    def get(self, request: Request, table: str) -> Response:
        """Return a table's JSON Schema, its rules in words, and an example that is accepted."""
        source: Source = self.thing
        rows: dict[str, Any] = {"rows": None, "rows_exact": None}
        if may_rows(request.user, table, "view"):
            rows = in_transaction(lambda cursor: _rows(source), lock_timeout_seconds=LOCK_TIMEOUT_SECONDS)
        words = rules_in_words(source.contract)
        return Response(
            {
                **_summary(source),
                **rows,
                "rules": words.columns,
                "checks": words.checks,
                "schema": json_schema(source.contract),
                "example": example_batch(source),
            }
        )


def _known(request: Request) -> list[Source]:
    """Return the tables that the user may read or write."""
    rights = ("view", "add", "change")
    return [source for source in sources() if any(may_rows(request.user, source.table, right) for right in rights)]


def _summary(source: Source) -> dict[str, Any]:
    contract = source.contract
    return {
        "table": source.table,
        "version": contract.version,
        "natural_key": list(contract.natural_key),
        "references": {reference.column: reference.table for reference in contract.references},
    }


def _rows(source: Source) -> dict[str, Any]:
    """Count the rows; where they are many, take the planner's estimate: a count would read them all."""
    rows = source.model._default_manager.order_by()
    count = rows[: COUNTED_ROWS + 1].count()
    if count <= COUNTED_ROWS:
        return {"rows": count, "rows_exact": True}
    return {"rows": max(planned_rows(rows), count), "rows_exact": False}
