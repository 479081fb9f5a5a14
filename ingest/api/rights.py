"""Who may do what: Django's model permissions of the token's user, a table at a time."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from core.web.problems import Problem
from ingest.rules.sources import Source, sources

_VERBS = {"add": "insert into", "change": "change", "view": "read"}


def may(user: Any, source: Source, right: str) -> bool:
    """Tell whether ``user`` may ``add``, ``change`` or ``view`` rows of a Source."""
    meta = source.model._meta
    return bool(user.has_perm(f"{meta.app_label}.{right}_{meta.model_name}"))


def require(user: Any, chosen: Iterable[Source], rights: Sequence[str]) -> None:
    """Raise Problem 403, naming table and right, where one is missing."""
    for source in chosen:
        for right in rights:
            if not may(user, source, right):
                detail = f"This token's user may not {_VERBS[right]} {source.table}."
                raise Problem(
                    HTTPStatus.FORBIDDEN, detail, code="permission_denied", table=source.table, permission=right
                )


def viewable_tables(user: Any) -> list[str]:
    """Name the tables whose rows, batches and rejects ``user`` may see."""
    return [source.table for source in sources() if may(user, source, "view")]
