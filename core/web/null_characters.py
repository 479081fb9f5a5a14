"""A NUL in a parameter means nothing, and PostgreSQL takes none: no list of a page gets to see one."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class NullCharactersMiddleware:
    """Pages read a NUL in an address as they read bytes of no UTF-8; Django's lists would ask the database for it.

    Views of the API (with ``cls``, as REST framework makes them) say by themselves which parameter is wrong.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> None:
        """Put another character in the place of each NUL among the names and values."""
        if "%00" in request.META.get("QUERY_STRING", "") and not hasattr(view, "cls"):
            read = QueryDict(mutable=True)
            for name, values in request.GET.lists():
                read.setlist(name.replace("\0", REPLACEMENT), [str(text).replace("\0", REPLACEMENT) for text in values])
            request.GET = read  # type: ignore[assignment]  # whose type says that it cannot be set
