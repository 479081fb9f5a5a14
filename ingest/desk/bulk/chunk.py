"""Dealing with some rejects in one transaction: by a recipe or as they are, really or as a dry run."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper

from ingest.desk.actions import rights
from ingest.desk.actions.log import note
from ingest.desk.actions.replay import ATOMIC, NOT_YOURS, dismiss
from ingest.desk.bulk.recipe import Recipe, Record
from ingest.desk.bulk.summary import JobSummary
from ingest.models import Batch, RejectedRecord
from ingest.posting.outcome import UnitResult
from ingest.posting.post import post
from ingest.replaying.as_sent import as_kept
from ingest.replaying.heal import schedule
from ingest.replaying.replay import Replay, rounds, run, unit_of, with_groups

CLOSED = "closed already"
type Group = tuple[Any, ...]


def replay_some(
    cursor: CursorWrapper, numbers: Collection[int], *, recipe: Recipe | None, user: User, job: int, dry_run: bool
) -> JobSummary:
    """Replay those of ``numbers`` that are open, each with its group, as the recipe makes them (None: as they are).

    Those that the recipe does not change are left alone. In a dry run nothing is written or locked.
    """
    summary, mine = JobSummary(), set(numbers)
    rejects = with_groups(numbers, lock=not dry_run)
    summary.left[CLOSED] = len(mine) - sum(reject.pk in mine for reject in rejects)
    corrections, left = _corrections([reject for reject in rejects if reject.pk in mine], recipe)
    ready = _without(rejects, _hindered(rejects, user) | left, summary.left, mine)
    for part in rounds(ready):
        given = Replay(rejects=part, corrections={r.pk: corrections[r.pk] for r in part if r.pk in corrections})
        if dry_run:
            unit = replace(unit_of(given), dry_run=True)
            posted = post(cursor, unit, origin=Batch.Origin.REPLAY, user=user, options={})
        else:
            posted = run(cursor, given, unit_of(given), user=user, options={"from": "admin", "job": job})
            schedule(posted)
            _log(posted, given, user)
        _count(posted, part, mine, summary)
    summary.left = +summary.left
    return summary


def dismiss_some(numbers: Sequence[int], *, why: str, user: User) -> JobSummary:
    """Close those that are open."""
    closed = dismiss(numbers, tables=rights.tables_of(user), why=why, user=user)
    return JobSummary(passed=closed, left=+Counter({CLOSED: len(numbers) - closed}))


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
    may_change = {table: rights.may_rows(user, table, "change") for table in {reject.table for reject in rejects}}
    batches = {reject.last_batch_id for reject in rejects}
    atomic = set(Batch.objects.filter(pk__in=batches, options__mode="atomic").values_list("pk", flat=True))
    found: dict[Group, str] = {_group(reject): ATOMIC for reject in rejects if reject.last_batch_id in atomic}
    return found | {_group(reject): NOT_YOURS for reject in rejects if not may_change[reject.table]}


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


def _log(posted: UnitResult, given: Replay, user: User) -> None:
    batch = posted.batch.pk if posted.batch else "-"
    said: dict[str, list[RejectedRecord]] = defaultdict(list)
    for fate in posted.fates:
        reject = given.rejects[fate.index]
        what = "Repaired by a recipe, and replayed" if reject.pk in given.corrections else "Replayed"
        said[f"{what}: {fate.outcome} (batch {batch})."].append(reject)
    for message, rejects in said.items():
        note(user, rejects, message)
