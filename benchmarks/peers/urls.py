"""What the site of the DRF peers serves."""

from django.urls import path

from benchmarks.peers.drf_bulk import BulkOrders, GeneratedOrders
from benchmarks.peers.one_query_view import OneQuery

urlpatterns = [
    path("orders/bulk/", BulkOrders.as_view()),
    path("orders/generated/", GeneratedOrders.as_view()),
    path("one-query/", OneQuery.as_view()),
]
