"""A reject waits for a parent that the same batch refused: which reject that is."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db.backends.utils import CursorWrapper

from dataforge.postgres.arrays import texts_array
from ingest.arrow import Column, indices
from ingest.reject_stage import RejectOrigin

_WAITS = "parent_rejected"
# Key by key, by the index on natural keys: the planner knows little of rows that came a moment ago.
_FIND = """
select given.key, min(parent.id)
from unnest(%(keys)s::text[]) as given (key) cross join lateral (
    select id, last_batch_id from ingest_rejectedrecord
    where "table" = split_part(given.key, '/', 1) and natural_key = substr(given.key, strpos(given.key, '/') + 1)
    offset 0
) as parent
where parent.last_batch_id = %(batch)s
group by given.key
"""
# "is not distinct from" keeps the planner off the index on the batch: it takes a batch that is new to its statistics
# for one row, and would join in a nested loop.
_LINK = """
update ingest_rejectedrecord as child set parent_id = found.parent_id
from (
    select waiting.id, min(parent.id) as parent_id
    from (
        select id, unnest(waits_for) as key from ingest_rejectedrecord
        where last_batch_id = %(batch)s and "table" = %(table)s and status = 'open'
            and codes @> array['parent_rejected']
    ) as waiting
    join ingest_rejectedrecord as parent
        on parent."table" = split_part(waiting.key, '/', 1)
        and parent.natural_key = substr(waiting.key, strpos(waiting.key, '/') + 1)
        and parent.last_batch_id is not distinct from %(batch)s
    group by waiting.id
) as found
where child.id = found.id and child.parent_id is distinct from found.parent_id
"""


def parents_of(cursor: CursorWrapper, rejects: pa.Table, origin: RejectOrigin) -> Column:
    """Give for each of n rejects the number of its parent's, NULL for none: the least, where there are several."""
    waiting = _waiting(rejects)
    if not len(waiting):
        return pa.nulls(len(rejects), pa.int64())
    waits_for = rejects["waits_for"].combine_chunks()
    pairs = pa.table({"row": pc.list_parent_indices(waits_for), "key": pc.list_flatten(waits_for)})
    pairs = pairs.filter(pc.is_in(pairs["row"], waiting))
    cursor.execute(_FIND, {"keys": texts_array(pairs["key"].combine_chunks().unique()), "batch": origin.batch})
    found: Any = dict(cursor.fetchall())
    numbers = pa.array([found.get(key) for key in pairs["key"].to_pylist()], pa.int64())
    least = pa.table({"row": pairs["row"], "number": numbers}).group_by("row").aggregate([("number", "min")])
    places = pc.index_in(indices(np.arange(len(rejects))), least["row"].combine_chunks().cast(pa.int64()))
    return least["number_min"].combine_chunks().take(places)


def link(cursor: CursorWrapper, rejects: pa.Table, origin: RejectOrigin) -> None:
    """Link ``rejects``, stored by now, to their parents', where they are not yet."""
    if not len(_waiting(rejects)):
        return
    cursor.execute(_LINK, {"table": origin.contract.table, "batch": origin.batch})


def _waiting(rejects: pa.Table) -> Column:
    """Give the rows that wait for a parent which was refused with them."""
    codes = rejects["codes"].combine_chunks()
    return pc.list_parent_indices(codes).filter(pc.equal(pc.list_flatten(codes), _WAITS)).unique()
