"""What the API says of a unit that was dealt with."""

import json
from typing import Any

from django.urls import reverse

from ingest.accounts import TableReport
from ingest.api.idempotency import Answer
from ingest.models import OUTCOMES, Batch
from ingest.posting.units import Fate, Posted, Unit

VALUE_CHARACTERS = 200
COUNTS = ("read", *OUTCOMES)


def answer(unit: Unit, posted: Posted, *, results: str, where: str) -> Answer:
    """Write the answer: status, headers, and the whole account. ``where``: a record's JSON pointer, by ``{index}``."""
    document: dict[str, Any] = {
        "id": str(posted.batch.id) if posted.batch else None,
        "status": str(posted.status),
        "mode": unit.mode,
        "dry_run": unit.dry_run,
        "counts": counted(posted),
        "tables": {table.table: table_counts(table) for table in posted.tables},
        "results": [
            _result(fate, unit, where)
            for fate in posted.fates
            if results == "all" or (results == "errors" and fate.outcome == "rejected")
        ],
    }
    headers = {"Forge-Rejected": str(posted.total("rejected"))}
    if posted.batch:
        headers["Location"] = reverse("api:batch", args=[posted.batch.id])
    return Answer(_status(unit, posted), headers, json.dumps(document, ensure_ascii=False))


def counted(posted: Posted) -> dict[str, int]:
    """Give the account of all tables together."""
    return {name: posted.total(name) for name in COUNTS}


def table_counts(table: TableReport) -> dict[str, Any]:
    """Write one table's account."""
    return {**{name: getattr(table, name) for name in COUNTS}, "repaired": dict(table.repaired)}


def _status(unit: Unit, posted: Posted) -> int:
    if unit.dry_run:
        return 200
    if posted.status == Batch.Status.REJECTED:
        return 422
    if posted.status == Batch.Status.PARTIAL:
        return 207
    return 201 if posted.total("inserted") + posted.total("updated") else 200


def _result(fate: Fate, unit: Unit, where: str) -> dict[str, Any]:
    names = {
        name: given[fate.index] for name, given in (("ref", unit.refs), ("group", unit.groups)) if fate.index in given
    }
    found: dict[str, Any] = {"index": fate.index, **names, "table": fate.table, "outcome": fate.outcome}
    if fate.outcome == "rejected":
        found["reject_id"] = None if fate.reject is None else str(fate.reject)
        found["reasons"] = [write_reason(reason, where.format(index=fate.index)) for reason in fate.reasons]
    return found


def write_reason(reason: dict[str, Any], where: str) -> dict[str, Any]:
    """Write one reason; ``where`` is the JSON pointer of its record."""
    field, value = reason["field"], reason["value"]
    step = "" if field is None else "/" + field.replace("~", "~0").replace("/", "~1")
    shown = value if value is None or len(value) <= VALUE_CHARACTERS else f"{value[:VALUE_CHARACTERS]}…"
    found = {
        "field": field,
        "code": reason["code"],
        "pointer": where + step,
        "message": reason["message"],
        "value": shown,
    }
    return found | ({"constraint": reason["constraint"]} if reason.get("constraint") else {})
