"""What is wrong with records by themselves: the first half of ``process``, which no other record can change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Mask, Rows, Text, indices, mask_of
from ingest.processing.check_column import check_column
from ingest.processing.reasons import ROW_REASON_SCHEMA, reasons
from ingest.processing.records import Records
from ingest.rules.contract import Contract, RowCheck


@dataclass(frozen=True, kw_only=True)
class CheckedRecords:
    """n readable records (and the unreadable ones beside them), checked column by column and row by row.

    ``rows``: all n as typed columns, NULL where a value was refused. ``reasons``: why some are refused
    (``ROW_REASON_SCHEMA``), a table for each check that found any. ``repaired``: by rule, the rows whose value it
    changed.
    """

    records: Records
    contract: Contract
    rows: pa.Table
    reasons: tuple[pa.Table, ...]
    repaired: tuple[tuple[str, Rows], ...]


def check_records(records: Records, contract: Contract) -> CheckedRecords:
    """Check each record by itself: its columns, then its row as a whole."""
    faults = records.faults
    found = [pa.table([*faults.columns, pa.nulls(len(faults), pa.string())], schema=ROW_REASON_SCHEMA)]
    columns: dict[str, ArrowColumn] = {}
    repaired: list[tuple[str, Rows]] = [*records.repaired]
    for column in contract.columns:
        faulty = np.zeros(records.columns.num_rows, bool)
        if len(faults):  # seldom: values that their format cannot mean
            faulty[faults.filter(pc.equal(faults["field"], column.name))["row"].to_numpy()] = True
        text, absent = _member(records, column.name)
        result = check_column(text, column, absent=absent, faulty=faulty)
        columns[column.name] = result.values
        found.extend(result.reasons)
        repaired.extend(result.repairs)
    rows = pa.table(columns)
    for check in contract.row_checks:
        found.extend(_check_rows(rows, check))
    return CheckedRecords(
        records=records,
        contract=contract,
        rows=rows,
        reasons=tuple(block for block in found if len(block)),
        repaired=tuple(repaired),
    )


def shown(values: pa.Table) -> Text:
    """Write n rows for a person: one value as it is, several as ``name=value, ...``."""
    texts: Mapping[str, Any] = {name: values.column(name).cast(pa.string()) for name in values.column_names}
    if len(texts) == 1:
        return next(iter(texts.values())).combine_chunks()
    parts = [pc.binary_join_element_wise(name, text, "=") for name, text in texts.items()]
    return pc.binary_join_element_wise(*parts, ", ").combine_chunks()


def _check_rows(rows: pa.Table, check: RowCheck) -> list[pa.Table]:
    broken = np.flatnonzero(mask_of(pc.invert(check.holds(rows)).combine_chunks()))
    if not len(broken):
        return []
    return [
        reasons(
            broken,
            field=check.columns[-1],
            code="check",
            message=check.message,
            values=shown(rows.select(check.columns).take(indices(broken))),
            constraint=check.name,
            schema=ROW_REASON_SCHEMA,
        )
    ]


def _member(records: Records, name: str) -> tuple[Text, Mask]:
    """Return a field's n texts, and the mask of the records that lack it."""
    count = records.columns.num_rows
    if name not in records.columns.column_names:
        return pa.nulls(count, pa.string()), np.ones(count, bool)
    absent = records.absent.get(name)
    mask = np.zeros(count, bool) if absent is None else mask_of(absent)
    return records.columns.column(name).combine_chunks(), mask
