"""``/healthz`` and ``/readyz``, for those who watch a process and those who send it work.

Both answer plain HTTP under any host name: a load balancer knows neither a certificate nor ALLOWED_HOSTS.
"""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from core.errors import DataForgeError
from core.postgres.engine.session_settings import given_options

TIMEOUT_SECONDS = 2
NEVER_STORED = {"Cache-Control": "no-store"}

type Migration = tuple[str, str]

_log = logging.getLogger(__name__)


class HealthMiddleware:
    """Answers the two addresses; stands before everything that could refuse or redirect them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = {"/healthz": _healthz, "/readyz": _readyz}.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return answer()


def _healthz() -> HttpResponse:
    """Say that this process answers. Asks nothing of the database: restarting us would not mend that."""
    return JsonResponse({"status": "ok"}, headers=NEVER_STORED)


def _readyz() -> HttpResponse:
    """Say whether requests can be served: 200, or 503 with what is missing."""
    try:
        missing = sorted(_expected() - _applied())
    except (DatabaseError, DataForgeError) as error:
        # What the server said names hosts and users, which are no business of whoever asks here.
        _log.warning("not ready: %s", str(error).strip().splitlines()[0])
        return _unready(database="cannot be reached", migrations="unknown")
    if missing:
        return _unready(database="ok", migrations=[f"{app}.{name} is not applied" for app, name in missing])
    return JsonResponse({"status": "ok", "database": "ok", "migrations": "ok"}, headers=NEVER_STORED)


def _unready(**facts: Any) -> HttpResponse:
    return JsonResponse({"status": "unavailable", **facts}, status=503, headers=NEVER_STORED)


@cache
def _expected() -> set[Migration]:
    """Return every migration that this program comes with."""
    return set(MigrationLoader(None).graph.nodes)


def _applied() -> set[Migration]:
    """Ask by a connection of its own, which gives up soon: the kept one may be at work, or wait for minutes."""
    connection = connections["default"].copy()
    given = given_options(connection.settings_dict)
    connection.settings_dict["OPTIONS"] |= {
        "connect_timeout": TIMEOUT_SECONDS,
        "options": f"{given} -c statement_timeout={TIMEOUT_SECONDS}s",
    }
    try:
        return set(MigrationRecorder(connection).applied_migrations())
    finally:
        connection.close()
