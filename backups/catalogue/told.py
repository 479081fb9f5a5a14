"""What the catalogue tells of a table to those who may not view it: that it is backed up, or restored, and how it went.

No number of rows or bytes, no key, and not the words of a fault, which may quote what the table holds.
"""

from collections.abc import Iterable
from copy import copy
from typing import Any

from django.db.models import Case, F, QuerySet, When

from backups.files.named_stores import without_addresses
from backups.models import Backup, Restore
from backups.tables import known_models

UNTOLD = "Why is told to those who may view {tables}."
_FIGURES: dict[str, Any] = {
    "rows": None,
    "added": None,
    "changed": None,
    "removed": None,
    "examples": [],
    "differences": [],
}


def seen_tables(user: Any) -> frozenset[str]:
    """Name the tables that ``user`` may view; of a table that no model has any more, superusers alone see all."""
    return frozenset(
        name
        for name, model in known_models().items()
        if user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
    )


def with_figures(user: Any, rows: QuerySet[Backup]) -> QuerySet[Backup]:
    """Add ``told_rows`` and ``told_bytes`` to backups: NULL where the user may not view the table."""
    names = ("rows", "bytes")
    if user.is_superuser:
        return rows.annotate(**{f"told_{name}": F(name) for name in names})
    seen = seen_tables(user)
    return rows.annotate(**{f"told_{name}": Case(When(table__in=seen, then=F(name))) for name in names})


def told_fault(user: Any, text: str, tables: Iterable[str], path: str = "") -> str:
    """Return why something of ``tables`` failed, without the folder of ``path``, or who is told that."""
    hidden = () if not text or user.is_superuser else sorted(set(tables) - seen_tables(user))
    return UNTOLD.format(tables=", ".join(hidden)) if hidden else without_addresses(text, path)


def told_report(user: Any, report: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a restore with figures and keys of the tables that the user may view."""
    if user.is_superuser:
        return report
    seen = seen_tables(user)
    return {
        **report,
        "tables": [table if table["table"] in seen else {**table, **_FIGURES} for table in report["tables"]],
        "orphans": [
            orphans if orphans["table"] in seen else {**orphans, "rows": None, "examples": []}
            for orphans in report["orphans"]
        ],
    }


def family(table: str) -> set[str]:
    """Name a table and all whose rows refer to it, and to these: what a fault of its restore may speak of."""
    found, waiting = set[str](), [table]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            model = known_models().get(name)
            waiting += [key.related_model._meta.db_table for key in model._meta.related_objects] if model else []
    return found


def spoken_of(row: Backup | Restore) -> set[str]:
    """Name the tables that a fault of a backup or restore may speak of."""
    if isinstance(row, Backup):
        return {row.table}
    if row.run is None or not row.error:
        return family(row.table)
    return family(row.table).union(*map(family, Backup.objects.filter(run=row.run).values_list("table", flat=True)))


def told(user: Any, row: Any) -> Any:
    """Return a copy of a backup or restore, to be shown, with what ``user`` may be told of it."""
    shown = copy(row)
    if isinstance(row, Restore):
        shown.error = told_fault(user, row.error, spoken_of(row), row.path)
        shown.report = row.report and told_report(user, row.report)
        return shown
    shown.error = told_fault(user, row.error, [row.table], row.path)
    if not user.is_superuser and row.table not in seen_tables(user):
        shown.rows = shown.bytes = None
    return shown
