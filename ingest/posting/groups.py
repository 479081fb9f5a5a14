"""Records with the same group stand or fall together: which of them fall because others did."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.posting.judged import TableVerdict
from ingest.processing.process import UNIQUE


def fallen(judged: Sequence[TableVerdict], groups: Mapping[int, str], conflicts: set[int]) -> list[int]:
    """Return the indices of good records whose group has a bad one; ``conflicts`` are refused too, by what is stored.

    A record that only clashes with another one of the unit is not bad for good while that one may still fall itself,
    with its group or as a conflict: nobody falls with it before that is known. With one in whose place a later one
    counts nobody falls; but it falls with others.
    """
    refused = {int(index) for verdict in judged for index in verdict.faulty} | conflicts
    unsure = _unsure(judged, groups, refused)
    final = refused - unsure
    while True:
        failed = {groups[index] for index in final if index in groups}
        falling = sorted(index for index, group in groups.items() if group in failed and index not in refused)
        if falling or conflicts or not unsure:
            return falling
        first = min(unsure)  # they wait for each other: the first one's clash counts
        unsure.remove(first)
        final.add(first)


def _unsure(judged: Sequence[TableVerdict], groups: Mapping[int, str], refused: set[int]) -> set[int]:
    """Return the refused records that would be good if those fell which may fall yet."""
    failing = {groups[index] for index in refused if index in groups}
    clashes = {
        index
        for verdict in judged
        for index, winner in _clashes(verdict)
        if winner in refused or (winner in groups and groups[winner] in failing)
    }
    if not clashes:
        return set()
    waiting = {index for verdict in judged for index in _refused_for(verdict, pc.field("code") == "parent_rejected")}
    return clashes | waiting


def _clashes(verdict: TableVerdict) -> list[tuple[int, int]]:
    """Return the records refused for a key that came earlier in the unit, each with the one that has it."""
    clashing = _refused_for(verdict, pc.field("message") == UNIQUE)
    if not clashing:
        return []
    key, processed = verdict.sent.source.contract.natural_key, verdict.processed
    owners = dict(zip(_keys(processed.rows, key), verdict.position.tolist(), strict=True))
    rows = pc.index_in(pa.array(clashing, pa.int64()), processed.records.position)
    keys = _keys(processed.checked.take(rows), key)
    return [(index, owners[name]) for index, name in zip(clashing, keys, strict=True) if name in owners]


def _refused_for(verdict: TableVerdict, why: Any) -> list[int]:
    """Return the records all of whose reasons are such."""
    reasons = verdict.processed.reasons
    such, others = (reasons.filter(condition)["position"].to_numpy() for condition in (why, ~why))
    return [int(index) for index in np.setdiff1d(such, others)]


def _keys(rows: pa.Table, key: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in key), strict=True))
