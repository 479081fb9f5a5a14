"""Django's ``bulk_create``: typed rows from ``csv``, in batches, one transaction, the constraints in place.

Duplicates and white space are seen to on the way; no ``full_clean``, which would look every key up by itself.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models, transaction

from ingest.rules.sources import sources
from olist.sample.clean.words import UNTRANSLATED

BATCH_ROWS = 5_000
PARSERS: dict[str, Callable[[str], Any]] = {
    "IntegerField": int,
    "PositiveIntegerField": int,
    "PositiveSmallIntegerField": int,
    "SmallIntegerField": int,
    "FloatField": float,
    "DecimalField": Decimal,
    "DateTimeField": datetime.fromisoformat,
}


def load(folder: str) -> None:
    """Load every file of ``folder``, parents first."""
    with transaction.atomic():
        for source in sources():
            rows = _rows(source.model, Path(folder) / source.file_name)
            source.model._default_manager.bulk_create(rows, batch_size=BATCH_ROWS)


def _rows(model: type[models.Model], path: Path) -> Iterator[models.Model]:
    """Yield unsaved rows; ``bulk_create`` makes a list of them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        by_column = {field.column: field for field in model._meta.concrete_fields}
        fields = [by_column[name] for name in names]
        parsers = [_parser(field) for field in fields]
        attributes = [field.attname for field in fields]
        records = reader if model is not apps.get_model("olist", "Geolocation") else _distinct(reader)
        for record in records:
            values = (parse(text) if text else None for parse, text in zip(parsers, record, strict=True))
            yield model(**dict(zip(attributes, values, strict=True)))
    if model is apps.get_model("olist", "Category"):
        yield from (model(pk=name) for name in UNTRANSLATED)


def _parser(field: Any) -> Callable[[str], Any]:
    return next((PARSERS[kind.__name__] for kind in type(field).__mro__ if kind.__name__ in PARSERS), str)


def _distinct(records: Iterator[list[str]]) -> Iterator[tuple[str, ...]]:
    return iter(dict.fromkeys(tuple(map(str.strip, record)) for record in records))
