"""Check one column of text against its rule: typed values, every reason, every repair. All on whole columns.

A value that its rule accepts as it stands is never touched; only the others are normalised and judged again, so that
clean data costs one pass.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Mask, Rows, Text, bools, indices, mask_of
from ingest.processing import reasons as words
from ingest.processing.reasons import ROW_REASON_SCHEMA, reasons
from ingest.rules.contract import Column
from ingest.rules.kinds.judge import explain, judge


@dataclass(frozen=True)
class CheckedColumn:
    """One column after its check: n typed values (NULL where empty or refused), reasons, and rows changed by rule."""

    values: Any
    reasons: tuple[pa.Table, ...] = ()
    repairs: tuple[tuple[str, Rows], ...] = ()


def check_column(text: Text, column: Column, *, absent: Mask, faulty: Mask) -> CheckedColumn:
    """Check n texts. ``absent`` marks records without this member; ``faulty`` values that have a reason already."""
    values, ok = judge(text, column)
    if ok.all():
        return CheckedColumn(values)
    empty = _empty(text)
    suspect = np.flatnonzero(~ok & ~empty & ~faulty)
    blocks: list[pa.Table] = []
    repairs: tuple[tuple[str, Rows], ...] = ()
    blank = empty.copy()
    if len(suspect):
        values, blank[suspect], blocks, repairs = _second_look(text, values, suspect, column)
    if not column.null:
        blocks.extend(_missing(text, column, blank & ~faulty, absent))
    return CheckedColumn(values, tuple(blocks), repairs)


def _second_look(
    text: Text, values: Any, suspect: Rows, column: Column
) -> tuple[Any, Mask, list[pa.Table], tuple[tuple[str, Rows], ...]]:
    """Normalise what was refused, judge it again, and explain what is still refused by its raw text."""
    raw = text.take(indices(suspect))
    changed: list[tuple[str, Mask]] = []
    normal = raw
    for step in column.normalise:
        stepped = step.apply(normal)
        changed.append((step.name, mask_of(pc.not_equal(stepped, normal))))
        normal = stepped
    typed, ok = judge(normal, column)
    empty = _empty(normal)
    mask = np.zeros(len(text), bool)
    mask[suspect] = True
    values = pc.replace_with_mask(values, bools(mask), typed)
    refused = np.flatnonzero(~ok & ~empty)
    blocks = []
    if len(refused):
        picks = indices(refused)
        for code, message, wrong in explain(normal.take(picks), column):
            rows = refused[wrong]
            blocks.append(
                reasons(
                    suspect[rows],
                    field=column.name,
                    code=code,
                    message=message,
                    values=raw.take(indices(rows)),
                    schema=ROW_REASON_SCHEMA,
                )
            )
    settled = ok | (empty & column.null)
    repairs = tuple((name, suspect[rows & settled]) for name, rows in changed if (rows & settled).any())
    return values, empty, blocks, repairs


def _missing(text: Text, column: Column, blank: Mask, absent: Mask) -> list[pa.Table]:
    """Return the reason for a required value that is not there: no member, an explicit null, or an empty text."""
    null = mask_of(text.is_null())
    kinds = (
        ("required", words.REQUIRED, blank & absent),
        ("null", words.NULL, blank & null & ~absent),
        ("blank", words.BLANK, blank & ~null & ~absent),
    )
    return [
        reasons(
            np.flatnonzero(rows),
            field=column.name,
            code=code,
            message=message,
            values=text.filter(bools(rows)),
            schema=ROW_REASON_SCHEMA,
        )
        for code, message, rows in kinds
        if rows.any()
    ]


def _empty(text: Text) -> Mask:
    return ~mask_of(pc.greater(pc.binary_length(text), 0))
