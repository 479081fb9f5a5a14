"""What gunicorn does in our way: its log through our formatter, and its own faults as problem documents."""

import json
import os
from http import HTTPStatus
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http import errors

from core.web.problems import CONTENT_TYPE, problem_document
from dataforge.environment import FLAGS
from dataforge.lingering import LingeringWorker
from dataforge.logs import DiscreetFilter, formatter

_OF_THE_APPLICATION = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
_STATUSES: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long."),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too many or too long."),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED, "This transfer coding is not read."),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED, "This expectation cannot be met."),
    (errors.ForbiddenProxyRequest, HTTPStatus.FORBIDDEN, "This proxy is not known here."),
)


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's log, in lines like all others. Without the settings, which its master process does not read."""

    def setup(self, cfg: Any) -> None:
        """Make ours the formatter of its handlers."""
        super().setup(cfg)
        development = FLAGS.get(os.environ.get("DEBUG", "").strip().lower(), False)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(formatter(development=development))
            handler.addFilter(DiscreetFilter())


class Worker(LingeringWorker):
    """Answers requests that never come so far as Django: gunicorn's own words are HTML, and quote what was sent."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a problem document and close; log the kind of fault, since its message may hold a token."""
        status, detail = _explain(exc)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log.error("a request failed outside of Django", exc_info=exc)
        else:
            self.log.warning("%s: a request that is none", int(status), exc_info=exc)
        body = json.dumps(problem_document(status, detail, code=status.name.lower())).encode()
        head = f"HTTP/1.1 {int(status)} {status.phrase}\r\nConnection: close\r\nContent-Type: {CONTENT_TYPE}\r\n"
        try:
            client.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        except OSError:
            self.log.debug("the client did not wait for the answer")


def _explain(error: Exception) -> tuple[HTTPStatus, str]:
    for kind, status, detail in _STATUSES:
        if isinstance(error, kind):
            return status, detail
    if isinstance(error, _OF_THE_APPLICATION) or not isinstance(error, errors.ParseException):
        return HTTPStatus.INTERNAL_SERVER_ERROR, "This should not have happened, and was logged."
    return HTTPStatus.BAD_REQUEST, "This is no HTTP request that can be read."
