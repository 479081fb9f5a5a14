"""``/api/v1/batches/``: post records, and see what became of them."""

import logging
from http import HTTPStatus
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.authentication import sender
from access.models import Token
from access.throttling import spend_records
from core.postgres.retry import in_transaction
from core.web.lists import narrow, page, parameters
from core.web.problems import Problem
from core.web.request_bodies import Body, JsonParser, body_of
from ingest.accounts.load_batches import close_dead_loads
from ingest.api.docs import operations
from ingest.api.filters import BatchFilters
from ingest.api.request.idempotency import Answer, Claim
from ingest.api.request.parsers import CsvParser, NdjsonParser
from ingest.api.request.serializer import BatchSerializer, read_envelope
from ingest.api.response.answer import answer, counted
from ingest.api.response.serializers import BatchAccountSerializer
from ingest.api.rights import viewable_tables
from ingest.models import Account, Batch
from ingest.posting.outcome import UnitResult
from ingest.posting.post import post
from ingest.posting.unit import Unit
from ingest.replaying.heal import schedule

log = logging.getLogger(__name__)


class Batches(APIView):
    """Post a batch of 1 to 1,000 records, or list batches."""

    parser_classes = (JsonParser, NdjsonParser, CsvParser)

    @operations.posts_batch
    def post(self, request: Request) -> HttpResponse:
        """Check records, write the good ones, keep the refused ones with all their reasons."""
        body = body_of(request)
        if body is None:
            raise Problem(HTTPStatus.BAD_REQUEST, "The body is empty.", code="empty")
        asked = parameters(request)
        envelope, members = read_envelope(body, asked)
        context = {"request": request, "body": body, "envelope": envelope, "words": members == asked}
        serializer = BatchSerializer(data=members, context=context)
        serializer.is_valid(raise_exception=True)
        unit: Unit = serializer.validated_data["unit"]
        results: str = serializer.validated_data["results"]
        user, token = sender(request)
        key = _claim(request, body, owner=token.pk)
        claim = None if unit.dry_run else key
        spend_records(request, len(unit))

        def work(cursor: CursorWrapper) -> tuple[Answer, UnitResult | None]:
            if claim and (kept := claim.take(cursor)):
                return kept, None
            posted = post(
                cursor,
                unit,
                origin=Batch.Origin.API,
                user=user,
                options={"token": token.name},
            )
            schedule(posted)
            where = "/records/{index}/data" if envelope and envelope.tagged else "/records/{index}"
            answered = answer(unit, posted, results=results, where=where)
            if claim and posted.batch:
                claim.keep(cursor, posted.batch, answered)
            return answered, posted

        answered, posted = in_transaction(work)
        if posted:
            log_batch(posted, token)
        return send(answered)

    @operations.lists_batches
    def get(self, request: Request) -> Response:
        """List batches, the newest first: one's own, and those whose tables one may view."""
        rows = narrow(request, viewable_batches(request), BatchFilters)
        return page(request, rows, ordering=("-started_at", "id"), serializer=BatchAccountSerializer)


class BatchDetail(APIView):
    """One batch."""

    @operations.shows_batch
    def get(self, request: Request, number: Any) -> Response:
        """Return a batch and its account."""
        return Response(BatchAccountSerializer(get_object_or_404(viewable_batches(request), pk=number)).data)


def viewable_batches(request: Request) -> QuerySet[Batch]:
    """Return the batches that the user sent, and those all of whose tables the user may view.

    A load whose process was killed is marked so first.
    """
    close_dead_loads()
    hidden = Account.objects.filter(batch=OuterRef("pk")).exclude(table__in=viewable_tables(request.user))
    seen = Q(user=request.user) | ~Exists(hidden)
    return Batch.objects.filter(seen).select_related("user").prefetch_related("accounts")


def log_batch(posted: UnitResult, token: Token) -> None:
    """Log what became of a batch: figures, and nothing of its records."""
    if posted.batch and posted.batch.finished_at:
        facts = {
            "batch": str(posted.batch.pk),
            "origin": str(posted.batch.origin),
            "status": str(posted.status),
            "token": token.name,
            "counts": counted(posted),
            "seconds": round((posted.batch.finished_at - posted.batch.started_at).total_seconds(), 4),
        }
        log.info("batch", extra=facts)


def send(answered: Answer) -> HttpResponse:
    """Send an answer that is written already."""
    return HttpResponse(
        answered.content, status=answered.status, headers=answered.headers, content_type="application/json"
    )


def _claim(request: Request, body: Body, *, owner: str) -> Claim | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    parts = (request.path, request.META.get("QUERY_STRING", ""), body.media_type)
    return Claim(owner=owner, key=key, request="\n".join(parts).encode() + b"\n" + body.data)
