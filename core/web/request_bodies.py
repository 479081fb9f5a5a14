"""The body of a request as bytes: bounded before it is parsed, unpacked where it is gzipped, UTF-8 or refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from core.json_scanner import DoubledMembers, NotJson, finish, scan, too_deep
from core.web.gzip_members import NotGzip, unpack
from core.web.problems import Problem

JSON = "application/json"
_BOM = "\ufeff"
_GZIP = ("gzip", "x-gzip")
_CHARSETS = ("utf-8", "utf8", "us-ascii")


@dataclass(frozen=True)
class Body:
    """What was sent: its media type, and its bytes, unpacked."""

    media_type: str
    data: bytes


class BodyParser(BaseParser):
    """Reads the body; DRF picks one by the media type, and answers 415 where there is none."""

    def parse(  # type: ignore[override]  # a Body in place of parsed data, which the view asks for
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Body:
        """Return the body, or raise Problem: 413 too large, 415 charset or encoding, 400 damaged."""
        headers = (parser_context or {})["request"].headers
        if "*" in (media_type or "").partition(";")[0]:
            detail = "The Content-Type must say what the body is, without a wildcard."
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
        for charset in _parameters(media_type or "", "charset"):
            if charset.lower() not in _CHARSETS:
                detail = f"The charset {charset[:40]!r} is not read: send UTF-8."
                raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
        packing = headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in ("identity", "", *_GZIP):
            detail = (
                f"The Content-Encoding {packing[:40]!r} is not read: send the body as it is (identity), or gzipped "
                "once (gzip, or x-gzip)."
            )
            accepted = {"Accept-Encoding": "gzip, identity"}
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, headers=accepted)
        data = _read(stream, announced=int(headers.get("Content-Length") or 0))
        return Body(self.media_type, _unpack(data) if packing in _GZIP else data)


class JsonParser(BodyParser):
    """One JSON document."""

    media_type = JSON


def body_of(request: Request) -> Body | None:
    """Return the body, or None where there is none."""
    body = request.data
    return body if isinstance(body, Body) and body.data else None


def read_members(body: Body) -> dict[str, Any]:
    """Read a small JSON object, numbers as their text. Problem 400 for anything else."""
    text = body.data.decode("utf-8", "surrogateescape").removeprefix(_BOM)
    try:
        document = scan(text, 0)
        finish(text, document.end)
    except NotJson as error:
        raise not_json(error) from error
    if not isinstance(document.value, dict) or isinstance(document.value, DoubledMembers) or too_deep(document.value):
        detail = "The body must be an object that names each member once and is not nested deeply."
        raise Problem(HTTPStatus.BAD_REQUEST, detail, code="invalid", pointer="")
    return document.value


def not_json(error: NotJson) -> Problem:
    """Say where the body stops to be JSON."""
    detail = f"The body is not JSON: {error} (at character {error.offset})."
    return Problem(HTTPStatus.BAD_REQUEST, detail, code="parse_error")


def _parameters(media_type: str, name: str) -> Iterator[str]:
    for part in media_type.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip().lower() == name and value.strip():
            yield value.strip().strip('"')


def too_large() -> Problem:
    """Say how many bytes are allowed."""
    limit = settings.API_MAX_BYTES
    detail = f"The body is larger than {limit:,} bytes: send less at a time."
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, code="max_bytes", max_bytes=limit)


def _read(stream: Any, *, announced: int) -> bytes:
    if announced > settings.API_MAX_BYTES:
        raise too_large()
    data = stream.read(announced)
    if len(data) < announced:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body ended before its announced length.", code="truncated")
    return bytes(data)


def _unpack(data: bytes) -> bytes:
    """Unpack gzip, but no more than is allowed: a bomb is noticed before it goes off."""
    try:
        unpacked = unpack(data, at_most=settings.API_MAX_BYTES)
    except NotGzip as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"The body is not sound gzip. {error}", code="gzip") from error
    if len(unpacked) > settings.API_MAX_BYTES:
        raise too_large()
    return unpacked
