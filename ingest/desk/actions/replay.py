"""Replay and dismissal by people: guarded in SQL, so that of two at once one wins and the other is told."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.utils import timezone

from core.errors import TableBusy
from core.postgres.retry import in_transaction, others_in_the_way
from ingest.desk.actions.log import note
from ingest.models import RejectedRecord
from ingest.posting.outcome import RecordOutcome, UnitResult
from ingest.replaying.heal import schedule
from ingest.replaying.replay import NotReplayable, Replay, find_group, run, unit_of
from ingest.rules.on_conflict import OnConflict

MAX_AT_ONCE = 1_000
MAX_NOTE = 500  # characters
OPTIONS = {"from": "admin"}
NOT_YOURS = "of a table that you may not change"
BUSY = "at work elsewhere at this moment; try again"
ATOMIC = "of an atomic batch, which must be posted again whole"
type MayChange = Callable[[str], bool]  # whether a person may change rows of a table, by its name


class TriedMeanwhile(NotReplayable):
    """Somebody else replayed the record since its form was opened."""

    def __init__(self) -> None:
        super().__init__("Somebody else replayed this record after you had opened it. Look at its reasons anew.")


@dataclass(frozen=True, kw_only=True)
class ReplayResult:
    """What became of a reject, and of the group that was replayed with it."""

    posted: UnitResult
    fate: RecordOutcome
    others: int  # records of its group


@dataclass(kw_only=True)
class Summary:
    """What became of many: how many were accepted and refused again, and why some could not be replayed."""

    accepted: int = 0
    refused: int = 0
    left: Counter[str] = field(default_factory=Counter)


def replay_one(
    number: int,
    *,
    user: User,
    may_change: MayChange,
    correction: Mapping[str, str] | None = None,
    tries: int | None = None,
    on_conflict: OnConflict = "reject",
    changed: Sequence[str] = (),
) -> ReplayResult:
    """Replay a reject with its group, corrected or as it was; ``tries``: its attempts as the person saw them.

    NotReplayable says why not; PermissionDenied where the user may not change one of the tables. TableBusy and Django's
    OperationalError where a lock is not free.
    """

    def work(cursor: CursorWrapper) -> ReplayResult:
        rejects = find_group(number)
        _require(rejects, may_change)
        index = next(i for i, reject in enumerate(rejects) if reject.pk == number)
        if tries is not None and rejects[index].attempts != tries:
            raise TriedMeanwhile
        corrections = {} if correction is None else {number: dict(correction)}
        posted = _run(cursor, Replay(rejects=rejects, corrections=corrections, on_conflict=on_conflict), user)
        what = f"Repaired {', '.join(changed)}, and replayed" if changed else "ReplayResult"
        _log(user, rejects, posted, what)
        return ReplayResult(posted=posted, fate=posted.fates[index], others=len(rejects) - 1)

    return in_transaction(work)


def replay_many(numbers: Sequence[int], *, user: User, may_change: MayChange) -> Summary:
    """Replay at most ``MAX_AT_ONCE`` rejects: those without a group as one batch, each group as one of its own."""
    summary = Summary()
    found = RejectedRecord.objects.filter(pk__in=numbers).order_by("pk")
    single = list(found.filter(group="").values_list("pk", flat=True))
    if single:
        in_transaction(lambda cursor: _replay_single(cursor, single, summary, user, may_change))
    for number in _one_of_each_group(found.exclude(group="")):
        try:
            done = replay_one(number, user=user, may_change=may_change)
        except NotReplayable as problem:
            summary.left[_without_number(problem, number)] += 1
        except PermissionDenied:
            summary.left[NOT_YOURS] += 1
        except (TableBusy, OperationalError) as problem:  # what came before this group is done
            if isinstance(problem, OperationalError) and not others_in_the_way(problem):
                raise
            summary.left[BUSY] += 1
        else:
            _count(summary, done.posted)
    return summary


def dismiss(numbers: Sequence[int], *, tables: Sequence[str], why: str, user: User) -> int:
    """Close open rejects of ``tables`` without replaying them; returns how many were open."""

    def work(cursor: CursorWrapper) -> int:
        del cursor
        mine = RejectedRecord.objects.filter(pk__in=numbers, table__in=tables, status=RejectedRecord.Status.OPEN)
        locked = list(mine.order_by("pk").select_for_update())
        RejectedRecord.objects.filter(pk__in=[reject.pk for reject in locked]).update(
            status=RejectedRecord.Status.DISMISSED, closed_at=timezone.now(), closed_by=user, closed_why=why
        )
        note(user, locked, f"Dismissed: {why}")
        return len(locked)

    return in_transaction(work)


def _replay_single(
    cursor: CursorWrapper, numbers: Sequence[int], summary: Summary, user: User, may_change: MayChange
) -> None:
    locked = list(
        RejectedRecord.objects.filter(pk__in=numbers)
        .select_related("last_batch")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    ready, left = [], Counter[str]()
    for reject in locked:
        problem = _problem(reject, may_change)
        if problem:
            left[problem] += 1
        else:
            ready.append(reject)
    summary.left = left  # anew at each attempt of the transaction
    summary.accepted = summary.refused = 0
    if ready:
        posted = _run(cursor, Replay(rejects=tuple(ready), corrections={}), user)
        _log(user, ready, posted, "ReplayResult")
        _count(summary, posted)


def _problem(reject: RejectedRecord, may_change: MayChange) -> str:
    if not may_change(reject.table):
        return NOT_YOURS
    if reject.status != RejectedRecord.Status.OPEN:
        return f"closed already ({reject.get_status_display()})"
    if reject.last_batch.options.get("mode") == "atomic":
        return ATOMIC
    return ""


def _one_of_each_group(groups: QuerySet[RejectedRecord]) -> list[int]:
    found: dict[tuple[Any, str], int] = {}
    for number, batch, group in groups.values_list("pk", "last_batch", "group"):
        found.setdefault((batch, group), number)
    return list(found.values())


def _without_number(problem: NotReplayable, number: int) -> str:
    return str(problem).replace(f"The reject {number} is ", "").rstrip(".")


def _run(cursor: CursorWrapper, replay: Replay, user: User) -> UnitResult:
    posted = run(cursor, replay, unit_of(replay), user=user, options=OPTIONS)
    schedule(posted)
    return posted


def _count(summary: Summary, posted: UnitResult) -> None:
    refused = sum(fate.outcome == "rejected" for fate in posted.fates)
    summary.refused += refused
    summary.accepted += len(posted.fates) - refused


def _require(rejects: Sequence[RejectedRecord], may_change: MayChange) -> None:
    for table in {reject.table for reject in rejects}:
        if not may_change(table):
            raise PermissionDenied(f"You may not change {table}, to which a record of this replay belongs.")


def _log(user: User, rejects: Sequence[RejectedRecord], posted: UnitResult, what: str) -> None:
    for outcome in {fate.outcome for fate in posted.fates}:
        these = [rejects[fate.index] for fate in posted.fates if fate.outcome == outcome]
        note(user, these, f"{what}: {outcome} (batch {posted.batch.pk if posted.batch else '-'}).")
