"""Frames of text into the bytes of a CSV file, quoted as the publisher quotes."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from olist.sample.layout import CellKind, FileColumn, FileLayout
from olist.sample.text import Lines, Text, array, filled, glue

_SPECIAL = '[",\\r\\n]'
_SPECIAL_OR_DIGIT = '\\A[0-9]|[",\\r\\n]'


def header(table: FileLayout) -> bytes:
    """Return the first line with its line end."""
    names = [f'"{name}"' if table.quotes_header else name for name in table.names]
    return table.bom + ",".join(names).encode() + table.line_end


def render(table: FileLayout, frame: pd.DataFrame) -> Lines:
    """Return one CSV record for each of n rows, without line ends."""
    fields = [_quoted(array(frame[column.name]), column, table) for column in table.columns]
    return glue(*fields, separator=",").cast(pa.binary())


def _quoted(values: Text, column: FileColumn, table: FileLayout) -> Text:
    """Quote zip prefixes and prose always, ids and names that begin with a digit, and whatever CSV requires."""
    values = filled(values)
    if column.kind in {CellKind.ZIP, CellKind.PROSE} or (column.kind is CellKind.ID and table.quotes_every_id):
        needed = pc.not_equal(values, pa.scalar(""))
    else:
        digits_too = column.kind in {CellKind.ID, CellKind.LINE}
        needed = pc.match_substring_regex(values, _SPECIAL_OR_DIGIT if digits_too else _SPECIAL)
    if not needed.true_count:
        return values
    quoted: Text = pc.if_else(needed, glue('"', pc.replace_substring(values, '"', '""'), '"'), values)
    return quoted


def joined(table: FileLayout, lines: Lines) -> memoryview:
    """Put a line end behind each of n records (n above 0), all in one piece."""
    ended = pc.call_function("binary_join_element_wise", [lines, pa.scalar(table.line_end), pa.scalar(b"")])
    _, offsets, content = ended.buffers()
    return memoryview(content)[: np.frombuffer(offsets, np.int32)[len(lines)]]
