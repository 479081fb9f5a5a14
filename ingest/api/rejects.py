"""``/api/v1/rejects/``: refused records, and their replay."""

from http import HTTPStatus

from django.db.backends.utils import CursorWrapper
from django.db.models import Case, F, QuerySet, When
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
from core.web.things import ThingView
from ingest.api.batches import log_batch
from ingest.api.docs import operations
from ingest.api.filters import RejectFilters
from ingest.api.response.answer import answer
from ingest.api.response.serializers import RejectSerializer
from ingest.api.rights import require
from ingest.models import Batch, RejectedRecord
from ingest.posting.outcome import UnitResult
from ingest.posting.unit import Origin
from ingest.replaying.heal import schedule
from ingest.replaying.replay import NotReplayable, Replay, find_group, run, unit_of
from ingest.rights import viewable_rejects, viewable_tables
from ingest.rules.on_conflict import ON_CONFLICT
from ingest.rules.sources import find_source

HIDDEN_MATE = "It is replayed with its group, of which a record is of a table that this token's user may not view."


class ReplaySerializer(StrictSerializer):
    """How a reject is to be replayed."""

    record = serializers.DictField(required=False, help_text="The record, corrected; without it, as it came.")
    on_conflict = OneOf(ON_CONFLICT, default="reject", help_text="For a key that is stored with other content.")


class Rejects(APIView):
    """Refused records."""

    @operations.lists_rejects
    def get(self, request: Request) -> Response:
        """List the rejects of tables that one may view, the newest first."""
        rows = narrow(request, _shown(request), RejectFilters)
        return page(request, rows, ordering=("-id",), serializer=RejectSerializer)


class _OneReject(ThingView):
    """What stands at a reject's number."""

    def find(self, request: Request, number: int, /) -> RejectedRecord:
        """Find a reject of a table that one may view."""
        return get_object_or_404(_shown(request), pk=number)


class RejectDetail(_OneReject):
    """One refused record."""

    @operations.shows_reject
    def get(self, request: Request, number: int) -> Response:
        """Return a reject."""
        return Response(RejectSerializer(self.thing).data)


class RejectReplay(_OneReject):
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
        origin = Origin(kind=Batch.Origin.REPLAY, user=user, options={"token": token.name})
        seen = viewable_tables(user)
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
            if not {reject.table for reject in rejects} <= set(seen):
                raise Problem(HTTPStatus.FORBIDDEN, HIDDEN_MATE, code="permission_denied")
            require(user, [s for r in rejects if (s := find_source(r.table))], ("change",))
            replay = Replay(rejects=rejects, corrections=corrections, on_conflict=on_conflict)
            unit = unit_of(replay)
            posted = run(cursor, replay, unit, origin)
            schedule(posted)
            answered = answer(unit, posted, results="all", where="/record", seen=seen)
            if claim:
                claim.keep(cursor, answered)
            return answered, posted

        spend_records(request, 1)
        answered, posted = in_transaction(work)
        if posted:
            log_batch(posted, token)
        return answered.response()


def _shown(request: Request) -> QuerySet[RejectedRecord]:
    """Return the rejects that the user may view, each with the one that it waits for where that is one of them."""
    parent = When(parent__table__in=viewable_tables(request.user), then=F("parent"))
    return viewable_rejects(request.user).annotate(shown_parent=Case(parent))
