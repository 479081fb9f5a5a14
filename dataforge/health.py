"""``/healthz`` and ``/readyz``, for those who watch a process and those who send it work.

Both answer plain HTTP under any host name: a load balancer knows neither a certificate nor ALLOWED_HOSTS.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from core.errors import DataForgeError
from dataforge.readiness import readiness

NEVER_STORED = {"Cache-Control": "no-store"}

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
    """Say whether requests can be served: 200, or 503 with what is missing.

    Whoever asks is told which migrations are missing, which this program publishes. The names of tables, roles and
    rights, and whatever else the server said, are for the log.
    """
    try:
        known = readiness.look()
    except (DatabaseError, DataForgeError) as error:
        _log.warning("not ready: %s", str(error).strip().partition("\n")[0])
        return _unready(database="cannot be reached", migrations="unknown")
    if known.ready:
        return JsonResponse({"status": "ok", "database": "ok", "migrations": "ok"}, headers=NEVER_STORED)
    kinds = {lack.kind for lack in known.lacks}
    database = "takes no writes" if "server" in kinds else "lacks tables or rights" if kinds else "ok"
    return _unready(database=database, migrations=known.migrations)


def _unready(**facts: Any) -> HttpResponse:
    return JsonResponse({"status": "unavailable", **facts}, status=503, headers=NEVER_STORED)
