"""The published files, where they lie beside the checkout."""

import csv
from pathlib import Path

import pytest

from ingest.readers.csv.file import CsvFile

OLIST = Path(__file__).resolve().parents[5] / "shared" / "olist"
FILES = [
    "olist_customers_dataset.csv",
    "olist_geolocation_dataset.csv",
    "olist_order_items_dataset.csv",
    "olist_order_payments_dataset.csv",
    "olist_order_reviews_dataset.csv",
    "olist_orders_dataset.csv",
    "olist_products_dataset.csv",
    "olist_sellers_dataset.csv",
    "product_category_name_translation.csv",
]


@pytest.mark.parametrize("name", FILES)
def test_a_sample_file_reads_as_csv_reads_it(name: str) -> None:
    path = OLIST / name
    if not path.exists():
        pytest.skip("the Olist sample is not beside the checkout (../shared/olist)")
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text, strict=True)
        rows = list(reader)
    assert reader.fieldnames
    with path.open("rb") as stream:
        batches = list(CsvFile(stream, path=name, expected=reader.fieldnames, chunk_bytes=100_000))
    assert [row for records in batches for row in records.columns.to_pylist()] == rows
    assert not any(records.unreadable.num_rows for records in batches)
