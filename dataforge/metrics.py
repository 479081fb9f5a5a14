"""``/metrics``: the rooms' figures side by side, in Prometheus's text format."""

import time
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from access.throttling import count_bad_token
from backups.metrics import BackupsCollector
from core.version import __version__
from ingest.metrics import IngestCollector

# Less than any interval of scraping: an answer older than the scrape before it could show a counter that fell.
KEPT_SECONDS = 5.0
_LOOPBACK = ("127.0.0.1", "::1")


class _Version(Collector):
    def collect(self) -> list[Metric]:
        return [InfoMetricFamily("dataforge", "What is running.", value={"version": __version__})]


class _Exposition:
    """The text, made again after ``KEPT_SECONDS``, by one thread while others wait for it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (_Version(), IngestCollector(), BackupsCollector()):
            self._registry.register(collector)
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        self._text, self._until = b"", 0.0

    def text(self) -> bytes:
        with self._lock:
            if time.monotonic() >= self._until:
                self._text = generate_latest(self._registry)
                self._until = time.monotonic() + KEPT_SECONDS
            return self._text


exposition = _Exposition()


class MetricsView(APIView):
    """For Prometheus alone: `Authorization: Bearer` and the setting METRICS_TOKEN; closed while that is not set.

    On a developer's machine (DEBUG) open to the machine itself. No address opens it in production: behind a proxy on
    the same machine, the whole world comes from there.
    """

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None  # no part of the API

    def get(self, request: Request) -> HttpResponse:
        """Return the figures of the database."""
        _admit(request)
        return HttpResponse(exposition.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    def get_authenticate_header(self, _request: HttpRequest) -> str:
        """Say what a 401 asks for."""
        return 'Bearer realm="metrics"'


def _admit(request: Request) -> None:
    """Raise AuthenticationFailed, PermissionDenied or, after many wrong tokens, Throttled."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        if constant_time_compare(token.strip(), settings.METRICS_TOKEN):
            return
        count_bad_token(request)
        raise AuthenticationFailed("This is not the METRICS_TOKEN.")
    if settings.DEBUG and request.META.get("REMOTE_ADDR") in _LOOPBACK:
        return
    if not settings.METRICS_TOKEN:
        raise PermissionDenied("The metrics are closed: set METRICS_TOKEN, and give it to Prometheus as bearer_token.")
    raise AuthenticationFailed("Send the METRICS_TOKEN: `Authorization: Bearer ...`.")
