"""Dealing with some rejects in one transaction: by a recipe or as they are, really or as a dry run."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.db.backends.utils import CursorWrapper

from core.errors import TableBusy
from core.postgres.retry import others_in_the_way
from ingest.desk.actions.log import note
from ingest.desk.actions.replay import dismiss
from ingest.desk.bulk.recipe import Recipe, Record
from ingest.desk.bulk.summary import JobSummary
from ingest.models import Batch, RejectedRecord
from ingest.posting.outcome import UnitResult
from ingest.posting.post import post
from ingest.posting.unit import Origin
from ingest.replaying.as_sent import as_kept
from ingest.replaying.heal import schedule
from ingest.replaying.replay import Replay, rounds, run, unit_of, with_groups
from ingest.rights import may_rows, viewable_tables
from ingest.rules.sources import sources

CLOSED = "closed already ({status})"
PRUNED = "closed already, and pruned since"
UNSEEN = "of a table that you may not see"
NOT_YOURS = "of a table that you may not change"
HIDDEN = "of a table, or of a group with a record of one, that you may not view"
BUSY = "at work elsewhere at this moment; try again"
ATOMIC = "of an atomic batch, which must be posted again whole"
type Group = tuple[Any, ...]


def replay_some(
    cursor: CursorWrapper,
    numbers: Collection[int],
    *,
    recipe: Recipe | None,
    user: User,
    job: int,
    dry_run: bool,
    leave_busy: bool = False,
) -> JobSummary:
    """Replay those of ``numbers`` that are open, each with its group, as the recipe makes them (None: as they are).

    Those that the recipe does not change are left alone. In a dry run nothing is written or locked. Where others are at
    work on some of them, ``leave_busy`` leaves these alone; else TableBusy and Django's OperationalError pass through.
    """
    summary, mine = JobSummary(), set(numbers)
    if leave_busy:
        mine -= _held_by_others(mine)
        summary.left[BUSY] = len(numbers) - len(mine)
    rejects = with_groups(mine, lock=not dry_run)
    summary.left += _closed(mine - {reject.pk for reject in rejects})
    corrections, left = _corrections([reject for reject in rejects if reject.pk in mine], recipe)
    ready = _without(rejects, _hindered(rejects, user) | left, summary.left, mine)
    for part in rounds(ready):
        whole = Replay(rejects=part, corrections={r.pk: corrections[r.pk] for r in part if r.pk in corrections})
        results = _tried(cursor, whole, user) if dry_run else _replayed(cursor, whole, user, job, leave_busy=leave_busy)
        for tried, posted in results:
            if posted is None:
                summary.left[BUSY] += sum(reject.pk in mine for reject in tried.rejects)
                continue
            if not dry_run:
                schedule(posted)
                _log(posted, tried, user)
            _count(posted, tried.rejects, mine, summary)
    summary.left = +summary.left
    return summary


def _tried(cursor: CursorWrapper, replay: Replay, user: User) -> Iterator[tuple[Replay, UnitResult]]:
    unit = replace(unit_of(replay), dry_run=True)
    yield replay, post(cursor, unit, Origin(kind=Batch.Origin.REPLAY, user=user))


def _replayed(
    cursor: CursorWrapper, replay: Replay, user: User, job: int, *, leave_busy: bool
) -> Iterator[tuple[Replay, UnitResult | None]]:
    """Replay all, or, where others are in the way of some, in parts: None for those that they are in the way of."""
    origin = Origin(kind=Batch.Origin.REPLAY, user=user, options={"from": "admin", "job": job})
    try:
        with transaction.atomic():
            posted = run(cursor, replay, unit_of(replay), origin)
    except (TableBusy, OperationalError) as error:
        if not leave_busy or (isinstance(error, OperationalError) and not others_in_the_way(error)):
            raise
        parts = _by_tables(replay.rejects)
        if len(parts) == 1:
            yield replay, None
            return
        for part in parts:
            yield from _replayed(cursor, replace(replay, rejects=part), user, job, leave_busy=leave_busy)
    else:
        yield replay, posted


def _by_tables(rejects: Sequence[RejectedRecord]) -> list[tuple[RejectedRecord, ...]]:
    """Part rejects by the tables that their groups are of, parents first: who holds one table holds up no other."""
    ranks = {source.table: rank for rank, source in enumerate(sources())}
    tables: dict[Group, set[int]] = defaultdict(set)
    for reject in rejects:
        tables[_group(reject)].add(ranks[reject.table])
    parts: dict[tuple[int, ...], list[RejectedRecord]] = defaultdict(list)
    for reject in rejects:
        parts[tuple(sorted(tables[_group(reject)]))].append(reject)
    return [tuple(parts[key]) for key in sorted(parts)]


def _held_by_others(numbers: Collection[int]) -> set[int]:
    """Return those of ``numbers`` of whose group somebody else holds a record; lock the others and their groups."""
    rejects = with_groups(numbers, lock=False)
    rows = RejectedRecord.objects.filter(pk__in=[reject.pk for reject in rejects]).order_by("pk")
    free = set(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
    held = {_group(reject) for reject in rejects if reject.pk not in free}
    return {reject.pk for reject in rejects if _group(reject) in held} & set(numbers)


def _closed(numbers: Collection[int]) -> Counter[str]:
    """Count rejects that are not open any more, by how they were closed."""
    statuses = RejectedRecord.objects.filter(pk__in=numbers).values_list("status", flat=True)
    left = Counter(CLOSED.format(status=RejectedRecord.Status(status).label) for status in statuses)
    return left + Counter({PRUNED: len(numbers) - left.total()})


def dismiss_some(numbers: Sequence[int], *, why: str, user: User) -> JobSummary:
    """Close those that are open."""
    tables = viewable_tables(user)
    dismissed = dismiss(numbers, tables=tables, why=why, user=user)
    others = set(numbers) - set(dismissed)
    unseen = RejectedRecord.objects.filter(pk__in=others).exclude(table__in=tables).values_list("pk", flat=True)
    left = Counter({UNSEEN: len(unseen)}) + _closed(others - set(unseen))
    return JobSummary(passed=len(dismissed), left=left)


def _corrections(
    rejects: Sequence[RejectedRecord], recipe: Recipe | None
) -> tuple[dict[int, Record], dict[Group, str]]:
    """Return the corrected records by number; and why a group is left alone, where none of it is changed."""
    if recipe is None:
        return {}, {}
    values = [sent.value for sent in as_kept(rejects)]
    made = list(zip(rejects, recipe.corrected(values), strict=True))
    corrections = {reject.pk: record for reject, record in made if not isinstance(record, str)}
    changed = {_group(reject) for reject in rejects if reject.pk in corrections}
    left = {_group(reject): why for reject, why in made if isinstance(why, str) and _group(reject) not in changed}
    return corrections, left


def _hindered(rejects: Sequence[RejectedRecord], user: User) -> dict[Group, str]:
    """Say which groups cannot be replayed by ``user``, and why."""
    changed = {table for table in {reject.table for reject in rejects} if may_rows(user, table, "change")}
    seen = viewable_tables(user)
    batches = {reject.last_batch_id for reject in rejects}
    atomic = set(Batch.objects.filter(pk__in=batches, options__mode="atomic").values_list("pk", flat=True))
    hindered: dict[Group, str] = {_group(reject): ATOMIC for reject in rejects if reject.last_batch_id in atomic}
    hindered |= {_group(reject): NOT_YOURS for reject in rejects if reject.table not in changed}
    return hindered | {_group(reject): HIDDEN for reject in rejects if reject.table not in seen}


def _without(
    rejects: Sequence[RejectedRecord], hindered: Mapping[Group, str], left: Counter[str], mine: set[int]
) -> list[RejectedRecord]:
    left.update(hindered[_group(reject)] for reject in rejects if reject.pk in mine and _group(reject) in hindered)
    return [reject for reject in rejects if _group(reject) not in hindered]


def _group(reject: RejectedRecord) -> Group:
    return (reject.last_batch_id, reject.group) if reject.group else (reject.pk,)


def _count(posted: UnitResult, rejects: Sequence[RejectedRecord], mine: set[int], summary: JobSummary) -> None:
    if posted.batch:
        summary.batches.append(posted.batch.pk)
    for fate in posted.fates:
        number = rejects[fate.index].pk
        if number not in mine:
            continue
        if fate.outcome == "rejected":
            summary.fail(number, fate.reasons)
        else:
            summary.passed += 1


def _log(posted: UnitResult, replay: Replay, user: User) -> None:
    batch = posted.batch.pk if posted.batch else "-"
    said: dict[str, list[RejectedRecord]] = defaultdict(list)
    for fate in posted.fates:
        reject = replay.rejects[fate.index]
        what = "Repaired by a recipe, and replayed" if reject.pk in replay.corrections else "Replayed"
        said[f"{what}: {fate.outcome} (batch {batch})."].append(reject)
    for message, rejects in said.items():
        note(user, rejects, message)
