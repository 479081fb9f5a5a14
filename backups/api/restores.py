"""``/api/v1/restores/``: what became of restores and dry runs."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.lists import narrow, page
from backups.api import openapi
from backups.api.answers import require
from backups.api.documents import RestoreFilters, RestoreSerializer
from backups.liveness import close_abandoned
from backups.models import Restore
from backups.rights import VIEW_RESTORES, visible


class Restores(APIView):
    """All restores."""

    @openapi.lists_restores
    def get(self, request: Request) -> Response:
        """List restores and dry runs, the latest first."""
        require(request, VIEW_RESTORES)
        rows = narrow(request, _restores(request), RestoreFilters)
        return page(request, rows, ordering=("-started_at", "id"), serializer=RestoreSerializer)


class RestoreDetail(APIView):
    """One restore."""

    @openapi.shows_restore
    def get(self, request: Request, number: UUID) -> Response:
        """Give a restore, and what it did or would do."""
        require(request, VIEW_RESTORES)
        return Response(RestoreSerializer(get_object_or_404(_restores(request), pk=number)).data)


def _restores(request: Request) -> QuerySet[Restore]:
    close_abandoned()
    return visible(request.user, Restore.objects.select_related("user"))
