"""What of a table's columns is stored in a form of its own, so that every reader of Parquet takes it: uuid, as text.

A column of Parquet's UUID is refused by Spark with the whole file, and to Polars and DataFusion it is sixteen bytes.
So the file holds the 36 characters that PostgreSQL writes, and each field's mark says that its column is a ``uuid``.
Format 1 stored Parquet's UUID; its files need no change here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backups.tables import TYPE_KEY
from core.postgres.column_types import ArrowField
from core.postgres.copy_csv_forms import from_hex

type AnyArray = pa.Array[Any]

_CHARACTERS = 36
_HYPHENS = (8, 13, 18, 23)
_DIGITS = [place for place in range(_CHARACTERS) if place not in _HYPHENS]
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def stored_schema(schema: pa.Schema) -> pa.Schema:
    """Return the columns of a file for the columns of a table."""
    return pa.schema([field.with_type(pa.string()) if field.type == pa.uuid() else field for field in schema])


def table_schema(schema: pa.Schema) -> pa.Schema:
    """Return the columns of a table for those of its file: the opposite of ``stored_schema``."""
    return pa.schema([field.with_type(pa.uuid()) if _is_uuid_text(field) else field for field in schema])


def to_stored(rows: pa.Table) -> pa.Table:
    """Return rows of a table as their file holds them."""
    return _changed(rows, stored_schema(rows.schema), _to_text)


def to_table(rows: pa.Table) -> pa.Table:
    """Return rows of a file as their table holds them; ArrowInvalid where a text is no uuid."""
    return _changed(rows, table_schema(rows.schema), _from_text)


def _is_uuid_text(field: ArrowField) -> bool:
    return pa.types.is_string(field.type) and (field.metadata or {}).get(TYPE_KEY) == b"uuid"


def _changed(rows: pa.Table, schema: pa.Schema, change: Callable[[AnyArray], AnyArray]) -> pa.Table:
    columns = [
        column
        if column.type == field.type
        else pa.chunked_array([change(chunk) for chunk in column.chunks], type=field.type)
        for column, field in zip(rows.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _to_text(keys: AnyArray) -> AnyArray:
    storage = pa.concat_arrays([keys.storage])  # type: ignore[attr-defined]  # of an extension's array
    validity, data = storage.buffers()
    octets = np.frombuffer(data or b"", np.uint8)[storage.offset * 16 :][: len(storage) * 16].reshape(-1, 16)
    letters = np.full((len(storage), _CHARACTERS), ord("-"), np.uint8)
    letters[:, _DIGITS[0::2]] = _HEX[octets >> 4]
    letters[:, _DIGITS[1::2]] = _HEX[octets & 15]
    ends = np.arange(len(storage) + 1, dtype=np.int32) * _CHARACTERS
    buffers = [validity, pa.py_buffer(ends), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.string(), len(storage), buffers, offset=0)


def _from_text(texts: AnyArray) -> AnyArray:
    octets = from_hex(pc.replace_substring(texts, "-", "")).cast(pa.binary(16))
    return pa.ExtensionArray.from_storage(pa.uuid(), octets)
