"""Every body comes with its length: Django takes one that comes in chunks for none."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse

from core.web.problems import CONTENT_TYPE, problem_document

_CHUNKED = (
    "A body in chunks (Transfer-Encoding: chunked) is not read: send it in one piece, with its length in bytes in "
    "Content-Length."
)
_BOTH = "A body has one length: send Content-Length, and no Transfer-Encoding."


class BodyLengthMiddleware:
    """Answers 411 to a body without a length, at every address and to everybody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "Transfer-Encoding" not in request.headers:
            return self.get_response(request)
        if request.headers.get("Content-Length"):  # gunicorn refuses it by itself; an empty one is of Django's server
            return _problem(HTTPStatus.BAD_REQUEST, _BOTH, code="bad_request")
        return _problem(HTTPStatus.LENGTH_REQUIRED, _CHUNKED, code="length_required")


def _problem(status: HTTPStatus, detail: str, *, code: str) -> HttpResponse:
    return JsonResponse(problem_document(status, detail, code=code), status=status, content_type=CONTENT_TYPE)
