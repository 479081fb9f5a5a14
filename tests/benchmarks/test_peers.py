"""The peers do their work: a quick one that checks less, or asks the database more than it says, would mislead."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.serializers import BaseSerializer

from benchmarks.peers.copy_floor import copy_together, prepared
from benchmarks.peers.drf_tables import SERIALIZERS
from olist.models import Customer
from tests.support.loading.loads import PLAIN, hex_id

type Record = dict[str, Any]

REFUSED: list[tuple[str, Record, str]] = [
    ("product_category_name_translation", {}, "product_category_name"),  # the key is there
    ("geolocation", {}, "geolocation_zip_code_prefix"),
    ("geolocation", {"geolocation_lat": "91"}, "geolocation_lat"),
    ("customers", {"customer_id": "no id"}, "customer_id"),
    ("sellers", {"seller_state": "XX"}, "seller_state"),
    ("products", {"product_id": hex_id(2), "product_category_name": "nada"}, "product_category_name"),
    ("orders", {"order_id": hex_id(2), "order_approved_at": "1999-01-01 00:00:00"}, "order_approved_at"),
    ("order_items", {}, "order_id"),
    ("order_items", {"order_item_id": "2", "seller_id": hex_id(9)}, "seller_id"),
    ("order_payments", {"order_id": hex_id(9)}, "order_id"),
    ("order_reviews", {"review_id": hex_id(2), "review_answer_timestamp": "1999-01-01"}, "review_answer_timestamp"),
]


def record(table: str, change: Record) -> Record:
    """Return a good record, changed, as JSON has it: nothing is null and no empty text."""
    return {name: value or None for name, value in {**PLAIN[table], **change}.items()}


def serializer(table: str, *records: Record) -> BaseSerializer[Any]:
    """Return what a DRF peer makes of a request."""
    made: BaseSerializer[Any] = SERIALIZERS[table](data=list(records), many=True)
    return made


def store_one_of_each() -> None:
    for table in SERIALIZERS:
        one = serializer(table, record(table, {}))
        assert one.is_valid(), one.errors
        one.save()


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "change", "field"), REFUSED)
def test_drf_refuses_what_is_wrong_and_names_the_field(table: str, change: Record, field: str) -> None:
    store_one_of_each()
    bad = serializer(table, record(table, change))
    assert not bad.is_valid()
    assert f"'{field}'" in repr(bad.errors)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 50])
def test_drf_asks_once_for_each_foreign_key_and_once_for_the_keys(count: int) -> None:
    store_one_of_each()
    items = [record("order_items", {"order_item_id": str(number + 2)}) for number in range(count)]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert serializer("order_items", *items).is_valid()
    assert len(asked) == 4


def test_connections_that_copy_together_store_all_their_batches(committed: None) -> None:
    shares = [prepared([("customers", record("customers", {"customer_id": hex_id(number)}))]) for number in range(1, 7)]
    assert copy_together([shares[:3], shares[3:]], warm_ups=1) > 0
    assert Customer.objects.count() == 6
