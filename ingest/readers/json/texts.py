"""A whole JSON request of one table whose records are all texts and nulls, read by Arrow: no Python object a value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from core.arrow import schema_of
from core.json_scanner import names_each_once

_TABLE = re.compile(rb'\s*\{\s*"table"\s*:\s*"([a-z_]{1,100})"')
_RECORDS = re.compile(rb'"records"\s*:\s*\[')
_END = re.compile(rb"\]\s*\}\s*\Z")
_LONGEST_END = 16


class Texts(NamedTuple):
    """What stands around the records, and the records."""

    members: dict[str, Any]
    columns: pa.Table


def table_of(data: bytes) -> str | None:
    """Return the table that a request names first of all; None where it begins otherwise."""
    named = _TABLE.match(data)
    return named[1].decode() if named else None


def read_texts(data: bytes, members: Mapping[str, pa.DataType], names: Sequence[str]) -> Texts | None:
    """Read ``{..., "records": [...]}``, UTF-8, whose records are objects of ``names``; None where in any doubt.

    That is: another member, a value of another type, a member that is absent or named twice, an escape.
    """
    begin = _RECORDS.search(data)
    if b"\\" in data or not begin or b"null" in data[: begin.start()] or not _END.search(data[-_LONGEST_END:]):
        return None
    record = pa.struct([(name, pa.string()) for name in names])
    schema = schema_of(*(pa.field(*member) for member in members.items()), pa.field("records", pa.list_(record)))
    source: Any = pa.BufferReader(data)  # the stubs know no files of Arrow's own
    try:
        document = arrow_json.read_json(
            source,
            arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            arrow_json.ParseOptions(explicit_schema=schema, newlines_in_values=True, unexpected_field_behavior="error"),
        )
    except pa.ArrowInvalid:
        return None
    if len(document) != 1:
        return None
    (around,) = document.drop_columns("records").to_pylist()
    lists: Any = document["records"].chunk(0)
    rows = lists.flatten()
    columns = pa.table(rows.flatten(), names=list(names))
    present = {name: value for name, value in around.items() if value is not None}
    if rows.null_count or not _names_all(data, present, columns):
        return None
    return Texts(present, columns)


def _names_all(data: bytes, members: Mapping[str, Any], columns: pa.Table) -> bool:
    """Tell that each record names each column: one that is absent reads as null, and leaves a name too few."""
    if not any(column.null_count for column in columns.columns):
        return True
    texts = [*columns.columns, pa.array([value for value in members.values() if type(value) is str], pa.string())]
    colons = sum(pc.sum(pc.starts_with(column, ":")).as_py() or 0 for column in texts)  # each looks like a name
    return names_each_once(data, len(members) + 1 + columns.num_rows * columns.num_columns + colons)
