"""A reject waits for a parent that the same batch refused: which reject that is."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db.backends.utils import CursorWrapper

from core.arrow import ArrowColumn, indices
from core.postgres.array_literals import array_text
from core.postgres.planner import fetch_by_index
from ingest.rejects.merge import RejectOrigin

_WAITS = "parent_rejected"
# Rejects by their keys, of those that the batch itself stored or saw once more: by its number, or by its moment where
# the reject stays one of an older batch.
_OF_THE_BATCH = """
select natural_key, id from ingest_rejectedrecord
where "table" = %(table)s and natural_key = any(%(keys)s::text[])
    and (last_batch_id = %(batch)s or last_seen_at = %(now)s) order by natural_key
"""
# Links open rejects to their parents', and leaves alone those that are linked so already.
_LINK = """
update ingest_rejectedrecord as child set parent_id = link.parent_id
from unnest(%(children)s::bigint[], %(parents)s::bigint[]) as link (id, parent_id)
where child.id = link.id and child.status = 'open' and child.parent_id is distinct from link.parent_id
"""


def parents_of(cursor: CursorWrapper, rejects: pa.Table, origin: RejectOrigin) -> ArrowColumn:
    """Return for each of n rejects the number of its parent's, NULL for none: the least, where there are several."""
    waiting = _waiting(rejects)
    if not len(waiting):
        return pa.nulls(len(rejects), pa.int64())
    waits_for = rejects["waits_for"].combine_chunks()
    pairs = pa.table({"row": pc.list_parent_indices(waits_for), "key": pc.list_flatten(waits_for)})
    pairs = pairs.filter(pc.is_in(pairs["row"], waiting))
    keys: list[Any] = pairs["key"].to_pylist()
    known = _numbers(cursor, dict.fromkeys(keys), origin)
    numbers = pa.array(map(known.get, keys), pa.int64())
    least = pa.table({"row": pairs["row"], "number": numbers}).group_by("row").aggregate([("number", "min")])
    places = pc.index_in(indices(np.arange(len(rejects))), least["row"].combine_chunks().cast(pa.int64()))
    return least["number_min"].combine_chunks().take(places)


def _numbers(cursor: CursorWrapper, keys: Iterable[str], origin: RejectOrigin) -> dict[str, int]:
    """Return by ``table/key`` the first reject that the batch has stored under it, or seen there once more."""
    wanted: dict[str, list[str]] = {}
    for parent in keys:
        table, _, key = parent.partition("/")
        wanted.setdefault(table, []).append(key)
    numbers: dict[str, int] = {}
    for table, some in wanted.items():
        facts = {"table": table, "keys": array_text(some), "batch": origin.batch, "now": origin.now}
        for key, number in fetch_by_index(cursor, _OF_THE_BATCH, facts):
            name = f"{table}/{key}"
            numbers[name] = min(number, numbers.get(name, number))
    return numbers


def link(cursor: CursorWrapper, rejects: pa.Table, numbers: Mapping[int, int], origin: RejectOrigin) -> None:
    """Link ``rejects`` that are stored (``numbers``: by position) to their parents', where they are open."""
    positions: list[Any] = rejects["position"].to_pylist()
    parents = parents_of(cursor, rejects, origin).to_pylist()
    pairs = {numbers[position]: parent for position, parent in zip(positions, parents, strict=True) if parent}
    if pairs:
        cursor.execute(_LINK, {"children": list(pairs), "parents": list(pairs.values())})


def _waiting(rejects: pa.Table) -> ArrowColumn:
    """Return the rows that wait for a parent which was refused with them."""
    codes = rejects["codes"].combine_chunks()
    return pc.list_parent_indices(codes).filter(pc.equal(pc.list_flatten(codes), _WAITS)).unique()
