"""Filters and pages of lists: parameters are checked, and one that nobody knows is refused instead of passed over."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.models import Batch, RejectedRecord

PAGE_ROWS = 100
PAGING = frozenset({"cursor"})


class Pages(CursorPagination):
    """Pages that stay right while rows arrive; ``ordering`` must be unique."""

    page_size = PAGE_ROWS


class BatchFilters(serializers.Serializer[Any]):
    """What a list of batches can be narrowed to."""

    origin = serializers.ChoiceField(Batch.Origin.choices, required=False)
    status = serializers.ChoiceField(Batch.Status.choices, required=False)
    table = serializers.CharField(source="accounts__table", required=False)
    since = serializers.DateTimeField(source="started_at__gte", required=False)
    until = serializers.DateTimeField(source="started_at__lt", required=False)


class RejectFilters(serializers.Serializer[Any]):
    """What a list of rejects can be narrowed to."""

    table = serializers.CharField(required=False)
    code = serializers.CharField(source="codes__contains", required=False)
    status = serializers.ChoiceField(RejectedRecord.Status.choices, required=False)
    batch = serializers.UUIDField(source="last_batch", required=False)
    since = serializers.DateTimeField(source="last_seen_at__gte", required=False)
    until = serializers.DateTimeField(source="last_seen_at__lt", required=False)

    def validate_code(self, code: str) -> list[str]:
        """Look for one of a reject's codes."""
        return [code]


def narrow(request: Request, rows: QuerySet[Any], filters: type[serializers.Serializer[Any]]) -> QuerySet[Any]:
    """Keep the rows that the address asks for. ``filters`` has a field a parameter, whose ``source`` is a look-up.

    ValidationError names what is wrong with a parameter, or that there is none such.
    """
    asked = request.query_params.dict()
    found = filters(data={name: value for name, value in asked.items() if name not in PAGING})
    unknown = set(asked) - set(found.fields) - PAGING
    if unknown:
        message = ErrorDetail(f"There is no such parameter; known: {', '.join(found.fields)}.", code="unknown_field")
        raise ValidationError({name[:100]: [message] for name in sorted(unknown)[:10]})
    found.is_valid(raise_exception=True)
    return rows.filter(**found.validated_data)


def page(
    request: Request, rows: QuerySet[Any], *, ordering: tuple[str, ...], serializer: type[serializers.Serializer[Any]]
) -> Response:
    """Answer with one page of ``rows``: ``next``, ``previous``, ``results``."""
    pages = Pages()
    pages.ordering = ordering
    shown = pages.paginate_queryset(rows, request)
    return pages.get_paginated_response(serializer(shown, many=True).data)
