"""A NUL in a parameter means nothing, and PostgreSQL takes none: pages refuse it before any list looks at it."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class NullCharactersMiddleware:
    """400 for a page whose address has a NUL in a parameter: Django's lists would hand it to the database.

    Views of the API (with ``cls``, as REST framework makes them) say by themselves which parameter is wrong.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> None:
        """Look at the names and values of the address."""
        texts = (text for name, values in request.GET.lists() for text in (name, *map(str, values)))
        if not hasattr(view, "cls") and any("\0" in text for text in texts):
            raise BadRequest("Null characters are not allowed in an address.")
