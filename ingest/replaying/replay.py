"""Replay: a reject again, as it came or as it was corrected, under the rules of today, as a batch of its own."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.db.models import F, Q
from django.utils import timezone

from ingest.models import Batch, RejectedRecord
from ingest.posting.outcome import UnitResult
from ingest.posting.post import post
from ingest.posting.unit import Origin, TableRecords, Unit
from ingest.readers.json.records import SentRecord, is_storable, records_from_json, storable
from ingest.replaying.as_sent import as_kept
from ingest.rules.on_conflict import OnConflict
from ingest.rules.sources import sources

# Keeps beside each reject what a person made of it last.
_KEEP_CORRECTIONS = """
update ingest_rejectedrecord r set correction = c.record::jsonb
from unnest(%s::bigint[], %s::text[]) c (id, record) where r.id = c.id
"""
# Copies what was kept there into the history of corrections, with who made it and when.
_REMEMBER_CORRECTIONS = """
insert into ingest_correction (reject_id, batch_id, user_id, record, made_at)
select id, %s, %s, correction, %s from ingest_rejectedrecord where id = any(%s) order by id
"""


# Says of rejects that were closed because a later one was replayed with them which one that is, and by whom.
_NAME_WINNERS = """
update ingest_rejectedrecord r set closed_by_id = %s, closed_why = w.why
from unnest(%s::bigint[], %s::text[]) w (id, why) where r.id = w.id and r.status = 'superseded'
"""
_WINNER = "The reject {winner} has this key too, came later, and was replayed with this one: it counts instead."


class NotReplayable(Exception):
    """This reject cannot be replayed; ``str()`` says why, and what to do instead."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What is to be replayed: open rejects by their index in the unit, and corrections by the number of a reject."""

    rejects: tuple[RejectedRecord, ...]
    corrections: Mapping[int, Any]  # scanned JSON values
    on_conflict: OnConflict = "reject"


def find_group(number: int) -> tuple[RejectedRecord, ...]:
    """Lock a reject, and those of its group; raises NotReplayable for a closed one, DoesNotExist for none.

    Must run in the transaction of the replay: of two people at once, the second finds it closed.
    """
    first = RejectedRecord.objects.get(pk=number)
    locked = with_groups([number])
    wanted = next((reject for reject in locked if reject.pk == number), None)
    if wanted is None:
        first.refresh_from_db(fields=["status"])
        raise NotReplayable(f"The reject {number} is closed already: {first.status}.")
    if wanted.last_batch.options.get("mode") == "atomic":
        raise NotReplayable(f"The reject {number} is of an atomic batch: correct that batch, and post it again whole.")
    return locked


def with_groups(numbers: Collection[int], *, lock: bool = True) -> tuple[RejectedRecord, ...]:
    """Lock rejects and those of their groups, in the order of their numbers; return those that are open then.

    Without ``lock`` they are only read, for a dry run.
    """
    chosen = RejectedRecord.objects.filter(pk__in=numbers)
    groups = set(chosen.exclude(group="").values_list("last_batch", "group").distinct())
    wanted = Q(pk__in=numbers)
    for batch, group in groups:
        wanted |= Q(last_batch=batch, group=group)
    rows = RejectedRecord.objects.filter(wanted).order_by("pk")
    locked = rows.select_for_update() if lock else rows
    open_ones = tuple(reject for reject in locked if reject.status == RejectedRecord.Status.OPEN)
    if not lock or {(reject.last_batch_id, reject.group) for reject in open_ones if reject.group} <= groups:
        return open_ones
    return with_groups(numbers)  # while we waited for them, some came again, or were replayed in vain


def rounds(rejects: Sequence[RejectedRecord]) -> list[tuple[RejectedRecord, ...]]:
    """Part rejects (with their whole groups) so that groups of one name, but of different batches, never meet.

    In one unit they would stand or fall together, and be one group for ever after.
    """
    batches: dict[str, dict[Any, int]] = defaultdict(dict)  # by name of a group: its batches, and the round of each
    parts: dict[int, list[RejectedRecord]] = defaultdict(list)
    for reject in rejects:
        named = batches[reject.group] if reject.group else {}
        parts[named.setdefault(reject.last_batch_id, len(named))].append(reject)
    return [tuple(parts[number]) for number in sorted(parts)]


def unit_of(replay: Replay) -> Unit:
    """Make the unit of a replay; the index of a record is that of its reject."""
    by_table: dict[str, list[SentRecord]] = defaultdict(list)
    for reject, sent in zip(replay.rejects, _sent(replay), strict=True):
        by_table[reject.table].append(sent)
    return Unit(
        tables=tuple(
            TableRecords(source=source, records=records_from_json(by_table[source.table], source.contract))
            for source in sources()
            if source.table in by_table
        ),
        refs={index: reject.ref for index, reject in enumerate(replay.rejects) if reject.ref},
        groups={index: reject.group for index, reject in enumerate(replay.rejects) if reject.group},
        on_conflict=replay.on_conflict,
    )


def run(cursor: CursorWrapper, replay: Replay, unit: Unit, origin: Origin) -> UnitResult:
    """Replay; an accepted reject is closed, one that fails again has new reasons. Raises what ``post`` raises."""
    numbers = {index: reject.pk for index, reject in enumerate(replay.rejects)}
    posted = post(cursor, unit, origin, replays=numbers)
    user = origin.user
    # What cannot be kept to the letter is not kept: the next replay would judge, and store, what nobody sent.
    kept = {number: record for number, record in replay.corrections.items() if is_storable(record)}
    _keep_corrections(cursor, kept)
    _remember_corrections(cursor, list(kept), posted.batch, user)
    _close([numbers[fate.index] for fate in posted.fates if fate.outcome != "rejected"], posted.batch, user)
    _name_winners(cursor, posted, numbers, user)
    return posted


def _sent(replay: Replay) -> list[SentRecord]:
    """Return each record as it is to be judged: its new correction, or its last one, or as it came."""
    kept = iter(as_kept([reject for reject in replay.rejects if reject.pk not in replay.corrections]))
    records = [
        SentRecord(index, replay.corrections[reject.pk], b"")  # not the bytes that came, which may be no UTF-8
        if reject.pk in replay.corrections
        else next(kept)
        for index, reject in enumerate(replay.rejects)
    ]
    for index, sent in enumerate(records):
        sent.index = index
    return records


def _keep_corrections(cursor: CursorWrapper, corrections: Mapping[int, Any]) -> None:
    """Keep beside each reject what a person made of it."""
    if corrections:
        cursor.execute(
            _KEEP_CORRECTIONS,
            [list(corrections), [json.dumps(storable(record)) for record in corrections.values()]],
        )


def _remember_corrections(
    cursor: CursorWrapper, numbers: Sequence[int], batch: Batch | None, user: User | None
) -> None:
    """Keep every correction ever made, with who and when."""
    if numbers and batch:
        cursor.execute(
            _REMEMBER_CORRECTIONS,
            [batch.pk, user.pk if user else None, timezone.now(), list(numbers)],
        )


def _close(numbers: Sequence[int], batch: Batch | None, user: User | None) -> None:
    open_ones = RejectedRecord.objects.filter(pk__in=numbers, status=RejectedRecord.Status.OPEN)
    open_ones.update(
        status=RejectedRecord.Status.REPLAYED,
        closed_at=timezone.now(),
        closed_by=user,
        last_batch=batch,
        attempts=F("attempts") + 1,
    )


def _name_winners(cursor: CursorWrapper, posted: UnitResult, numbers: Mapping[int, int], user: User | None) -> None:
    """Name the reject that counts in place of each one that was superseded in the replay."""
    winners = {numbers[index]: numbers[winner] for verdict in posted.judged for index, winner in verdict.superseded}
    if winners:
        whys = [_WINNER.format(winner=winner) for winner in winners.values()]
        cursor.execute(_NAME_WINNERS, [user.pk if user else None, list(winners), whys])
