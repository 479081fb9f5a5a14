"""Records from a pandas DataFrame, so that a notebook can ask ``process`` for verdicts."""

import datetime
import decimal
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Rows
from ingest.processing.process import Verdict, process
from ingest.processing.reasons import SURROGATE, UNKNOWN_FIELD
from ingest.processing.records import FAULT_SCHEMA, Records
from ingest.rules.contract import Contract

WRONG_TYPE = "A {type} cannot stand here."
_NUMBERS = (int, float, decimal.Decimal, np.integer, np.floating)


def process_frame(frame: pd.DataFrame, contract: Contract, **options: Any) -> Verdict:
    """Return the verdict on the n rows of a frame; ``options`` are those of ``process``."""
    return process(records_from_frame(frame, contract), contract, **options)


def records_from_frame(frame: pd.DataFrame, contract: Contract) -> Records:
    """Read n rows; positions count from 0. Missing values are explicit nulls; a boolean is no value of any column."""
    if not frame.columns.is_unique:
        raise ValueError(f"columns are named twice: {', '.join(map(str, frame.columns[frame.columns.duplicated()]))}")
    every = np.arange(len(frame))
    faults = [FAULT_SCHEMA.empty_table()]
    columns: dict[str, ArrowColumn] = {}
    for name in map(str, frame.columns):
        if name not in contract.names:
            faults.append(_faults(every, name, "unknown_field", UNKNOWN_FIELD))
            continue
        columns[name], unreadable = _texts(frame[name], name)
        faults.extend(unreadable)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return Records(
        columns=pa.table(columns or {"": pa.nulls(len(frame), pa.string())}),
        position=pa.array(every, pa.int64()),
        raw=pa.array([json.dumps(row, default=str).encode() for row in rows], pa.binary()),
        faults=pa.concat_tables(faults),
    )


def _texts(values: "pd.Series[Any]", name: str) -> tuple[ArrowColumn, list[pa.Table]]:
    """Return one column as text, and the faults of values that no text stands for."""
    if values.dtype == object:
        return _object_texts(values, name)
    typed: Any = pa.chunked_array(pa.array(values, from_pandas=True)).combine_chunks()
    if pa.types.is_boolean(typed.type):
        rows = np.flatnonzero(typed.is_valid().to_numpy(zero_copy_only=False))
        return pa.nulls(len(typed), pa.string()), [_faults(rows, name, "invalid", WRONG_TYPE.format(type="boolean"))]
    if pa.types.is_timestamp(typed.type) and typed.type.tz is not None:
        return pc.strftime(typed.cast(pa.timestamp("us", "UTC")), format="%Y-%m-%dT%H:%M:%SZ"), []
    if pa.types.is_timestamp(typed.type) and typed.type.unit == "ns":
        whole = pc.equal(pc.nanosecond(typed), 0).fill_null(True)
        if whole.true_count == len(typed):
            typed = typed.cast(pa.timestamp("us"))
    return typed.cast(pa.string()), []


def _object_texts(values: "pd.Series[Any]", name: str) -> tuple[ArrowColumn, list[pa.Table]]:
    """The same for a column that may hold anything."""
    texts: list[str | None] = []
    faults: list[pa.Table] = []
    for row, value in enumerate(values):
        text, code, message = _object_text(value)
        texts.append(text)
        if code:
            faults.append(_faults(np.array([row]), name, code, message))
    return pa.array(texts, pa.string()), faults


def _object_text(value: Any) -> tuple[str | None, str, str]:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return None, "surrogate_characters_not_allowed", SURROGATE
        return value, "", ""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None, "", ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(), "", ""
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return str(value), "", ""
    kind = "boolean" if isinstance(value, bool | np.bool_) else type(value).__name__
    return None, "invalid", WRONG_TYPE.format(type=kind)


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
