"""What the API says of a unit that was dealt with."""

import json
from collections.abc import Collection
from typing import Any

from django.urls import reverse

from access.idempotency import Answer
from ingest.accounts.report import TableReport
from ingest.api.response.results import write_results
from ingest.models import OUTCOMES, Batch
from ingest.posting.outcome import UnitResult
from ingest.posting.unit import Unit

COUNTS = ("read", *OUTCOMES)


def answer(unit: Unit, posted: UnitResult, *, results: str, where: str, seen: Collection[str]) -> Answer:
    """Write the answer: status, headers, and the whole account.

    ``where``: a record's JSON pointer, by ``{index}``. ``seen``: tables whose stored rows reasons may tell of.
    """
    document: dict[str, Any] = {
        "id": str(posted.batch.id) if posted.batch else None,
        "status": str(posted.status),
        "mode": unit.mode,
        "dry_run": unit.dry_run,
        "counts": counted(posted),
        "tables": {table.table: table_counts(table) for table in posted.tables},
    }
    headers = {"Forge-Rejected": str(posted.total("rejected"))}
    if posted.batch:
        headers["Location"] = reverse("api:batch", args=[posted.batch.id])
    around = json.dumps(document, ensure_ascii=False).removesuffix("}")
    written = write_results(unit, posted, results=results, where=where, seen=seen)
    return Answer(_status(unit, posted), headers, f'{around}, "results": {written}}}')


def counted(posted: UnitResult) -> dict[str, int]:
    """Return the account of all tables together."""
    return {name: posted.total(name) for name in COUNTS}


def table_counts(table: TableReport) -> dict[str, Any]:
    """Write one table's account."""
    counts = {name: getattr(table, name) for name in COUNTS}
    return {**counts, "repaired": dict(table.repaired), "skipped": table.lines_skipped}


def _status(unit: Unit, posted: UnitResult) -> int:
    if unit.dry_run:
        return 200
    if posted.status == Batch.Status.REJECTED:
        return 422
    if posted.status == Batch.Status.PARTIAL:
        return 207
    return 201 if posted.total("inserted") + posted.total("updated") else 200
