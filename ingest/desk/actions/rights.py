"""Who may do what at the desk: a permission for each deed. The tables' own rights beside it: ``ingest.rights``."""

from collections.abc import Callable
from typing import Any

from ingest.rights import may_rows

DEEDS = ("view", "repair", "dismiss", "export")


def may(user: Any, deed: str) -> bool:
    """Tell whether ``user`` may do one of ``DEEDS``."""
    return bool(user.has_perm(f"ingest.{deed}_rejectedrecord"))


def replayer(user: Any) -> Callable[[str], bool]:
    """Return what tells whether ``user`` may replay records of a table: who is told what became of one must see it."""
    return lambda table: may_rows(user, table, "view") and may_rows(user, table, "change")
