"""``/api/v1/rejects/``: refused records, and their replay."""

from http import HTTPStatus

from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.authentication import sender
from access.idempotency import Answer, claim_of
from access.throttling import spend_records
from core.postgres.retry import in_transaction
from core.web.lists import narrow, page, parameters, refuse_others
from core.web.problems import Problem
from core.web.request_bodies import JsonParser, body_of, read_members
from core.web.serializer_fields import OneOf, StrictSerializer
from ingest.api.batches import log_batch
from ingest.api.docs import operations
from ingest.api.filters import RejectFilters
from ingest.api.response.answer import answer
from ingest.api.response.serializers import RejectSerializer
from ingest.api.rights import require, viewable_tables
from ingest.models import RejectedRecord
from ingest.posting.outcome import UnitResult
from ingest.replaying.heal import schedule
from ingest.replaying.replay import NotReplayable, Replay, find_group, run, unit_of
from ingest.rules.on_conflict import ON_CONFLICT
from ingest.rules.sources import find_source


class ReplaySerializer(StrictSerializer):
    """How a reject is to be replayed."""

    record = serializers.DictField(required=False, help_text="The record, corrected; without it, as it came.")
    on_conflict = OneOf(ON_CONFLICT, default="reject", help_text="For a key that is stored with other content.")


class Rejects(APIView):
    """Refused records."""

    @operations.lists_rejects
    def get(self, request: Request) -> Response:
        """List the rejects of tables that one may view, the newest first."""
        rows = narrow(request, viewable_rejects(request), RejectFilters)
        return page(request, rows, ordering=("-id",), serializer=RejectSerializer)


class RejectDetail(APIView):
    """One refused record."""

    @operations.shows_reject
    def get(self, request: Request, number: int) -> Response:
        """Return a reject."""
        return Response(RejectSerializer(get_object_or_404(viewable_rejects(request), pk=number)).data)


class RejectReplay(APIView):
    """Replays."""

    parser_classes = (JsonParser,)

    @operations.replays_reject
    def post(self, request: Request, number: int) -> HttpResponse:
        """Replay a reject, with its group where it has one: as it came, or corrected."""
        refuse_others(parameters(request))
        body = body_of(request)
        members = read_members(body) if body else {}
        serializer = ReplaySerializer(data=members)
        serializer.is_valid(raise_exception=True)
        corrections = {number: members["record"]} if "record" in members else {}
        on_conflict = serializer.validated_data["on_conflict"]
        user, token = sender(request)
        claim = claim_of(request, body)

        def work(cursor: CursorWrapper) -> tuple[Answer, UnitResult | None]:
            if claim and (kept := claim.take(cursor)):
                return kept, None
            try:
                rejects = find_group(number)
            except RejectedRecord.DoesNotExist as error:
                raise Http404 from error
            except NotReplayable as error:
                raise Problem(HTTPStatus.CONFLICT, str(error), code="not_replayable") from error
            require(request.user, [s for r in rejects if (s := find_source(r.table))], ("change",))
            replay = Replay(rejects=rejects, corrections=corrections, on_conflict=on_conflict)
            unit = unit_of(replay)
            posted = run(cursor, replay, unit, user=user, options={"token": token.name})
            schedule(posted)
            answered = answer(unit, posted, results="all", where="/record")
            if claim:
                claim.keep(cursor, answered)
            return answered, posted

        spend_records(request, 1)
        answered, posted = in_transaction(work)
        if posted:
            log_batch(posted, token)
        return answered.response()


def viewable_rejects(request: Request) -> QuerySet[RejectedRecord]:
    """Return the rejects of tables that the user may view."""
    return RejectedRecord.objects.filter(table__in=viewable_tables(request.user))
