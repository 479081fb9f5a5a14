"""A few records of CSV that are in memory already, with indices from 0 instead of records of a file from 1."""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.processing.records import Records
from ingest.readers.csv.file import NO_SIGNS, CsvFile
from ingest.readers.signs.reading import SignReader

NAME = "the body"


class CsvText(NamedTuple):
    """A text taken apart: its records (None: there are none), the header, and the lines that are no records by kind."""

    records: Records | None
    columns: tuple[str, ...]
    skipped: Mapping[str, int]


def records_from_csv(data: bytes, names: Sequence[str], *, at_most: int, reader: SignReader | None = None) -> CsvText:
    """Read ``data`` until there are more than ``at_most`` records.

    ``reader``: reads by the signs of the text. Raises SourceUnreadable where it is empty, HeaderRefused where the
    header does not have these ``names``.
    """
    signs = reader.signs if reader else NO_SIGNS
    file = CsvFile(io.BytesIO(data), path=NAME, expected=names, signs=signs)
    stretches: list[Records] = []
    for stretch in file:
        stretches.append(reader.read(stretch) if reader else stretch)
        if file.records_read > at_most:
            break
    return CsvText(_joined(stretches) if stretches else None, tuple(file.names), dict(file.skipped))


def _joined(stretches: list[Records]) -> Records:
    unreadable = pa.concat_tables([stretch.unreadable for stretch in stretches])
    lines = [stretch.line for stretch in stretches if stretch.line is not None]
    first = np.cumsum([0, *(stretch.columns.num_rows for stretch in stretches)])
    return Records(
        columns=pa.concat_tables([stretch.columns for stretch in stretches]).combine_chunks(),
        position=pc.subtract(pa.concat_arrays([stretch.position for stretch in stretches]), 1),
        raw=pa.concat_arrays([stretch.exact() for stretch in stretches]),
        line=pa.concat_arrays(lines),
        repaired=tuple(
            (rule, rows + row)
            for row, stretch in zip(first, stretches, strict=False)
            for rule, rows in stretch.repaired
        ),
        unreadable=unreadable.set_column(0, unreadable.schema.field(0), pc.subtract(unreadable["position"], 1)),
    )
