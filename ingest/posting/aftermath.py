"""What accepted records do to rejects that were there before: they supersede some, and others wait for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from dataforge.postgres.arrays import texts_array
from ingest.arrow import indices
from ingest.models import Batch
from ingest.posting.verdict import Judged
from ingest.rejects import key_texts
from ingest.sources import sources

_ASK = """
select array(select t from unnest(%s::text[]) as t
             where exists (select from ingest_rejectedrecord where status = 'open' and "table" = t)),
       array(select t from unnest(%s::text[]) as t
             where exists (select from ingest_rejectedrecord
                           where status = 'open' and waits_for <> '{}' and "table" = t))
"""
# Key by key: while rejects pour in, the planner's statistics know of none that are open, and it would read them all.
# A reject that this very batch saw is no older than the good record, and one that it replays is closed by that. One
# that is locked is seen or replayed by another at this moment: to wait for it, with rejects in hand, is to deadlock.
_SETTLE = """
with given as materialized (
    select key, place <= %(written)s as written from unnest(%(keys)s::text[]) with ordinality as k (key, place)
),
closed as (
    update ingest_rejectedrecord set status = 'superseded', closed_at = %(now)s, closed_why = %(why)s
    where id = any(array(select id from ingest_rejectedrecord where status = 'open' and id = any(array(
        select old.id from given cross join lateral (
            select id, status, last_batch_id from ingest_rejectedrecord
            where "table" = %(table)s and natural_key = given.key offset 0) as old
        where given.written and old.status = 'open'
            and old.last_batch_id <> %(batch)s and old.id <> all(%(replayed)s)
    )) for update skip locked))
)
select %(awaited)s and exists (
    select from given cross join lateral (
        select from ingest_rejectedrecord where waits_for <> '{}' and waits_for @> array[%(table)s || '/' || given.key]
            and (status = 'open') is true offset 0) as orphan)
"""
WHY = "A good record with this key came in with batch {batch}."


def question(judged: Sequence[Judged]) -> tuple[str, list[Any]]:
    """Ask of which tables rejects are open, and of which ones some wait for a record: the query and its parameters."""
    tables = [each.given.source.table for each in judged]
    return _ASK, [tables, sorted(set().union(*map(_children, tables)))]


def settle_rejects(
    cursor: CursorWrapper, judged: Sequence[Judged], batch: Batch, *, replayed: Sequence[int]
) -> tuple[str, ...]:
    """Close rejects whose keys were written now; give the parents (as ``table/key``) that orphans may wait for.

    The answer to ``question`` is the cursor's. ``replayed``: numbers of the rejects that the batch replays.
    """
    ((open_tables, orphaned),) = cursor.fetchall()
    awaited: list[str] = []
    for each in judged:
        contract, written = each.given.source.contract, ~each.compared.unchanged
        waiting = not _children(contract.table).isdisjoint(orphaned)
        if not len(written) or not (waiting or (contract.table in open_tables and written.any())):
            continue
        order = np.argsort(~written, kind="stable")  # those that were written first
        keys = key_texts(each.processed.rows, contract).take(indices(order))
        facts: dict[str, Any] = {
            "table": contract.table,
            "keys": texts_array(keys),
            "written": int(written.sum()),
            "awaited": waiting,
            "now": timezone.now(),
            "why": WHY.format(batch=batch.pk),
            "batch": batch.pk,
            "replayed": list(replayed),
        }
        cursor.execute(_SETTLE, facts)
        if cursor.fetchone()[0]:
            awaited += [f"{contract.table}/{key}" for key in keys.to_pylist()]
    return tuple(awaited)


def _children(table: str) -> set[str]:
    """Name the tables whose records refer to ``table``: only their rejects can wait for it."""
    return {source.table for source in sources() if any(each.table == table for each in source.contract.references)}


def heal_later(batch: str, parents: list[str]) -> None:
    """Have the task worker replay the orphans that waited for ``parents``."""
    from ingest.posting.healing import heal_task  # which comes back here, by way of a replay

    heal_task.enqueue(batch, parents)
