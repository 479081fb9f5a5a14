"""Answers are for whoever asked: no cache in between keeps one that does not itself say for how long it lasts."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

type Answer = Callable[[HttpRequest], HttpResponse]


class PrivateAnswersMiddleware:
    """Has every answer say ``Cache-Control: no-store`` that says nothing of caches; static files do."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response
