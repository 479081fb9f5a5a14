"""What every view here asks first, and how work that was asked for is answered."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from access.idempotency import Answer
from backups.catalogue.rights import may, out_of_reach
from backups.tasks import Failure
from core.errors import BackupDamaged, BackupRefused, DataForgeError, SourceUnreadable, TableBusy
from core.web.problems import UNAVAILABLE, Problem, problem_response
from core.web.request_bodies import body_of, read_members

log = logging.getLogger(__name__)

_REFUSED = {BackupRefused: "refused", BackupDamaged: "damaged", SourceUnreadable: "unreadable"}


def require(request: Request, right: str) -> None:
    """Raise Problem 403, naming the right, where the token's user is no staff or lacks it."""
    if not may(request.user, right):
        detail = f"This token's user is no member of staff, or lacks the permission {right}."
        raise Problem(HTTPStatus.FORBIDDEN, detail, code="permission_denied", permission=right)


def require_reach(request: Request, tables: Iterable[str]) -> None:
    """Raise Problem 403 where tables are for superusers only."""
    if beyond := out_of_reach(request.user, tables):
        detail = f"Only superusers may back up or restore {', '.join(beyond)}."
        raise Problem(HTTPStatus.FORBIDDEN, detail, code="permission_denied", tables=list(beyond))


def read(request: Request, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Read the members of the body, none where there is no body."""
    body = body_of(request)
    serializer = kind(data=read_members(body) if body else {})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def accepted(document: Any, *, location: str, failure: Failure | None) -> Answer:
    """Answer 202 with the state of what was asked for; where it has failed already, the problem. Both say where."""
    if failure is None:
        return Answer(HTTPStatus.ACCEPTED, {"Location": location}, JSONRenderer().render(document).decode())
    response = problem_response(_problem(failure), {})
    return Answer(response.status_code, {**response.headers, "Location": location}, response.content.decode())


def _problem(failure: Failure) -> Exception:
    for kind, code in _REFUSED.items():
        if issubclass(failure.kind, kind):
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, failure.text, code=code)
    if issubclass(failure.kind, TableBusy):
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, failure.text, code="unavailable", retry_after=5)
    if issubclass(failure.kind, DataForgeError):  # what the server said names roles and rights: for the log alone
        log.error("503: %s", failure.text)
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE, code="unavailable", retry_after=5)
    return RuntimeError(failure.text)
