"""What a published file says and what a table holds, both by Python's own types: the oracle of the loads' tests."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

from django.db import connection, transaction

from olist.sample.layout import CellKind, FileLayout

type Opener = Callable[[FileLayout], IO[bytes]]


def canonical(kind: CellKind, text: str) -> Any:
    """Return what a published value means, by Python's own types; None for nothing."""
    text = unicodedata.normalize("NFC", text)
    if kind is CellKind.PROSE:
        return text or None
    text = text.strip()
    if not text:
        return None
    if kind is CellKind.INTEGER:
        return int(text)
    if kind is CellKind.MONEY:
        return Decimal(text)
    return float(text) if kind in {CellKind.LATITUDE, CellKind.LONGITUDE} else text


def published(table: FileLayout, opener: Opener) -> tuple[set[tuple[Any, ...]], Counter[str]]:
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
                if column.kind is not CellKind.PROSE
            )
            repairs["nfc"] += sum(not unicodedata.is_normalized("NFC", text) for text in record.values())
    return rows, +repairs


def stored(table: FileLayout) -> Iterator[tuple[Any, ...]]:
    """Read a table as text where its type is text or a moment, row after row."""
    texts = {CellKind.INTEGER, CellKind.MONEY, CellKind.LATITUDE, CellKind.LONGITUDE}
    columns = ", ".join(column.name + ("" if column.kind in texts else "::text") for column in table.columns)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(f"select {columns} from olist_{table.name}")
        yield from cursor
