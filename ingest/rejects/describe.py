"""Rejects: refused records as columns, ready to be stored (``ingest.rejects.store``)."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Mask, Rows, Text, indices, schema_of
from core.json_columns import json_lists, json_objects
from ingest.models import RejectedRecord
from ingest.processing.process import UNIQUE, Verdict
from ingest.processing.reasons import SUPERSEDED_IN_BATCH
from ingest.processing.records import Records
from ingest.rules.contract import Contract
from ingest.rules.key_text import KEY_LENGTH, kept_part, key_texts

REJECT_SCHEMA = schema_of(
    pa.field("position", pa.int64(), nullable=False),
    pa.field("line", pa.int64()),
    pa.field("raw", pa.binary(), nullable=False),
    pa.field("record", pa.string()),
    pa.field("natural_key", pa.string(), nullable=False),
    pa.field("reasons", pa.string(), nullable=False),
    pa.field("codes", pa.list_(pa.string()), nullable=False),
    pa.field("fields", pa.list_(pa.string()), nullable=False),
    pa.field("stage", pa.string(), nullable=False),
    pa.field("waits_for", pa.list_(pa.string()), nullable=False),
    pa.field("ref", pa.string(), nullable=False),
    pa.field("group", pa.string(), nullable=False),
)
# No arrays yet: with its first one in a process pyarrow imports pandas, which most commands never need.
_ORPHAN_CODES = ["does_not_exist", "parent_rejected"]
_LAST_CODES = ["database", "group_rejected"]


def rejects_of(processed: Verdict, contract: Contract) -> pa.Table:
    """Write the refused records of one ``process`` call as ``REJECT_SCHEMA``, by position."""
    refused = describe(processed.records, processed.checked, processed.reasons, contract)
    if not len(processed.records.unreadable):
        return refused
    return pa.concat_tables([refused, _unreadable(processed.records)]).sort_by("position")


def describe(records: Records, checked: pa.Table, reasons: pa.Table, contract: Contract) -> pa.Table:
    """Write the records that ``reasons`` (ordered by record) speak of as ``REJECT_SCHEMA``.

    ``checked`` are the same records as typed columns: their keys are shown as normalised, where they could be.
    """
    positions, first = np.unique(reasons["position"].to_numpy(), return_index=True)
    picks, offsets = _rows_at(positions, records), pa.array(np.append(first, len(reasons)), pa.int32())
    codes, fields = reasons["code"].combine_chunks(), reasons["field"].combine_chunks()
    orphaned = pc.is_in(codes, pa.array(_ORPHAN_CODES))
    return pa.table(
        [
            indices(positions),
            pa.nulls(len(picks), pa.int64()) if records.line is None else records.line.take(picks),
            records.exact().take(picks),
            record_json(records, picks),
            _keys(records.columns, checked, picks, contract),
            json_lists(_reason_json(reasons), offsets),
            pa.ListArray.from_arrays(offsets, codes),
            pa.ListArray.from_arrays(offsets, fields.fill_null("")),
            _stages(codes.take(indices(first)), reasons["message"].combine_chunks().take(indices(first))),
            _waits_for(reasons, orphaned, offsets, contract),
            *_unnamed(len(picks)),
        ],
        schema=REJECT_SCHEMA,
    )


def are_superseded(rejects: pa.Table) -> Mask:
    """Mark those of n rejects (``REJECT_SCHEMA``) in whose place a later record of their batch counts."""
    codes = rejects["codes"].combine_chunks()
    superseded = pc.equal(pc.list_flatten(codes), SUPERSEDED_IN_BATCH)  # the only reason of its record
    marked = np.zeros(len(rejects), bool)
    marked[pc.list_parent_indices(codes).filter(superseded).to_numpy()] = True
    return marked


def _keys(columns: pa.Table, checked: pa.Table, picks: Any, contract: Contract) -> Text:
    key = [name for name in contract.natural_key if name in columns.column_names]
    rows = checked.select(contract.natural_key).take(picks)
    return kept_part(key_texts(rows, contract, refused=columns.select(key).take(picks)))


def _rows_at(positions: Rows, records: Records) -> Any:
    """Return the rows of records, by their positions in ascending order; the records come in that order too."""
    return indices(np.searchsorted(records.position.to_numpy(), positions))


def _unreadable(records: Records) -> pa.Table:
    unreadable = records.unreadable
    count = len(unreadable)
    ones = pa.array(np.arange(count + 1), pa.int32())
    none = pa.repeat(pa.scalar(""), count)
    nothing = pa.nulls(count, pa.string())
    empty_lists = pa.array([[]] * count, pa.list_(pa.string()))
    described = pa.table(
        {"field": nothing, "code": unreadable["code"], "message": unreadable["message"], "value": nothing}
    )
    return pa.table(
        [
            unreadable["position"],
            unreadable["line"],
            unreadable["raw"],
            pa.nulls(count, pa.string()),
            none,
            json_lists(json_objects(described), ones),
            pa.ListArray.from_arrays(ones, unreadable["code"].combine_chunks()),
            empty_lists,
            pa.repeat(pa.scalar(RejectedRecord.Stage.PARSE.value), count),
            empty_lists,
            *_unnamed(count),
        ],
        schema=REJECT_SCHEMA,
    )


def _stages(codes: Text, messages: Text) -> Text:
    """Return the step that gave n records their first reason."""
    stage = RejectedRecord.Stage
    cases = {
        stage.REFERENCES: pc.is_in(codes, pa.array(_ORPHAN_CODES)),
        stage.DUPLICATES: pc.or_(pc.equal(messages, UNIQUE), pc.equal(codes, SUPERSEDED_IN_BATCH)),
        stage.STORED: pc.equal(codes, "unique"),
        stage.WRITE: pc.is_in(codes, pa.array(_LAST_CODES)),
    }
    return pc.case_when(
        pc.make_struct(*cases.values()), *(pa.scalar(name.value) for name in cases), pa.scalar(stage.CHECK.value)
    )


def _unnamed(count: int) -> list[Text]:
    """Fill in no ``ref`` and no ``group``: a file names neither."""
    return [pa.repeat(pa.scalar(""), count)] * 2


def record_json(records: Records, picks: Any) -> Text:
    absent: dict[str, ArrowColumn] = {name: mask.take(picks) for name, mask in records.absent.items()}
    return json_objects(records.columns.take(picks), absent=absent)


def _reason_json(reasons: pa.Table) -> Text:
    shown = reasons.select(["field", "code", "message", "value", "constraint"])
    if shown["constraint"].null_count == len(shown):  # nearly always: only rules on rows have names
        return json_objects(shown.drop_columns(["constraint"]))
    return json_objects(shown, absent={"constraint": shown["constraint"].combine_chunks().is_null()})


def _waits_for(reasons: pa.Table, orphaned: ArrowColumn, offsets: Any, contract: Contract) -> ArrowColumn:
    tables = {reference.column: reference.table for reference in contract.references}
    rows = np.flatnonzero(orphaned.to_numpy(zero_copy_only=False))
    waiting = reasons.take(indices(rows))
    keys = [
        f"{tables[str(field)]}/{str(key)[:KEY_LENGTH]}"
        for field, key in zip(waiting["field"].to_pylist(), waiting["value"].to_pylist(), strict=True)
    ]
    starts = np.searchsorted(rows, offsets.to_numpy())
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), pa.array(keys, pa.string()))
