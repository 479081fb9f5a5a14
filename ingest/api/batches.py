"""``/api/v1/batches/``: post records, and see what became of them."""

import logging
from http import HTTPStatus
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.authentication import sender
from access.idempotency import Answer, claim_of
from access.models import Token
from access.throttling import spend_records
from core.postgres.retry import in_transaction
from core.web.lists import narrow, page, parameters
from core.web.problems import Problem
from core.web.request_bodies import JsonParser, body_of
from core.web.things import ThingView
from ingest.accounts.load_batches import close_dead_loads
from ingest.api.docs import operations
from ingest.api.filters import BatchFilters
from ingest.api.request.parsers import CsvParser, NdjsonParser
from ingest.api.request.serializer import BatchSerializer, CsvBatchSerializer, read_envelope
from ingest.api.response.answer import answer, counted
from ingest.api.response.serializers import BatchAccountSerializer
from ingest.models import Batch
from ingest.posting.outcome import UnitResult
from ingest.posting.post import post
from ingest.posting.unit import Origin, Unit
from ingest.replaying.heal import schedule
from ingest.rights import viewable_batches, viewable_tables

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
        serializer = (BatchSerializer if envelope else CsvBatchSerializer)(data=members, context=context)
        serializer.is_valid(raise_exception=True)
        unit: Unit = serializer.validated_data["unit"]
        results: str = serializer.validated_data["results"]
        user, token = sender(request)
        seen = viewable_tables(user)
        key = claim_of(request, body)
        claim = None if unit.dry_run else key
        spend_records(request, len(unit))
        origin = Origin(kind=Batch.Origin.API, user=user, options={"token": token.name})

        def work(cursor: CursorWrapper) -> tuple[Answer, UnitResult | None]:
            if claim and (kept := claim.take(cursor)):
                return kept, None
            posted = post(cursor, unit, origin)
            schedule(posted)
            where = "/records/{index}/data" if envelope and envelope.tagged else "/records/{index}"
            answered = answer(unit, posted, results=results, where=where, seen=seen)
            if claim and posted.batch:
                claim.keep(cursor, answered)
            return answered, posted

        answered, posted = in_transaction(work)
        if posted:
            log_batch(posted, token)
        return answered.response()

    @operations.lists_batches
    def get(self, request: Request) -> Response:
        """List batches, the newest first: one's own, and those whose tables one may view."""
        rows = narrow(request, _shown(request), BatchFilters)
        return page(request, rows, ordering=("-started_at", "id"), serializer=BatchAccountSerializer)


class BatchDetail(ThingView):
    """One batch."""

    def find(self, request: Request, number: Any, /) -> Batch:
        """Find a batch of one's own, or one whose tables one may view."""
        return get_object_or_404(_shown(request), pk=number)

    @operations.shows_batch
    def get(self, request: Request, number: Any) -> Response:
        """Return a batch and its account."""
        return Response(BatchAccountSerializer(self.thing).data)


def _shown(request: Request) -> QuerySet[Batch]:
    """Return the batches that the user may view, each with the one that caused it where that is one of them.

    A load whose process was killed is marked so first.
    """
    close_dead_loads()
    cause = viewable_batches(request.user).filter(pk=OuterRef("caused_by")).values("pk")
    shown = viewable_batches(request.user).annotate(shown_cause=Subquery(cause))
    return shown.select_related("user").prefetch_related("accounts")


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
