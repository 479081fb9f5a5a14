"""Addresses of the pipeline's API, below ``/api/v1/``."""

from django.urls import path

from ingest.api.batches import BatchDetail, Batches
from ingest.api.rejects import RejectDetail, RejectReplay, Rejects
from ingest.api.tables import TableDetail, Tables

app_name = "api"
urlpatterns = [
    path("batches/", Batches.as_view(), name="batches"),
    path("batches/<uuid:number>/", BatchDetail.as_view(), name="batch"),
    path("rejects/", Rejects.as_view(), name="rejects"),
    path("rejects/<int:number>/", RejectDetail.as_view(), name="reject"),
    path("rejects/<int:number>/replay/", RejectReplay.as_view(), name="replay"),
    path("tables/", Tables.as_view(), name="tables"),
    path("tables/<str:table>/", TableDetail.as_view(), name="table"),
]
