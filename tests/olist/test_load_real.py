"""The published files, beside the checkout: they load whole, and come out as they went in."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from ingest.models import Account, Batch, RejectedRecord
from olist.sample.layout import TABLES, Kind, Table
from tests.olist.loads import SHARED, Ran, load_json, query

pytestmark = pytest.mark.usefixtures("committed")
ARCHIVE = SHARED / "brazilian-ecommerce.zip"
SAMPLE_ROWS = {
    "product_category_name_translation": 71,
    "geolocation": 7_660,
    "customers": 3_000,
    "sellers": 938,
    "products": 2_452,
    "orders": 3_000,
    "order_items": 3_397,
    "order_payments": 3_170,
    "order_reviews": 2_993,
}
WHOLE_ROWS = {
    "product_category_name_translation": 71,
    "geolocation": 738_332,
    "customers": 99_441,
    "sellers": 3_095,
    "products": 32_951,
    "orders": 99_441,
    "order_items": 112_650,
    "order_payments": 103_886,
    "order_reviews": 99_165,
}

type Opener = Callable[[Table], io.BufferedIOBase]


def canonical(kind: Kind, text: str) -> Any:
    """Give what a published value means, by Python's own types; None for nothing."""
    if kind is Kind.PROSE:
        return text or None
    text = text.strip()
    if not text:
        return None
    if kind is Kind.INTEGER:
        return int(text)
    if kind is Kind.MONEY:
        return Decimal(text)
    return float(text) if kind in {Kind.LATITUDE, Kind.LONGITUDE} else text


def published(table: Table, opener: Opener) -> tuple[set[tuple[Any, ...]], Counter[str]]:
    """Read a file with the csv module: its distinct records, and how many values have outer white space to lose."""
    rows: set[tuple[Any, ...]] = set()
    repairs: Counter[str] = Counter()
    with opener(table) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        for record in reader:
            rows.add(tuple(canonical(column.kind, record[column.name]) for column in table.columns))
            repairs["trim"] += sum(
                record[column.name] != record[column.name].strip()
                for column in table.columns
                if column.kind is not Kind.PROSE
            )
    return rows, +repairs


def stored(table: Table) -> Iterator[tuple[Any, ...]]:
    """Read a table as text where its type is text or a moment, row after row."""
    texts = {Kind.INTEGER, Kind.MONEY, Kind.LATITUDE, Kind.LONGITUDE}
    columns = ", ".join(column.name + ("" if column.kind in texts else "::text") for column in table.columns)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.itersize = 20_000
        cursor.execute(f"select {columns} from olist_{table.name}")
        yield from cursor


def assert_all_came_through(ran: Ran, rows: dict[str, int], opener: Opener, *, added_categories: int = 0) -> None:
    assert ran.counts == {
        name: {"read": count, "inserted": count}
        | ({"read": sum(geolocation), "duplicates": geolocation[1]} if name == "geolocation" else {})
        for name, count in rows.items()
        for geolocation in [(count, 261_831 if count > 100_000 else 1_280)]
    }
    assert not RejectedRecord.objects.exists()
    assert {account.table: account.status for account in Account.objects.all()} == dict.fromkeys(rows, "accepted")
    batch = Batch.objects.get()
    assert (str(batch.id), batch.status) == (ran.report["batch"], ran.report["status"])
    for table in TABLES:
        expected, repairs = published(table, opener)
        if table.name == "products" and added_categories:
            repairs["missing_parent"] = added_categories
        assert ran.report["tables"][table.name]["repaired"] == repairs
        extra = 0
        for row in stored(table):
            if row in expected:
                expected.remove(row)
            else:
                extra += 1
                assert table.name == "product_category_name_translation"
                assert row[1] is None
        assert not expected, (table.name, list(expected)[:3])
        assert extra == (added_categories if table.name == "product_category_name_translation" else 0)


def test_the_published_sample_loads_whole_and_comes_out_as_it_went_in(real_sample: Path) -> None:
    ran = load_json(real_sample)
    assert_all_came_through(ran, SAMPLE_ROWS, lambda table: (real_sample / table.file_name).open("rb"))
    multi_line = query("select count(*) from olist_order_reviews where review_comment_message like '%%' || chr(10) || '%%'")
    assert multi_line == [(132,)]
    outer = "select count(*) from olist_order_reviews where review_comment_message <> trim(review_comment_message)"
    assert query(outer)[0][0] > 0


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVE.exists(), reason=f"the published dataset is not there: {ARCHIVE}")
def test_the_whole_published_archive_loads_and_comes_out_as_it_went_in() -> None:
    ran = load_json(ARCHIVE)
    with zipfile.ZipFile(ARCHIVE) as archive:
        members = {Path(name).name: name for name in archive.namelist()}
        assert_all_came_through(
            ran,
            WHOLE_ROWS,
            lambda table: io.BufferedReader(archive.open(members[table.file_name])),  # type: ignore[arg-type, type-var] # an IO[bytes] is one
            added_categories=2,
        )
    added = query("select product_category_name from olist_product_category_name_translation where product_category_name_english is null order by 1")
    assert added == [("pc_gamer",), ("portateis_cozinha_e_preparadores_de_alimentos",)]
    assert query("select count(*) from olist_product_category_name_translation") == [(73,)]
    again = load_json(ARCHIVE)
    assert again.report["status"] == "accepted"
    assert again.counts["geolocation"] == {"read": 1_000_163, "unchanged": 738_332, "duplicates": 261_831}
    assert all(set(counts) <= {"read", "unchanged", "duplicates"} for counts in again.counts.values())
