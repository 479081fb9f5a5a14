"""The ``results`` of an answer: what became of each record, written as JSON on whole columns."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Rows, Text, indices
from core.json_columns import json_lists, json_objects, json_texts
from ingest.posting.judged import TableVerdict
from ingest.posting.outcome import UnitResult, why
from ingest.posting.unit import Unit
from ingest.tables.refusals import without_stored

VALUE_CHARACTERS = 200
_NUL = "\x00"  # JSON can say it


def write_results(unit: Unit, posted: UnitResult, *, results: str, where: str, seen: Collection[str]) -> str:
    """Write the list of what became of records, by index: of ``results``, which is "errors", "all" or "summary".

    ``where``: a record's JSON pointer, by ``{index}``. ``seen``: tables whose stored rows reasons may tell of.
    """
    parts: list[tuple[Rows, Text]] = []
    if results != "summary":
        parts += [
            _rejected(verdict, unit, posted, where, seen) for verdict in posted.judged if verdict.processed.rejected
        ]
    if results == "all":
        for verdict in posted.judged:
            table = verdict.sent.source.table
            parts += [
                (position, _written(position, unit, f'"table": "{table}", "outcome": "{outcome}"'))
                for outcome, position in posted.accepted(verdict)
                if len(position)
            ]
    if not parts:
        return "[]"
    order = np.argsort(np.concatenate([position for position, _ in parts]), kind="stable")
    every: Any = pa.concat_arrays([text for _, text in parts]).take(indices(order)).to_pylist()
    return f"[{', '.join(every)}]"


def _rejected(
    judged: TableVerdict, unit: Unit, posted: UnitResult, where: str, seen: Collection[str]
) -> tuple[Rows, Text]:
    table, reasons = judged.sent.source.table, why(judged)
    if table not in seen:
        reasons = without_stored(reasons)
    offsets, position = _runs(reasons["position"].to_numpy())
    written = json_lists(_reasons(reasons, where), pa.array(offsets, pa.int32()))
    numbers: Any = "null"
    if posted.rejects:
        kept = [posted.rejects[index] for index in position.tolist()]
        numbers = json_texts(pa.array(kept, pa.int64()).cast(pa.string()))
    head = f'"table": "{table}", "outcome": "rejected", "reject_id": '
    return position, _written(position, unit, head, numbers, ', "reasons": ', written)


def _written(position: Rows, unit: Unit, *pieces: Any) -> Text:
    """Write an object for each record, its index and the sender's own names first."""
    before: list[Any] = ['{"index": ', indices(position).cast(pa.string()), ", "]
    for name, names in (("ref", unit.refs), ("group", unit.groups)):
        if names:
            texts = json_texts(pa.array([names.get(index) for index in position.tolist()], pa.string()), nul=_NUL)
            before.append(pc.coalesce(pc.binary_join_element_wise(f'"{name}": ', texts, ", ", ""), ""))
    return pc.binary_join_element_wise(*before, *pieces, "}", "")


def _reasons(reasons: pa.Table, where: str) -> Text:
    """Write n reasons (``REASON_SCHEMA``)."""
    before, index, after = where.partition("{index}")
    places = reasons["position"].cast(pa.string()).combine_chunks() if index else ""
    field, value = reasons["field"].combine_chunks(), reasons["value"].combine_chunks()
    steps = pc.replace_substring(pc.replace_substring(field, "~", "~0"), "/", "~1")
    steps = pc.coalesce(pc.binary_join_element_wise("/", steps, ""), "")
    long = pc.greater(pc.utf8_length(value), VALUE_CHARACTERS).fill_null(False)
    if long.true_count:
        cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(value, 0, VALUE_CHARACTERS), "…", "")
        value = pc.if_else(long, cut, value)
    shown: dict[str, Any] = {
        "field": field,
        "code": reasons["code"],
        "pointer": pc.binary_join_element_wise(before, places, after, steps, ""),
        "message": reasons["message"],
        "value": value,
    }
    constraint = reasons["constraint"].combine_chunks()
    if constraint.null_count == len(constraint):
        return json_objects(pa.table(shown), nul=_NUL)
    return json_objects(
        pa.table(shown | {"constraint": constraint}), absent={"constraint": constraint.is_null()}, nul=_NUL
    )


def _runs(position: Rows) -> tuple[Rows, Rows]:
    """Of positions, equal ones side by side: give where each run begins (and the last ends), and its position."""
    begins = np.flatnonzero(np.append(True, position[1:] != position[:-1])) if len(position) else position
    return np.append(begins, len(position)), position[begins]
