"""What the site of the DRF peers serves: ``<table>/bulk/`` for each table, and the others."""

from django.urls import path

from benchmarks.peers.drf_bulk import BulkRecords, GeneratedOrders
from benchmarks.peers.drf_tables import SERIALIZERS, BulkMixed
from benchmarks.peers.one_query_view import OneQuery

urlpatterns = [
    *(
        path(
            f"{table}/bulk/",
            BulkRecords.as_view(serializer_class=serializer, queryset=serializer.Meta.model._default_manager.none()),
        )
        for table, serializer in SERIALIZERS.items()
    ),
    path("orders/generated/", GeneratedOrders.as_view()),
    path("mixed/bulk/", BulkMixed.as_view()),
    path("one-query/", OneQuery.as_view()),
]
