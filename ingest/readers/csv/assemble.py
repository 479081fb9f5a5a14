"""Text of whole records, readable or not, to ``Records``."""

from collections.abc import Sequence
from typing import IO, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from core.arrow import read_csv
from ingest.processing.records import UNREADABLE_SCHEMA, Records
from ingest.readers.csv.careful import Piece
from ingest.readers.csv.escapes import with_doubled_quotes
from ingest.readers.csv.other_lines import BYTE_ORDER_MARK
from ingest.readers.csv.quick import split_records


class Stretch(NamedTuple):
    """Records that follow one another: many readable ones, or a single one that was looked at by itself."""

    line: int  # physical line on which it begins
    clean: bytes  # readable records with their line ends, as a strict parser reads them
    piece: Piece | None = None  # the single one


class FieldSplitter:
    """Splits whole, sound records into columns of text by pyarrow. ``escaped``: quotes in quotes are, by backslashes;
    NULL is a cell that is one of ``null_words`` without quotes."""

    def __init__(self, names: Sequence[str], *, escaped: bool = False, null_words: Sequence[str] = ()) -> None:
        self._names = list(names)
        self.escaped = escaped
        self._no_rows = pa.schema([(name, pa.string()) for name in names]).empty_table()
        self._convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            check_utf8=False,
            strings_can_be_null=bool(null_words),
            quoted_strings_can_be_null=False,
            null_values=list(null_words),
        )

    def split(self, text: pa.Buffer) -> pa.Table:
        """Return one row a record, unless one is blank; raises ArrowInvalid if one is ragged. UTF-8 is not checked."""
        if not text.size:
            return self._no_rows
        if self.escaped:
            text = pa.py_buffer(with_doubled_quotes(text.to_pybytes()))
        return read_csv(
            cast("IO[bytes]", pa.BufferReader(text)),  # the stubs know no reader of Arrow's own
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=self._names, block_size=text.size + 1),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=self._convert,
        )


def gather(stretches: Sequence[Stretch], *, first_position: int, fields: FieldSplitter) -> Records:
    """Make the Records of ``stretches``, which follow one another in the file."""
    text = b"".join(stretch.clean for stretch in stretches)
    split = split_records(text, escaped=fields.escaped)
    columns = fields.split(pa.py_buffer(text))
    if split is None or split.length != len(text) or columns.num_rows != len(split.raw):
        raise RuntimeError(f"records read twice gave different numbers of them near line {stretches[0].line}")
    # Stretch i holds the readable records start[i] to start[i + 1]; a refused one holds none, but takes a position.
    start = np.searchsorted(split.ends, np.cumsum([0, *(len(stretch.clean) for stretch in stretches)]))
    readable = np.diff(start)
    position = first_position + np.cumsum(np.maximum(readable, 1)) - np.maximum(readable, 1)
    line = np.array([stretch.line for stretch in stretches])
    lines_before = np.append(split.line, split.lines)[start[:-1]]
    refused = [
        (int(at), stretch.line, stretch.piece)
        for at, stretch in zip(position, stretches, strict=True)
        if stretch.piece and stretch.piece.problem
    ]
    marked = np.array([row for row, stretch in zip(start, stretches, strict=False) if _is_marked(stretch)], np.int64)
    return Records(
        columns=columns,
        position=int64(np.arange(len(split.raw)) + np.repeat(position - start[:-1], readable)),
        raw=_exact(split.raw, stretches, start),
        line=int64(split.line + np.repeat(line - lines_before, readable)),
        repaired=((BYTE_ORDER_MARK, marked),) if len(marked) else (),
        unreadable=_unreadable(refused),
    )


def int64(values: npt.NDArray[np.int64]) -> pa.Int64Array:
    """Return an Arrow array of the same numbers."""
    return pa.array(values, pa.int64())


def _is_marked(stretch: Stretch) -> bool:
    return stretch.piece is not None and stretch.piece.marked


def _exact(raw: pa.BinaryArray, stretches: Sequence[Stretch], start: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """Put the bytes of the file in place of those that were made clean for the parser."""
    made_clean = {
        int(at): stretch.piece.raw
        for at, stretch in zip(start[:-1], stretches, strict=True)
        if stretch.piece and stretch.piece.clean
    }
    if not made_clean:
        return raw
    return pa.array([made_clean.get(row, value) for row, value in enumerate(raw.to_pylist())], pa.binary())


def _unreadable(refused: Sequence[tuple[int, int, Piece]]) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "position": [position for position, _, _ in refused],
        "line": [line for _, line, _ in refused],
        "raw": [piece.raw for _, _, piece in refused],
        "code": [piece.code for _, _, piece in refused],
        "message": [piece.problem for _, _, piece in refused],
    }
    return pa.Table.from_pydict(columns, UNREADABLE_SCHEMA)
