"""Records from a pandas DataFrame, so that a notebook can ask ``process`` for verdicts."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ingest.arrow import Column, Rows
from ingest.contract import Contract
from ingest.records import FAULT_SCHEMA, Records

UNKNOWN_FIELD = "This table has no such field."
INVALID = "A {type} cannot stand here."


def records_from_frame(frame: pd.DataFrame, contract: Contract) -> Records:
    """Read n rows; positions count from 0. Missing values are explicit nulls; a boolean is no value of any column."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    every = np.arange(len(frame))
    faults = [FAULT_SCHEMA.empty_table()]
    columns: dict[str, Column] = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        if name not in contract.names:
            faults.append(_faults(every, name, "unknown_field", UNKNOWN_FIELD))
        elif pa.types.is_boolean(values.type):
            rows = np.flatnonzero(values.is_valid().to_numpy())
            faults.append(_faults(rows, name, "invalid", INVALID.format(type="boolean")))
            columns[name] = pa.nulls(len(frame), pa.string())
        else:
            columns[name] = _as_text(values)
    texts = pa.table(columns) if columns else pa.table({"": pa.nulls(len(frame), pa.string())})
    lines = frame.to_json(orient="records", lines=True, date_format="iso", force_ascii=False).splitlines()
    return Records(
        columns=texts,
        position=pa.array(every, pa.int64()),
        raw=pa.array([line.encode() for line in lines] or [json.dumps({}).encode()] * len(frame), pa.binary()),
        faults=pa.concat_tables(faults),
    )


def _as_text(values: Any) -> Any:
    if pa.types.is_timestamp(values.type):
        if values.type.tz is not None:
            return pc.strftime(values.cast(pa.timestamp("us", "UTC")), format="%Y-%m-%dT%H:%M:%SZ").combine_chunks()
        values = values.cast(pa.timestamp("us"))
    return values.cast(pa.string()).combine_chunks()


def _faults(rows: Rows, field: str, code: str, message: str) -> pa.Table:
    count = len(rows)
    return pa.table(
        [
            pa.array(rows, pa.int64()),
            pa.repeat(pa.scalar(field), count),
            pa.repeat(pa.scalar(code), count),
            pa.repeat(pa.scalar(message), count),
            pa.nulls(count, pa.string()),
        ],
        schema=FAULT_SCHEMA,
    )
