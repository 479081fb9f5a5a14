"""Healing: orphans are replayed when the parents that they waited for have come, as a batch of its own."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.tasks import task
from psycopg2 import sql

from core.postgres.engine.session_settings import without_timeouts
from core.postgres.retry import in_transaction
from ingest.models import Batch, RejectedRecord
from ingest.posting.outcome import UnitResult
from ingest.posting.unit import Origin
from ingest.replaying.replay import Replay, rounds, run, unit_of, with_groups
from ingest.rules.on_conflict import OnConflict
from ingest.rules.sources import sources
from ingest.tables.stored_rows import column_type

log = logging.getLogger(__name__)

BATCH_RECORDS = 1000
MAX_RECORDS = 50_000  # of one healing; the sweep finds the others

# Orphans all of whose parents are stored by now. A group is healed whole, or not at all.
_ORPHANS = """
select r.id from ingest_rejectedrecord r join ingest_batch b on b.id = r.last_batch_id
where r.status = 'open' and r.waits_for <> '{{}}' and r.codes <@ array['does_not_exist', 'parent_rejected']
    and coalesce(b.options ->> 'mode', '') <> 'atomic' and r.id <> all(%(tried)s::bigint[])
    and (%(parents)s::text[] is null or r.id in (
        select o.id from unnest(%(parents)s::text[]) as k (parent) cross join lateral (
            select id from ingest_rejectedrecord where waits_for <> '{{}}' and waits_for @> array[k.parent] offset 0
        ) as o))
    and (%(table)s::text is null or r."table" = %(table)s)
    and not exists (select from unnest(r.waits_for) as w (parent) where not ({stored}))
    and (r."group" = '' or not exists (
        select from ingest_rejectedrecord mate
        where mate.last_batch_id = r.last_batch_id and mate."group" = r."group" and mate.status = 'open'
            and not mate.codes <@ array['does_not_exist', 'parent_rejected', 'group_rejected']))
order by r.id limit %(limit)s
"""
# Open rejects that have one code, whatever else is wrong with them; not of an atomic batch, which only comes whole.
_BY_CODE = """
select r.id from ingest_rejectedrecord r join ingest_batch b on b.id = r.last_batch_id
where r.status = 'open' and r.codes @> array[%(code)s] and coalesce(b.options ->> 'mode', '') <> 'atomic'
    and r.id <> all(%(tried)s::bigint[]) and (%(table)s::text is null or r."table" = %(table)s)
order by r.id limit %(limit)s
"""
# One branch of a CASE over the tables that others refer to: whether the key in ``w.parent`` (``table/key``) is stored.
_IS_STORED_IN = """
when {table} then exists (
    select from {db_table} p where p.{key} = substr(w.parent, strpos(w.parent, '/') + 1)::{type})
"""


def schedule(posted: UnitResult) -> None:
    """Have the task worker replay, after the commit, the orphans that may wait for what ``posted`` brought.

    Called in the transaction of the batch. Robust: the batch is there then, and must not be carried out again because
    nobody could be asked to heal. The sweep finds what is not healed.
    """
    if posted.batch and posted.awaited:
        transaction.on_commit(partial(heal_task.enqueue, str(posted.batch.pk), list(posted.awaited)), robust=True)


@task
def heal_task(batch: str, parents: list[str]) -> int:
    """Heal after ``batch``: what the task worker does."""
    return heal(UUID(batch), parents)


def heal(batch: UUID, parents: Sequence[str] | None = None) -> int:
    """Replay the orphans that wait for ``parents`` (``table/key``; None: for any); return the number that was closed.

    What is stored thereby is a parent too: those who wait for it are replayed next, caused by the replay's own batch.
    """
    replays = _Replays(
        _ORPHANS, caused_by=Batch.objects.get(pk=batch), parents=None if parents is None else list(parents)
    )
    return replays.run() + replays.healed


@without_timeouts()
def sweep(*, table: str | None = None, code: str | None = None) -> tuple[int, int]:
    """Replay orphans that a race left behind; with ``code``, all open rejects that have it.

    Returns how many were tried, and how many of them were closed.
    """
    replays = _Replays(_BY_CODE if code else _ORPHANS, table=table, code=code)
    closed = replays.run()
    return len(replays.tried), closed


class _Replays:
    """Batches of replays of what a query finds, until it finds nothing that was not tried."""

    def __init__(self, query: str, *, caused_by: Batch | None = None, **facts: Any) -> None:
        self.tried: set[int] = set()
        self.healed = 0  # rejects closed in their turn: they waited for what these replays stored
        self._query, self._caused_by = query, caused_by
        self._facts = {"parents": None, "table": None, "code": None, "limit": BATCH_RECORDS, **facts}

    def run(self) -> int:
        """Return the number of rejects, of those tried, that were closed."""
        closed = 0
        while len(self.tried) < MAX_RECORDS:
            numbers, posted = in_transaction(self._replay)
            if not numbers:
                return closed
            self.tried |= numbers
            for unit in posted:
                closed += sum(fate.closed for fate in unit.fates)
                if unit.awaited:
                    children = _Replays(_ORPHANS, caused_by=unit.batch, parents=list(unit.awaited))
                    self.healed += children.run() + children.healed
        log.warning("%s rejects were replayed at once; manage.py replay_rejects goes on with others", len(self.tried))
        return closed

    def _replay(self, cursor: CursorWrapper) -> tuple[set[int], list[UnitResult]]:
        """Replay the next rejects, each with its group; return the numbers of those tried, and the units."""
        query = sql.SQL(self._query).format(stored=_stored(cursor)) if self._query == _ORPHANS else self._query
        cursor.execute(query, {**self._facts, "tried": list(self.tried)})
        numbers = {number for (number,) in cursor.fetchall()}
        rejects = with_groups(numbers)
        origin = Origin(kind=Batch.Origin.REPLAY, caused_by=self._caused_by)
        replays = [replay for part in rounds(rejects) for replay in _as_asked(part)]
        posted = [run(cursor, replay, unit_of(replay), origin) for replay in replays]
        return numbers | {reject.pk for reject in rejects}, posted


def _as_asked(rejects: Sequence[RejectedRecord]) -> list[Replay]:
    """Part rejects by what their batches asked for: where a batch was to update, the last record of a key counts."""
    batches = {reject.last_batch_id for reject in rejects}
    updates = set(Batch.objects.filter(pk__in=batches, options__on_conflict="update").values_list("pk", flat=True))
    parts: dict[OnConflict, list[RejectedRecord]] = {"reject": [], "update": []}
    for reject in rejects:
        parts["update" if reject.last_batch_id in updates else "reject"].append(reject)
    parts["update"].sort(key=lambda reject: (reject.last_seen_at, reject.pk))
    return [
        Replay(rejects=tuple(part), corrections={}, on_conflict=on_conflict)
        for on_conflict, part in parts.items()
        if part
    ]


def _stored(cursor: CursorWrapper) -> sql.Composable:
    """Compose the condition that the parent ``w.parent`` (``table/key``) is stored."""
    referred = {reference.table for source in sources() for reference in source.contract.references}
    if not referred:  # records that refer to nothing wait for nothing
        return sql.SQL("false")
    return sql.SQL("case split_part(w.parent, '/', 1) {} else false end").format(
        sql.SQL(" ").join(_stored_in(cursor, table) for table in sorted(referred))
    )


def _stored_in(cursor: CursorWrapper, table: str) -> sql.Composed:
    contract = next(source.contract for source in sources() if source.table == table)
    key = contract.natural_key[0]
    return sql.SQL(_IS_STORED_IN).format(
        table=sql.Literal(table),
        db_table=sql.Identifier(contract.db_table),
        key=sql.Identifier(key),
        type=sql.SQL(column_type(cursor, contract, key)),
    )
