"""``/api/v1/restores/``: what became of restores and dry runs."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backups.api import openapi
from backups.api.lists import RESTORES


class Restores(APIView):
    """All restores."""

    @openapi.lists_restores
    def get(self, request: Request) -> Response:
        """List restores and dry runs, the latest first."""
        return RESTORES.page(request)


class RestoreDetail(APIView):
    """One restore."""

    @openapi.shows_restore
    def get(self, request: Request, number: UUID) -> Response:
        """Return a restore, and what it did or would do."""
        return RESTORES.one(request, number)
