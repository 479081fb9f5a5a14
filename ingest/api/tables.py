"""``/api/v1/tables/``: what may be sent, and by which rules."""

from http import HTTPStatus
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.postgres.planner import planned_rows
from core.postgres.retry import in_transaction
from core.web.problems import Problem
from ingest.api.docs import operations
from ingest.api.rights import may
from ingest.rules.examples import example_batch
from ingest.rules.in_words import rules_in_words
from ingest.rules.json_schema import json_schema
from ingest.rules.sources import Source, find_source, sources

COUNTED_ROWS = 100_000  # up to here a count is exact
LOCK_TIMEOUT_SECONDS = 1  # a load or restore holds the table: whoever asks is told so, and no thread waits with them


class Tables(APIView):
    """All tables."""

    @operations.lists_tables
    def get(self, request: Request) -> Response:
        """List the tables that one may read or write."""
        known = [source for source in sources() if _known(request, source)]
        return Response({"results": [_summary(source) for source in known]})


class TableDetail(APIView):
    """One table."""

    @operations.shows_table
    def get(self, request: Request, table: str) -> Response:
        """Return a table's JSON Schema, its rules in words, and an example that is accepted."""
        source = find_source(table)
        if source is None or not _known(request, source):
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such table, or you may not see it.", code="unknown_table")
        words = rules_in_words(source.contract)
        return Response(
            {
                **_summary(source),
                **in_transaction(lambda cursor: _rows(source), lock_timeout_seconds=LOCK_TIMEOUT_SECONDS),
                "rules": words.columns,
                "checks": words.checks,
                "schema": json_schema(source.contract),
                "example": example_batch(source),
            }
        )


def _known(request: Request, source: Source) -> bool:
    return any(may(request.user, source, right) for right in ("view", "add", "change"))


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
