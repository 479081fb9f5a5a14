"""Every request has an id, which its logs and its answer carry, and a line in the log."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"healthz", "readyz", "metrics"})  # asked every few seconds, by machines
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")
log = logging.getLogger(__name__)
_current: ContextVar[str] = ContextVar("request_id", default="-")


def request_id() -> str:
    """Return the id of the request at work, ``-`` outside of one."""
    return _current.get()


class RequestIdMiddleware:
    """Takes the id that a proxy or client sent, where it is a harmless one, or else makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent, started = request.headers.get(HEADER, ""), time.monotonic()
        token = _current.set(sent if _ACCEPTED.fullmatch(sent) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response[HEADER] = request_id()
            _log(request, response, seconds=time.monotonic() - started)
            return response
        finally:
            _current.reset(token)


def route_of(request: HttpRequest) -> str:
    """Name the pattern of the request's address, which holds nothing that the client wrote."""
    match = request.resolver_match
    return match.route if match else "(no such address)"


def _log(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Say what was asked, by whom, and what was answered."""
    route = route_of(request)
    facts: dict[str, Any] = {
        "method": request.method if request.method in _METHODS else "?",
        "route": route,
        "status": int(response.status_code),  # Django keeps whatever a view gave, an HTTPStatus too
        "seconds": round(seconds, 4),
    }
    if name := getattr(getattr(request, "auth", None), "name", None):  # set by DRF where a token was accepted
        facts["token"] = name
    quiet = route in _QUIET and response.status_code < HTTPStatus.BAD_REQUEST
    log.log(logging.DEBUG if quiet else logging.INFO, "answered", extra=facts)
