"""Lists and single rows of what the catalogue knows, to those who may see them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backups.api.answers import require
from backups.api.serializers import BackupFilters, BackupSerializer, RestoreFilters, RestoreSerializer
from backups.catalogue.liveness import close_abandoned
from backups.catalogue.rights import VIEW, VIEW_RESTORES, may, within_reach
from backups.catalogue.told import with_figures
from backups.models import Backup, Restore
from core.web.lists import narrow, page

type Serializer = type[serializers.Serializer[Any]]


@dataclass(frozen=True, kw_only=True)
class ListView:
    """Rows that need the permission ``right`` to be seen; ``every`` gives all, as a user may be told of them."""

    every: Callable[[Any], QuerySet[Any]]
    right: str
    filters: Serializer
    serializer: Serializer

    def rows(self, request: Request) -> QuerySet[Any]:
        """Return those within reach, without a look at the right; what was abandoned is marked so first."""
        close_abandoned()
        return within_reach(request.user, self.every(request.user))

    def page(self, request: Request) -> Response:
        """Answer with one page of them, the latest first."""
        require(request, self.right)
        rows = narrow(request, self.rows(request), self.filters)
        return page(request, rows, ordering=("-started_at", "id"), serializer=self.serializer)

    def one(self, request: Request, number: UUID) -> Any:
        """Return one of them; Http404 where there is none, or none that the user may see."""
        if not may(request.user, self.right):
            raise Http404
        return get_object_or_404(self.rows(request), pk=number)


BACKUPS = ListView(
    every=lambda user: with_figures(user, Backup.objects.select_related("user", "schedule")),
    right=VIEW,
    filters=BackupFilters,
    serializer=BackupSerializer,
)
RESTORES = ListView(
    every=lambda _user: Restore.objects.select_related("user"),
    right=VIEW_RESTORES,
    filters=RestoreFilters,
    serializer=RestoreSerializer,
)
