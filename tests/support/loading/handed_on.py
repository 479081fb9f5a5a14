"""The rows that a load hands to PostgreSQL, caught on their way: a dry run is the whole load but for its commit."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pyarrow as pa

from core.postgres.copy_encoder import encode


@contextmanager
def rows_handed_on() -> Iterator[list[pa.Table]]:
    """Yield a list that fills with the typed rows, in stretches, of all tables that a load reads meanwhile."""
    caught: list[pa.Table] = []

    def encode_too(rows: Iterable[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
        def seen() -> Iterator[pa.Table]:
            for stretch in rows:
                caught.append(stretch)
                yield stretch

        return encode(seen(), schema)

    with mock.patch("ingest.loading.read_ahead.encode", encode_too):
        yield caught


def rows_of(stretches: Iterable[pa.Table], columns: list[str]) -> set[tuple[Any, ...]]:
    """Return the rows of the table that has these columns, by Python's own types."""
    here = [stretch for stretch in stretches if set(columns) <= set(stretch.column_names)]
    return {tuple(row[name] for name in columns) for stretch in here for row in stretch.to_pylist()}
