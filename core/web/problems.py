"""Faults of a request as RFC 9457 ``application/problem+json``. Nothing in them tells of SQL, paths or code."""

import logging
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.views import defaults
from rest_framework.exceptions import APIException, NotFound, Throttled, ValidationError
from rest_framework.exceptions import PermissionDenied as Forbidden

from core.errors import DatabaseFailed, DatabaseUnavailable, DataForgeError, EmbeddedPostgresFailed, TableBusy
from core.postgres.engine.settings_at_fault import setting_at_fault
from core.postgres.explain_errors import lacking
from core.web.request_ids import request_id

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5
API_PREFIX = "/api/"
_UNACCEPTABLE = "The request is not acceptable."
_NOTHING_HERE = "There is nothing at this address. Addresses of the API end with a slash."
_USER_GONE = "The user of this token was deleted while the request ran; nothing of it was kept."
UNAVAILABLE = "The database cannot be used right now. Send it again, with the same Idempotency-Key if it had one."
_LACKS = "The database lacks something that this site needs; its log names it. Send it again when that is mended."
_BY_A_SETTING = (
    "The database refused or ended this, and nothing of it was kept: {}. Send less at once, or send it later."
)
_LOST = (TableBusy, DatabaseUnavailable, DatabaseFailed, EmbeddedPostgresFailed, OperationalError, InterfaceError)

log = logging.getLogger(__name__)


class Problem(APIException):
    """A fault of the request: what is wrong, what to do, facts for programs, and headers of the answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        code: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
        **facts: Any,
    ) -> None:
        self.status_code, self.headers = int(status), headers
        self.facts = {"code": code or status.name.lower(), **facts}
        super().__init__(detail)


def problem_response(error: Exception, _context: Mapping[str, Any]) -> HttpResponse:
    """Answer an exception of a view: DRF's exception handler. Always JSON, also where the view itself writes YAML."""
    problem, headers = _explain(error)
    return JsonResponse(problem, status=problem["status"], headers=headers, content_type=CONTENT_TYPE)


def _explain(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    match error:
        case Problem():
            later = {"Retry-After": str(error.facts["retry_after"])} if "retry_after" in error.facts else {}
            return problem_document(error.status_code, str(error.detail), **error.facts), {**error.headers, **later}
        case Throttled():
            seconds = max(1, int(getattr(error, "wait", None) or 1))
            detail = f"Too many in this minute. Send it again in {seconds} s."
            return problem_document(429, detail, code="throttled", retry_after=seconds), {"Retry-After": str(seconds)}
        case ValidationError():
            facts = {"code": "invalid", "errors": error.detail}
            return problem_document(400, "Some values are not accepted; see errors.", **facts), {}
        case APIException():
            auth_header = getattr(error, "auth_header", None)  # set by DRF where a 401 is due
            headers = {"WWW-Authenticate": str(auth_header)} if auth_header else {}
            return problem_document(error.status_code, str(error.detail), code=_code(error)), headers
        case Http404():
            return problem_document(404, str(NotFound.default_detail), code="not_found"), {}
        case PermissionDenied():
            return problem_document(403, str(Forbidden.default_detail), code="permission_denied"), {}
        case SuspiciousOperation() | BadRequest():  # Django's word for too many parameters in an address, and the like
            return problem_document(400, _UNACCEPTABLE, code="bad_request"), {}
        case UnreadablePostError():
            return problem_document(400, "The body ended before its announced length.", code="truncated"), {}
    return _explain_ours(error)


def _explain_ours(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    if (detail := unavailable(error)) is not None:
        facts = {"code": "unavailable", "retry_after": RETRY_SECONDS}
        return problem_document(503, detail, **facts), {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error, IntegrityError) and _names_a_user(error):
        return problem_document(401, _USER_GONE, code="authentication_failed"), {"WWW-Authenticate": "Token"}
    if isinstance(error, DataForgeError):
        return problem_document(400, str(error), code="invalid"), {}
    log.error("an answer was not foreseen", exc_info=error)
    return problem_document(500, "This should not have happened, and was logged.", code="error"), {}


def unavailable(error: BaseException | None) -> str | None:
    """Say, and log in full, what keeps the database from being used; None where ``error`` tells of nothing such."""
    if error is None:
        return None
    if lack := lacking(error):
        log.error("503: %s", lack)
        return _LACKS
    setting = setting_at_fault(error)
    if not setting and not isinstance(error, _LOST):
        return None
    log.warning("503: %s", error)
    if isinstance(error, TableBusy):
        return f"{error.facts['tables']}: a load, a restore or other batches are at work on it. Send it again."
    return _BY_A_SETTING.format(setting) if setting else UNAVAILABLE


def _names_a_user(error: IntegrityError) -> bool:
    """Tell that the commit failed since the user is no more: deleted, with their tokens, while their request ran."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return (getattr(diagnostics, "constraint_name", None) or "").endswith("_fk_auth_user_id")


def problem_document(status: int, detail: str, **facts: Any) -> dict[str, Any]:
    """Return the members of a problem; ``facts`` are further ones."""
    title = HTTPStatus(status).phrase
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        **facts,
        "request_id": request_id(),
    }


def _code(error: APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else "invalid"


def _answer(request: HttpRequest, status: int, detail: str) -> HttpResponse | None:
    if not request.path.startswith(API_PREFIX):
        return None
    code = HTTPStatus(status).name.lower()
    return JsonResponse(problem_document(status, detail, code=code), status=status, content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses, such as an unknown host."""
    response = _answer(request, 400, _UNACCEPTABLE)
    return response or defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is none."""
    return _answer(request, 404, _NOTHING_HERE) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what nobody foresaw, and what a middleware met: 503 where the database cannot be used."""
    if answer := unavailable_answer(request, sys.exc_info()[1]):
        return answer
    response = _answer(request, 500, "This should not have happened, and was logged.")
    return response or defaults.server_error(request)


def unavailable_answer(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """Answer 503, in the admin's looks but for the API, where ``error`` says that the database cannot be used.

    The page asks nothing of the database: no session, no user.
    """
    detail = unavailable(error)
    if detail is None:
        return None
    response = _answer(request, 503, detail) or HttpResponse(
        render_to_string("503.html", {"detail": detail, "request_id": request_id()}),
        status=503,
    )
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


class UnavailableMiddleware:
    """A page of a site without its database, or with half of it, is 503 and not a fault of the program."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what a view raised; views of REST framework answer by themselves."""
        return unavailable_answer(request, exception)
