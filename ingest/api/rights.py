"""What a request is refused for: a right that its token's user lacks."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from core.web.problems import Problem
from ingest.rights import may_rows
from ingest.rules.sources import Source

_VERBS = {"add": "insert into", "change": "change"}


def require(user: Any, chosen: Iterable[Source], rights: Sequence[str]) -> None:
    """Raise Problem 403, naming table and right, where one is missing: of tables that the sender named, or may view."""
    for source in chosen:
        for right in rights:
            if not may_rows(user, source.table, right):
                detail = f"This token's user may not {_VERBS[right]} {source.table}."
                raise Problem(
                    HTTPStatus.FORBIDDEN, detail, code="permission_denied", table=source.table, permission=right
                )
