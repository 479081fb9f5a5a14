"""Every request has an id, which its logs and its answer carry."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")
_current: ContextVar[str] = ContextVar("request_id", default="-")


def request_id() -> str:
    """Give the id of the request at work, ``-`` outside of one."""
    return _current.get()


class RequestIdMiddleware:
    """Takes the id that a proxy or client sent, where it is a harmless one, or else makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get(HEADER, "")
        token = _current.set(sent if _ACCEPTED.fullmatch(sent) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response[HEADER] = request_id()
            return response
        finally:
            _current.reset(token)


class RequestIdFilter(logging.Filter):
    """Gives each line of the log the id of its request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id()
        return True
