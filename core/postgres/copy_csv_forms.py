"""How a typed column travels through CSV: as its own text where pyarrow parses that exactly, else as hex, UTC or JSON.

The forms do not depend on the session's ``TimeZone`` or ``bytea_output``.
"""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg2 import sql

type AnyArray = pa.Array[Any]
type AnyColumn = pa.ChunkedArray[Any]

_NIBBLES = np.zeros(256, np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)


def select_list(schema: pa.Schema) -> sql.Composable:
    """Select each column of ``schema`` in the form in which it travels."""
    return sql.SQL(", ").join(
        sql.SQL("{} as {}").format(
            sql.SQL(_form(field.type)).format(sql.Identifier(field.name)), sql.Identifier(field.name)
        )
        for field in schema
    )


def quoted(schema: pa.Schema) -> list[str]:
    """Name the columns that must be quoted so that an empty text is not taken for NULL."""
    return [field.name for field in schema if pa.types.is_string(_carrier(field.type))]


def csv_options(schema: pa.Schema) -> pa_csv.ConvertOptions:
    """Parse each column as the type that carries it; only an unquoted nothing is NULL."""
    return pa_csv.ConvertOptions(
        column_types={field.name: _carrier(field.type) for field in schema},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )


def to_types(text: pa.Table, schema: pa.Schema) -> pa.Table:
    """Turn the columns that were parsed as their carrier into the types of ``schema``."""
    columns = [_to_type(text.column(place), field.type) for place, field in enumerate(schema)]
    return pa.Table.from_arrays(columns, schema=schema)


def _is_zoned(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.TimestampType) and kind.tz is not None


def _carrier(kind: pa.DataType) -> pa.DataType:
    if _is_zoned(kind):
        return pa.timestamp("us")
    by_text = pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind) or pa.types.is_list(kind)
    return pa.string() if by_text or kind == pa.uuid() else kind


def _form(kind: pa.DataType) -> str:
    if _is_zoned(kind):
        return "{} at time zone 'UTC'"
    if pa.types.is_list(kind):
        return "to_json({})::text"
    if pa.types.is_binary(kind):
        return "encode({}, 'hex')"
    if kind == pa.uuid() or pa.types.is_fixed_size_binary(kind):
        return "replace({}::text, '-', '')"
    return "{}"


def _to_type(column: AnyColumn, kind: pa.DataType) -> AnyColumn | AnyArray:
    if column.type == kind:
        return column
    if _is_zoned(kind):
        return column.cast(kind)
    return _parsed(column.combine_chunks(), kind)


def _parsed(texts: AnyArray, kind: pa.DataType) -> AnyArray:
    if pa.types.is_list(kind):
        return pa.array([None if text is None else json.loads(text) for text in texts.to_pylist()], kind)
    values = from_hex(texts)
    if pa.types.is_binary(kind):
        return values
    fixed = values.cast(pa.binary(16))
    return pa.ExtensionArray.from_storage(kind, fixed) if kind == pa.uuid() else fixed


def from_hex(texts: AnyArray) -> AnyArray:
    """Turn texts of hexadecimal digits (two an octet, small letters) into octets."""
    validity, offsets, data = pa.concat_arrays([texts]).buffers()
    ends = np.frombuffer(offsets or b"", np.int32)[texts.offset : texts.offset + len(texts) + 1]
    nibbles = _NIBBLES[np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]]
    octets = (nibbles[0::2] << 4) | nibbles[1::2]
    buffers = [validity, pa.py_buffer((ends - ends[0]) // 2), pa.py_buffer(octets)]
    return pa.Array.from_buffers(pa.binary(), len(texts), buffers)
