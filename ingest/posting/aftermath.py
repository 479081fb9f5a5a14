"""What accepted records do to rejects that were there before: they supersede some, and others wait for them."""

from collections.abc import Sequence

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from dataforge.postgres.arrays import array_text
from ingest.models import Batch
from ingest.posting.verdict import Judged
from ingest.rejects import key_texts
from ingest.sources import sources

_ASK = """
select array(select t from unnest(%s::text[]) as t
             where exists (select from ingest_rejectedrecord where status = 'open' and "table" = t)),
       exists (select from ingest_rejectedrecord where status = 'open' and waits_for <> '{}')
"""
# Key by key: while rejects pour in, the planner's statistics know of none that are open, and it would read them all.
# A reject that this very batch saw is no older than the good record, and one that it replays is closed by that. One
# that is locked is seen or replayed by another at this moment: to wait for it, with rejects in hand, is to deadlock.
_SUPERSEDE = """
update ingest_rejectedrecord set status = 'superseded', closed_at = %s, closed_why = %s
where id = any(array(select id from ingest_rejectedrecord where status = 'open' and id = any(array(
    select old.id from unnest(%s::text[]) as k (key) cross join lateral (
        select id, status, last_batch_id from ingest_rejectedrecord
        where "table" = %s and natural_key = k.key offset 0) as old
    where old.status = 'open' and old.last_batch_id <> %s and old.id <> all(%s))) for update skip locked))
"""
_WAIT = """
select exists (
    select from unnest(%s::text[]) as k (parent) cross join lateral (
        select from ingest_rejectedrecord where waits_for <> '{}' and waits_for @> array[k.parent]
            and (status = 'open') is true offset 0) as orphan)
"""
WHY = "A good record with this key came in with batch {batch}."


def settle_rejects(
    cursor: CursorWrapper, judged: Sequence[Judged], batch: Batch, *, replayed: Sequence[int]
) -> tuple[str, ...]:
    """Close rejects whose keys were written now; give the parents (as ``table/key``) that orphans may wait for.

    ``replayed``: numbers of the rejects that the batch replays. Costs one query where no reject is open.
    """
    cursor.execute(_ASK, [[each.given.source.table for each in judged]])
    open_tables, orphans = cursor.fetchone()
    for each in judged:
        if each.given.source.table in open_tables:
            _supersede(cursor, each, batch, replayed)
    return _awaited(cursor, judged) if orphans else ()


def _supersede(cursor: CursorWrapper, judged: Judged, batch: Batch, replayed: Sequence[int]) -> None:
    written = judged.written
    if not len(written):
        return
    keys = array_text(key_texts(written, judged.given.source.contract).to_pylist())
    table, why = judged.given.source.table, WHY.format(batch=batch.pk)
    cursor.execute(_SUPERSEDE, [timezone.now(), why, keys, table, batch.pk, list(replayed)])


def _awaited(cursor: CursorWrapper, judged: Sequence[Judged]) -> tuple[str, ...]:
    """Give the accepted parents if an orphan waits for any of them, as few do."""
    referred = {reference.table for source in sources() for reference in source.contract.references}
    parents = tuple(
        f"{source.table}/{key}"
        for source, rows in ((each.given.source, each.processed.rows) for each in judged)
        if source.table in referred
        for key in key_texts(rows, source.contract).to_pylist()
    )
    if not parents:
        return ()
    cursor.execute(_WAIT, [array_text(parents)])
    return parents if cursor.fetchone()[0] else ()


def heal_later(batch: str, parents: list[str]) -> None:
    """Have the task worker replay the orphans that waited for ``parents``."""
    from ingest.posting.healing import heal_task  # which comes back here, by way of a replay

    heal_task.enqueue(batch, parents)
