"""The front page: the morning's question, answered with pictures that lead on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import formats, timezone

from ingest.accounts.load_batches import close_dead_loads
from ingest.desk.actions import rights
from ingest.desk.pages.charts import Bar, Columns, Place, bars, columns
from ingest.desk.search import figures
from ingest.desk.search.counts import Count, total
from ingest.models import Batch
from ingest.rights import viewable_batches, viewable_tables
from ingest.rules.sources import find_source

ORIGINS = (Batch.Origin.LOAD.value, Batch.Origin.API.value, Batch.Origin.REPLAY.value)
SHOWN_BATCHES = 6
SHOWN_BARS = 8


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """What the front page shows; None where the user may not see it."""

    accepted: Columns | None = None
    rejected: Columns | None = None
    today: tuple[int, int] | None = None  # accepted, rejected
    open: Count | None = None
    likenesses: int = 0  # kinds of open rejects
    tables: list[Bar] | None = None
    codes: list[Bar] | None = None
    ages: list[Bar] | None = None
    rows: list[Bar] | None = None
    batches: QuerySet[Batch] | None = None


def dashboard(user: Any) -> Dashboard:
    """Gather what ``user`` may see."""
    today, tables = timezone.localdate(), viewable_tables(user)
    with connection.cursor() as cursor:
        shown: dict[str, Any] = {"rows": _rows(cursor, tables)}
        if user.has_perm("ingest.view_batch"):
            close_dead_loads()
            shown |= _flow(cursor, tables, today)
            newest = viewable_batches(user).order_by("-started_at").select_related("user").prefetch_related("accounts")
            shown["batches"] = newest[:SHOWN_BATCHES]
        if rights.may(user, "view"):
            shown |= _open(cursor, tables, today)
    return Dashboard(**shown)


def _flow(cursor: CursorWrapper, tables: Sequence[str], today: date) -> dict[str, Any]:
    flows = figures.flow(cursor, tables, today)
    days = [today - timedelta(days=back) for back in reversed(range(figures.SHOWN_DAYS))]
    now = [flow for flow in flows if flow.day == today]
    charts = {name: columns([_place(day, flows, name) for day in days], ORIGINS) for name in ("accepted", "rejected")}
    return charts | {"today": (sum(flow.accepted for flow in now), sum(flow.rejected for flow in now))}


def _place(day: date, flows: Sequence[figures.Flow], name: str) -> Place:
    values = {flow.origin: int(getattr(flow, name)) for flow in flows if flow.day == day}
    told = ", ".join(f"{count:,} by {origin}" for origin, count in values.items() if count) or "none"
    where = "ingest_batch" if name == "accepted" else "ingest_rejectedrecord"
    title = f"{formats.date_format(day, 'j M')}: {told} {name}"
    return Place(formats.date_format(day, "j M"), values, _list(where, day=day.isoformat()), title)


def _open(cursor: CursorWrapper, tables: Sequence[str], today: date) -> dict[str, Any]:
    cells, ages = figures.open_rejects(cursor, tables, today)
    by_table, by_code = figures.by_table(cells), figures.by_code(cells)
    return {
        "open": total(cell.count for cell in cells),
        "likenesses": len({cell.fingerprint for cell in cells}),
        "tables": _bars(by_table, "table"),
        "codes": _bars(by_code, "code"),
        "ages": bars(
            [(age.name, age.count.rows, str(age.count), _rejects(status="open", first=age.days)) for age in ages]
        ),
    }


def _bars(counts: dict[str, Count], name: str) -> list[Bar]:
    shown = list(counts.items())[:SHOWN_BARS]
    return bars([(value, count.rows, str(count), _rejects(status="open", **{name: value})) for value, count in shown])


def _rows(cursor: CursorWrapper, tables: Sequence[str]) -> list[Bar]:
    rows = []
    for size in figures.rows_of_tables(cursor, tables):
        source = find_source(size.table)
        meta = source.model._meta if source else None
        link = _list(f"{meta.app_label}_{meta.model_name}") if meta else ""
        words = "not counted yet" if size.rows is None else f"{size.rows:,}"
        rows.append((size.table, size.rows or 0, words, link))
    return bars(rows)


def _rejects(**filters: str) -> str:
    return _list("ingest_rejectedrecord", **filters)


def _list(name: str, **filters: str) -> str:
    return reverse(f"admin:{name}_changelist") + (f"?{urlencode(filters)}" if filters else "")
