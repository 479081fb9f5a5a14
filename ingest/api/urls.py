"""Addresses of the pipeline's API, below ``/api/v1/``."""

from django.urls import path

from core.web.urls import exactly
from ingest.api.batches import BatchDetail, Batches
from ingest.api.rejects import RejectDetail, RejectReplay, Rejects
from ingest.api.tables import TableDetail, Tables

app_name = "api"
urlpatterns = [
    path("batches/", exactly(Batches), name="batches"),
    path("batches/<uuid:number>/", exactly(BatchDetail), name="batch"),
    path("rejects/", exactly(Rejects), name="rejects"),
    path("rejects/<int:number>/", exactly(RejectDetail), name="reject"),
    path("rejects/<int:number>/replay/", exactly(RejectReplay), name="replay"),
    path("tables/", exactly(Tables), name="tables"),
    path("tables/<str:table>/", exactly(TableDetail), name="table"),
]
