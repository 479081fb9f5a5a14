"""Fresh records, and the bodies of requests that carry them: all made before a clock runs.

They come from a sample of another seed, whose customers, sellers, products and orders are stored already: so the parts
of its orders are fresh as they are, and the others become fresh by an id of their own.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from olist.sample.layout import TABLES, CellKind

BATCH_RECORDS = 1000

type Record = dict[str, object]
type Batch = list[tuple[str, Record]]  # (table, record), parents first

OWN_KEYS = {"customers": "customer_id", "sellers": "seller_id", "products": "product_id", "orders": "order_id"}
PARTS = ("order_items", "order_payments", "order_reviews")
_LAYOUT = {table.name: table for table in TABLES}
_PARSERS: dict[CellKind, Callable[[str], object]] = {
    CellKind.INTEGER: int,
    CellKind.LATITUDE: float,
    CellKind.LONGITUDE: float,
}


def batches(folder: Path, table: str, *, count: int, size: int = BATCH_RECORDS) -> list[Batch]:
    """Return so many batches of one table; no record of them is stored or comes twice.

    Raises ValueError where the sample has too few records.
    """
    fresh = _fresh(folder, table, count * size)
    made = [[(table, record) for record in islice(fresh, size)] for _ in range(count)]
    if sum(map(len, made)) < count * size:
        raise ValueError(f"{folder.name} has not {count * size:,} records of {table}")
    return made


def half_bad(batch: Batch) -> Batch:
    """Return orders of which each second one is wrong, in five ways by turns."""
    changes: tuple[Record, ...] = (
        {"order_status": "teleported"},
        {"customer_id": "0" * 32},
        {"order_approved_at": "1999-01-01 00:00:00"},
        {"order_purchase_timestamp": "2018-02-30 10:00:00"},
        {"order_estimated_delivery_date": None, "order_id": "no id"},
    )
    return [
        (table, {**record, **changes[place // 2 % len(changes)]} if place % 2 else record)
        for place, (table, record) in enumerate(batch)
    ]


def good_half(batch: Batch) -> Batch:
    """Return the orders that ``half_bad`` leaves as they are."""
    return batch[::2]


def mixed_batches(folder: Path, *, count: int, size: int = BATCH_RECORDS) -> list[Batch]:
    """Return batches of whole orders: each order followed by its items, payments and reviews."""
    parts: dict[object, Batch] = {}
    for table in PARTS:
        for record in _records(folder, table):
            parts.setdefault(record["order_id"], []).append((table, record))
    units = (
        [("orders", {**order, "order_id": fresh}), *((t, {**part, "order_id": fresh}) for t, part in parts[own])]
        for number, order in enumerate(_records(folder, "orders"))
        if (own := order["order_id"]) in parts and (fresh := _fresh_id(number, own))
    )
    made = [_fill(units, size) for _ in range(count)]
    if not all(made):
        raise ValueError(f"{folder.name} has not the orders of {count} batches")
    return made


def _fill(units: Iterator[Batch], size: int) -> Batch:
    batch: Batch = []
    for unit in units:
        if len(batch) + len(unit) > size:
            break
        batch += unit
    return batch


def table_body(batch: Batch) -> bytes:
    """Write a batch of one table as JSON."""
    return _json({"table": batch[0][0], "records": [record for _, record in batch]})


def mixed_body(batch: Batch) -> bytes:
    """Write a batch of several tables as JSON."""
    return _json({"records": [{"table": table, "data": record} for table, record in batch]})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _fresh(folder: Path, table: str, count: int) -> Iterator[Record]:
    if table in PARTS:
        return _records(folder, table)
    if table == "geolocation":
        return _distinct(_records(folder, table))
    base = list(islice(_records(folder, table), count))
    return (_renamed(table, number, base[number % len(base)]) for number in range(count))


def _renamed(table: str, number: int, record: Record) -> Record:
    key = OWN_KEYS.get(table)
    if key is None:  # a category, whose key is its name
        return {name: f"{value} {number}" for name, value in record.items()}
    return {**record, key: _fresh_id(number, record[key])}


def _fresh_id(number: int, own: object) -> str:
    return hashlib.md5(f"{number} {own}".encode(), usedforsecurity=False).hexdigest()


def _distinct(records: Iterator[Record]) -> Iterator[Record]:
    seen: set[tuple[object, ...]] = set()
    for record in records:
        values = tuple(record.values())
        if values not in seen:
            seen.add(values)
            yield record


def _records(folder: Path, table: str) -> Iterator[Record]:
    layout = _LAYOUT[table]
    parsers = {column.name: _PARSERS.get(column.kind, str) for column in layout.columns}
    with (folder / layout.file_name).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            yield {name: parsers[name](value) if value else None for name, value in row.items()}
