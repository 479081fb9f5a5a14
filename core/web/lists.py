"""Filters and pages of lists: parameters are checked, and one that nobody knows is refused instead of passed over."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError as NoValue
from django.db.models import Field, QuerySet
from django.utils.timezone import is_naive
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

PAGE_ROWS = 100
PAGING = frozenset({"cursor"})


class Pages(CursorPagination):
    """Pages that stay right while rows arrive; ``ordering`` must be unique."""

    page_size = PAGE_ROWS
    place: "Field[Any, Any]"  # what a cursor's position is a value of

    def decode_cursor(self, request: Request) -> Any:
        """Refuse a position that is none, which DRF would hand on to the database."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_value(self.place, str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_value(field: "Field[Any, Any]", text: str) -> bool:
    try:
        value = field.to_python(text)
    except NoValue:
        return False
    return value is not None and not (isinstance(value, datetime) and value.utcoffset() != timedelta(0))


class Moment(serializers.DateTimeField):
    """A moment; DRF's own fails in the first and the last hours of the calendar."""

    def enforce_timezone(self, value: datetime) -> datetime:
        """Return it in UTC, since PostgreSQL reads no offset of 16 hours; as near as the calendar goes."""
        try:
            return super().enforce_timezone(value) if is_naive(value) else value.astimezone(UTC)
        except OverflowError:
            return (datetime.min if value.year == datetime.min.year else datetime.max).replace(tzinfo=UTC)


def parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the address; ValidationError for one that stands there twice."""
    twice = [name for name, values in request.query_params.lists() if len(values) > 1]
    if twice:
        message = ErrorDetail("This parameter is named twice.", code="invalid")
        raise ValidationError({name[:100]: [message] for name in twice[:10]})
    return request.query_params.dict()


def narrow(request: Request, rows: QuerySet[Any], filters: type[serializers.Serializer[Any]]) -> QuerySet[Any]:
    """Keep the rows that the address asks for. ``filters`` has a field a parameter, whose ``source`` is a look-up.

    ValidationError names what is wrong with a parameter, or that there is none such.
    """
    asked = parameters(request)
    serializer = filters(data={name: value for name, value in asked.items() if name not in PAGING})
    refuse_others(set(asked) - PAGING, known=serializer.fields)
    serializer.is_valid(raise_exception=True)
    return rows.filter(**serializer.validated_data)


def refuse_others(asked: Iterable[str], *, known: Iterable[str] = ()) -> None:
    """Raise ValidationError for parameters that are not ``known``."""
    unknown, named = sorted(set(asked) - set(known)), ", ".join(known) or "none"
    if unknown:
        message = ErrorDetail(f"There is no such parameter; known: {named}.", code="unknown_field")
        raise ValidationError({name[:100]: [message] for name in unknown[:10]})


def page(
    request: Request, rows: QuerySet[Any], *, ordering: tuple[str, ...], serializer: type[serializers.Serializer[Any]]
) -> Response:
    """Answer with one page of ``rows``: ``next``, ``previous``, ``results``."""
    pages = Pages()
    pages.ordering = ordering
    pages.place = rows.model._meta.get_field(ordering[0].lstrip("-"))
    shown = pages.paginate_queryset(rows, request)
    return pages.get_paginated_response(serializer(shown, many=True, context={"request": request}).data)
