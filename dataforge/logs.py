"""What is logged, and how: one JSON object a line in production, readable lines in development.

Never a record's content, a token or a password. Messages are constant texts with harmless facts; further facts are
members of their own, and only those named here. Of an exception, whose message may quote values (PostgreSQL's do, in
DETAIL and CONTEXT), production sees class, place and SQLSTATE; messages only of errors whose words are ours.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.typing import EventDict, Processor

from core.errors import DataForgeError
from core.web.request_ids import request_id, route_of

FACTS = ("batch", "origin", "status", "token", "counts", "seconds", "method", "route", "address", "tables", "schedule")
_OURS = (DataForgeError, ImproperlyConfigured, ImportError)
_PROJECT = f"{Path(__file__).resolve().parent.parent}{os.sep}"
_CHAIN = 5  # exceptions, each the cause of the one before


class DiscreetFilter(logging.Filter):
    """Takes out of a line what came from a client: the messages of exceptions, and addresses."""

    def filter(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Return the line as it may be seen; other handlers get the line as it was."""
        if record.name == "django.request" and not record.exc_info:
            return False  # a status, which the line of the request says too
        shown = copy(record)
        if isinstance(shown.msg, BaseException):
            shown.msg, shown.args = told(shown.msg).replace("%", "%%"), ()
        if shown.name.startswith("django.security"):  # it quotes hosts, origins and the like
            shown.msg, shown.args = "refused as suspicious", ()
        request = getattr(record, "request", None)
        if isinstance(shown.args, tuple):
            shown.args = tuple(_discreet(value, request) for value in shown.args)
        return shown


def _discreet(value: object, request: Any) -> object:
    if isinstance(value, BaseException):
        return told(value)
    if request is not None and isinstance(value, str) and value == getattr(request, "path", None):
        return route_of(request)
    return value


def told(error: BaseException) -> str:
    """Say what happened without quoting anything that a client sent."""
    if isinstance(error, _OURS):
        return str(error)
    name = type(error).__name__
    cause = error if hasattr(error, "diag") else error.__cause__
    code, diagnostics = getattr(cause, "pgcode", None), getattr(cause, "diag", None)
    if code is not None:
        constraint = getattr(diagnostics, "constraint_name", None)
        return f"{name} {code}" + (f" ({constraint})" if constraint else "")
    if diagnostics is not None and "Operational" in name:  # libpq's own: the connection, never a row
        return f"{name}: {str(error).strip().splitlines()[0]}" if str(error).strip() else name
    return name


def _links(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(_CHAIN):
        if following is None:
            return
        yield following
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)


def _place(frame: traceback.FrameSummary) -> str:
    path = frame.filename.removeprefix(_PROJECT).rpartition("site-packages/")[2]
    return f"{path}:{frame.lineno} {frame.name}"


def _exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Describe the exception, and what caused it, the last call first."""
    exc_info = event.pop("exc_info", None)
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["exception"] = [
            {"error": told(link), "at": [_place(frame) for frame in reversed(traceback.extract_tb(link.__traceback__))]}
            for link in _links(error)
        ]
    return event


def _request(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if (current := request_id()) != "-":
        event["request_id"] = current
    return event


def formatter(*, development: bool) -> logging.Formatter:
    """Return the formatter of all lines: ours, Django's and gunicorn's."""
    last: list[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
            )
        ]
        if development
        else [_exception, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _request,
            structlog.stdlib.ExtraAdder(allow=FACTS),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )


def logging_settings(*, development: bool) -> dict[str, Any]:
    """Return Django's setting LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"discreet": {"()": DiscreetFilter}},
        "formatters": {"line": {"()": formatter, "development": development}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["discreet"], "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            **{name: {"level": "INFO"} for name in ("core", "access", "ingest", "olist", "backups")},
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "django.request": {"level": "ERROR"},  # a client's fault is told to the client
            "django.server": {"level": "ERROR", "handlers": [], "propagate": True},  # ours say more of a request
        },
    }
