"""What a published file says and what a table holds, both by Python's own types: the oracle of the loads' tests."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

from django.db import connection, transaction

from olist.sample.layout import Kind, Table

type Opener = Callable[[Table], IO[bytes]]


def canonical(kind: Kind, text: str) -> Any:
    """Give what a published value means, by Python's own types; None for nothing."""
    text = unicodedata.normalize("NFC", text)
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
    """Read a file with the csv module: its distinct records, and by rule how many values are to be repaired."""
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
            repairs["nfc"] += sum(not unicodedata.is_normalized("NFC", text) for text in record.values())
    return rows, +repairs


def stored(table: Table) -> Iterator[tuple[Any, ...]]:
    """Read a table as text where its type is text or a moment, row after row."""
    texts = {Kind.INTEGER, Kind.MONEY, Kind.LATITUDE, Kind.LONGITUDE}
    columns = ", ".join(column.name + ("" if column.kind in texts else "::text") for column in table.columns)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(f"select {columns} from olist_{table.name}")
        yield from cursor
