"""``/api/v1/restores/``: what became of restores and dry runs."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backups.api import openapi
from backups.api.lists import RESTORES
from backups.api.serializers import RestoreSerializer
from backups.models import Restore
from core.web.things import ThingView


class Restores(APIView):
    """All restores."""

    @openapi.lists_restores
    def get(self, request: Request) -> Response:
        """List restores and dry runs, the latest first."""
        return RESTORES.page(request)


class RestoreDetail(ThingView):
    """One restore."""

    def find(self, request: Request, number: UUID, /) -> Restore:
        """Find a restore, for whoever may view them."""
        return RESTORES.one(request, number)

    @openapi.shows_restore
    def get(self, request: Request, number: UUID) -> Response:
        """Return a restore, and what it did or would do."""
        return Response(RestoreSerializer(self.thing, context={"request": request}).data)
