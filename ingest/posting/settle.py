"""What accepted records do to rejects that were there before: they supersede some, and others wait for them."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core.arrow import bools
from core.postgres.array_literals import texts_array
from core.postgres.planner import fetch_by_index
from ingest.models import Batch
from ingest.posting.judged import TableVerdict
from ingest.rules.key_text import kept_part, key_texts
from ingest.rules.sources import sources

# Of some tables, those with open rejects; of others, those with open rejects that wait for a parent.
_ASK = """
select array(select t from unnest(%s::text[]) as t
             where exists (select from ingest_rejectedrecord where status = 'open' and "table" = t)),
       array(select t from unnest(%s::text[]) as t
             where exists (select from ingest_rejectedrecord
                           where status = 'open' and waits_for <> '{}' and "table" = t))
"""
# Closes the open rejects of keys that were written, and tells whether orphans wait for any key that came.
# A reject that this very batch saw is no older than the good record, and one that it replays is closed by that. One
# that is locked is seen or replayed by another at this moment: to wait for it, with rejects in hand, is to deadlock.
_SETTLE = """
with closed as (
    update ingest_rejectedrecord set status = 'superseded', closed_at = %(now)s, closed_why = %(why)s
    where id = any(array(select id from ingest_rejectedrecord where status = 'open' and id = any(array(
        select id from ingest_rejectedrecord
        where "table" = %(table)s and natural_key = any(%(written)s::text[]) and status = 'open'
            and last_batch_id <> %(batch)s and id <> all(%(replayed)s)
        order by natural_key
    )) for update skip locked))
)
select exists (
    select from unnest(%(awaited)s::text[]) as parent (key) cross join lateral (
        select from ingest_rejectedrecord where waits_for <> '{}' and waits_for @> array[%(table)s || '/' || parent.key]
            and (status = 'open') is true offset 0) as orphan)
"""
WHY = "A good record with this key came in with batch {batch}."


def question(judged: Sequence[TableVerdict]) -> tuple[str, list[Any]]:
    """Ask of which tables rejects are open, and of which ones some wait for a record: the query and its parameters."""
    tables = [verdict.sent.source.table for verdict in judged]
    return _ASK, [tables, sorted(set().union(*map(_children, tables)))]


def settle_rejects(
    cursor: CursorWrapper, judged: Sequence[TableVerdict], batch: Batch, *, replayed: Sequence[int]
) -> tuple[str, ...]:
    """Close rejects whose keys were written now; return the parents (as ``table/key``) that orphans may wait for.

    The answer to ``question`` is the cursor's. ``replayed``: numbers of the rejects that the batch replays.
    """
    ((open_tables, orphaned),) = cursor.fetchall()
    awaited: list[str] = []
    for verdict in judged:
        contract, written = verdict.sent.source.contract, ~verdict.compared.unchanged
        waiting = not _children(contract.table).isdisjoint(orphaned)
        if not len(written) or not (waiting or (contract.table in open_tables and written.any())):
            continue
        keys = kept_part(key_texts(verdict.processed.rows, contract))
        facts: dict[str, Any] = {
            "table": contract.table,
            "written": texts_array(keys.filter(bools(written))),
            "awaited": texts_array(keys) if waiting else "{}",
            "now": timezone.now(),
            "why": WHY.format(batch=batch.pk),
            "batch": batch.pk,
            "replayed": list(replayed),
        }
        ((awaiting,),) = fetch_by_index(cursor, _SETTLE, facts)
        if awaiting:
            awaited += [f"{contract.table}/{key}" for key in keys.to_pylist()]
    return tuple(awaited)


def _children(table: str) -> set[str]:
    """Name the tables whose records refer to ``table``: only their rejects can wait for it."""
    return {
        source.table
        for source in sources()
        if any(reference.table == table for reference in source.contract.references)
    }
