"""Addresses of the pipeline's API, below ``/api/v1/``."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import path
from django.views.decorators.common import no_append_slash
from rest_framework.views import APIView

from ingest.api.batches import BatchDetail, Batches
from ingest.api.rejects import RejectDetail, RejectReplay, Rejects
from ingest.api.tables import TableDetail, Tables


def _view(view: type[APIView]) -> Callable[..., HttpResponse]:
    """Answer an address without its slash with 404: a client would follow a redirect of its POST with a GET."""
    return no_append_slash(view.as_view())


app_name = "api"
urlpatterns = [
    path("batches/", _view(Batches), name="batches"),
    path("batches/<uuid:number>/", _view(BatchDetail), name="batch"),
    path("rejects/", _view(Rejects), name="rejects"),
    path("rejects/<int:number>/", _view(RejectDetail), name="reject"),
    path("rejects/<int:number>/replay/", _view(RejectReplay), name="replay"),
    path("tables/", _view(Tables), name="tables"),
    path("tables/<str:table>/", _view(TableDetail), name="table"),
]
