"""Replay of one and dismissal by people: guarded in SQL, so that of two at once one wins and the other is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core.postgres.retry import in_transaction
from ingest.desk.actions.log import note
from ingest.models import Batch, RejectedRecord
from ingest.posting.outcome import RecordOutcome, UnitResult
from ingest.posting.unit import Origin
from ingest.replaying.heal import schedule
from ingest.replaying.replay import NotReplayable, Replay, find_group, run, unit_of
from ingest.rules.on_conflict import OnConflict

MAX_NOTE = 500  # characters
OPTIONS = {"from": "admin"}
type MayReplay = Callable[[str], bool]  # whether a person may replay records of a table, by its name


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


def replay_one(
    number: int,
    *,
    user: User,
    may_replay: MayReplay,
    correction: Mapping[str, str] | None = None,
    tries: int | None = None,
    on_conflict: OnConflict = "reject",
    changed: Sequence[str] = (),
) -> ReplayResult:
    """Replay a reject with its group, corrected or as it was; ``tries``: its attempts as the person saw them.

    NotReplayable says why not; PermissionDenied where the user may not view and change all of the tables. TableBusy
    and Django's OperationalError where a lock is not free.
    """

    def work(cursor: CursorWrapper) -> ReplayResult:
        rejects = find_group(number)
        _require(rejects, may_replay)
        index = next(i for i, reject in enumerate(rejects) if reject.pk == number)
        if tries is not None and rejects[index].attempts != tries:
            raise TriedMeanwhile
        corrections = {} if correction is None else {number: dict(correction)}
        posted = _run(cursor, Replay(rejects=rejects, corrections=corrections, on_conflict=on_conflict), user)
        what = f"Repaired {', '.join(changed)}, and replayed" if changed else "Replayed"
        _log(user, rejects, posted, what)
        return ReplayResult(posted=posted, fate=posted.fates[index], others=len(rejects) - 1)

    return in_transaction(work)


def dismiss(numbers: Sequence[int], *, tables: Sequence[str], why: str, user: User) -> list[int]:
    """Close open rejects of ``tables`` without replaying them; return the numbers of those that were open."""

    def work(_cursor: CursorWrapper) -> list[int]:
        mine = RejectedRecord.objects.filter(pk__in=numbers, table__in=tables, status=RejectedRecord.Status.OPEN)
        locked = list(mine.order_by("pk").select_for_update())
        closed = [reject.pk for reject in locked]
        RejectedRecord.objects.filter(pk__in=closed).update(
            status=RejectedRecord.Status.DISMISSED, closed_at=timezone.now(), closed_by=user, closed_why=why
        )
        note(user, locked, f"Dismissed: {why}")
        return closed

    return in_transaction(work)


def _run(cursor: CursorWrapper, replay: Replay, user: User) -> UnitResult:
    origin = Origin(kind=Batch.Origin.REPLAY, user=user, options=OPTIONS)
    posted = run(cursor, replay, unit_of(replay), origin)
    schedule(posted)
    return posted


def _require(rejects: Sequence[RejectedRecord], may_replay: MayReplay) -> None:
    for table in {reject.table for reject in rejects}:
        if not may_replay(table):
            raise PermissionDenied("A record of this replay is of a table that you may not view, or not change.")


def _log(user: User, rejects: Sequence[RejectedRecord], posted: UnitResult, what: str) -> None:
    for outcome in {fate.outcome for fate in posted.fates}:
        these = [rejects[fate.index] for fate in posted.fates if fate.outcome == outcome]
        note(user, these, f"{what}: {outcome} (batch {posted.batch.pk if posted.batch else '-'}).")
