r"""Records of a file whose quotes are escaped by backslashes, in which one is so outside quotes.

Neither Spark nor MariaDB writes ``\"`` there; Python's ``csv`` and pandas do, where they are told to quote as little as
they can, and then every backslash outside quotes escapes, which elsewhere is text. So such a record is refused.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Mask, Rows, bools
from ingest.processing.records import UNREADABLE_SCHEMA, Records
from ingest.readers.csv.escapes import outside_quotes

PROBLEM = r"a backslash before a quote, outside quotes: have its writer quote all fields (Python: csv.QUOTE_ALL)"


def refuse_escapes_outside_quotes(records: Records) -> Records:
    """Return them without those records, which are among the unreadable ones instead."""
    raw = records.exact()
    rows = _rows(raw)
    if not len(rows):
        return records
    kept: Mask = np.ones(len(raw), bool)
    kept[rows] = False
    mask, others = bools(kept), bools(~kept)
    refused = pa.table(
        [
            records.position.filter(others),
            pa.nulls(len(rows), pa.int64()) if records.line is None else records.line.filter(others),
            raw.filter(others),
            pa.repeat(pa.scalar("ragged_row"), len(rows)),
            pa.repeat(pa.scalar(PROBLEM), len(rows)),
        ],
        schema=UNREADABLE_SCHEMA,
    )
    places = np.cumsum(kept) - 1
    return replace(
        records,
        columns=records.columns.filter(mask),
        position=records.position.filter(mask),
        raw=raw.filter(mask),
        line=None if records.line is None else records.line.filter(mask),
        repaired=tuple((rule, places[changed[kept[changed]]]) for rule, changed in records.repaired),
        unreadable=pa.concat_tables([records.unreadable, refused]).sort_by("position"),
    )


def _rows(raw: pa.BinaryArray) -> Rows:
    """Return which records have a backslash before a quote, outside quotes."""
    if not len(raw):
        return np.empty(0, np.int64)
    text = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(raw)], pa.int32()), raw), b"\n")[0].as_py()
    found = outside_quotes(text)
    if not len(found):
        return found
    ends = np.cumsum(pc.binary_length(raw).to_numpy() + 1)
    return np.unique(np.searchsorted(ends, found, side="right"))
