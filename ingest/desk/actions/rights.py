"""Who may do what at the desk: a permission for each deed, and the table's own rights beside it."""

from collections.abc import Callable
from typing import Any

from ingest.rules.sources import find_source, sources

DEEDS = ("view", "repair", "dismiss", "export")


def may(user: Any, deed: str) -> bool:
    """Tell whether ``user`` may do one of ``DEEDS``."""
    return bool(user.has_perm(f"ingest.{deed}_rejectedrecord"))


def may_rows(user: Any, table: str, right: str) -> bool:
    """Tell whether ``user`` may ``view`` or ``change`` rows of a table; an unknown table is for superusers."""
    source = find_source(table)
    if source is None:
        return bool(user.is_superuser)
    meta = source.model._meta
    return bool(user.has_perm(f"{meta.app_label}.{right}_{meta.model_name}"))


def viewable_tables(user: Any) -> list[str]:
    """Name the tables whose rejects ``user`` may see."""
    return [source.table for source in sources() if may_rows(user, source.table, "view")]


def changer(user: Any) -> Callable[[str], bool]:
    """Return what tells whether ``user`` may replay records of a table."""
    return lambda table: may_rows(user, table, "change")
