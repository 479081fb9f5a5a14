"""What the published OpenAPI document says alike of every operation: faults, pages, headers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from core.web.problems import CONTENT_TYPE

_PROBLEMS = {
    400: "The request is not JSON, or its members or parameters are wrong.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token's user lacks a permission; it is named.",
    404: "There is nothing of this name or number, or it is not yours to see.",
    406: "Answers are JSON: accept application/json.",
    411: "The body came in chunks, without a Content-Length.",
    413: "Too many bytes; the bound is named.",
    415: "Not JSON in UTF-8, as it is or gzipped once (gzip, x-gzip).",
    429: "Too many requests in this minute; see Retry-After.",
    503: "A load or restore holds the table, or the database is away; see Retry-After.",
}
_READING = (401, 406, 429, 503)


class ProblemSerializer(serializers.Serializer[Any]):
    """A fault of the request: RFC 9457."""

    type = serializers.CharField(help_text="Always about:blank: see code.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong and what to do.")
    code = serializers.CharField(help_text="The same for programs.")
    request_id = serializers.CharField(help_text="For whoever looks it up in the logs.")


def problem_responses(*statuses: int, said: Mapping[int, str] = MappingProxyType({})) -> dict[Any, Any]:
    """Return the responses of faults, those that any operation may have among them; ``said`` words some otherwise."""
    words = {**_PROBLEMS, **said}
    every_status = sorted({*statuses, *_READING})
    return {(status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, words[status]) for status in every_status}


def page_of(serializer: type[serializers.Serializer[Any]], name: str) -> type[serializers.Serializer[Any]]:
    """Return the document of one page of a list."""
    fields = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": serializer(many=True),
    }
    return type(f"{name}Page", (serializers.Serializer,), fields)


def header(name: str, kind: OpenApiTypes, statuses: list[int | str], description: str) -> OpenApiParameter:
    """Describe a header of the answers of these statuses."""
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, response=statuses, description=description)


def changes_something(*statuses: int | str) -> list[OpenApiParameter]:
    """Describe the headers of every request that changes something, and is answered by these statuses where it did."""
    replayed = header("Idempotency-Replayed", OpenApiTypes.BOOL, [*statuses], "It had this same answer before.")
    return [KEY, replayed, ACCEPT_ENCODING, RETRY_AFTER]


KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-+\--~]([ -+\--~]*[!-+\--~])?$"},
    OpenApiParameter.HEADER,
    description="The same key and request again within 24 hours get the first answer, and are not carried out again.",
)
ACCEPT_ENCODING = header("Accept-Encoding", OpenApiTypes.STR, [415], "The codings of a body that are read.")
RETRY_AFTER = header("Retry-After", OpenApiTypes.INT, [429, 503], "In so many seconds.")
CURSOR = OpenApiParameter("cursor", str, description="Of `next` or `previous`.")
