"""The files of a restore, opened: those that were meant, or, where these are damaged, the next good ones on demand."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from backups.catalogue.choose import Candidate
from backups.catalogue.places import OpenedBackup, opened_at
from core.errors import BackupDamaged, BackupRefused, SourceUnreadable

type Opened = Mapping[str, OpenedBackup]


@dataclass(frozen=True, kw_only=True)
class OpenedCandidate:
    """Opened backups by table; ``instead``: what is to be said of them where they are not those that were meant."""

    files: Opened
    instead: str = ""


def open_candidate(stack: ExitStack, candidates: Sequence[Candidate], *, fallback: bool) -> OpenedCandidate:
    """Open the first of ``candidates`` until ``stack`` ends; with ``fallback`` the next one that is sound.

    Without it, a fault of the first is raised as it is where there is no other candidate, else BackupRefused names the
    next one that is sound.
    """
    wanted, *others = candidates
    try:
        return OpenedCandidate(files=_opened(stack, wanted))
    except (BackupDamaged, BackupRefused, SourceUnreadable) as fault:
        if not others:
            raise
        for other in others:
            with ExitStack() as trial:
                try:
                    files = _opened(trial, other)
                except (BackupDamaged, BackupRefused, SourceUnreadable):
                    continue
                if fallback:
                    stack.push(trial.pop_all())
                    return OpenedCandidate(files=files, instead=_instead(wanted, other, fault))
                raise _refused(wanted, fault, other) from fault
        raise _refused(wanted, fault, None) from fault


def _opened(stack: ExitStack, candidate: Candidate) -> Opened:
    if candidate.fault:
        raise BackupRefused(what=_name(candidate), problem=candidate.fault, remedy="Verify it again once it is mended.")
    with ExitStack() as trial:
        files = {table: trial.enter_context(opened_at(places)) for table, places in candidate.places.items()}
        stack.push(trial.pop_all())
    return files


def _refused(wanted: Candidate, fault: Exception, other: Candidate | None) -> BackupRefused:
    remedy = "No older one is sound either: `manage.py verify_backup --all` looks at every place."
    if other is not None:
        remedy = f"The next good one is {_named(other)}, {_older(wanted, other)}: --fallback takes it."
    return BackupRefused(what=_name(wanted), problem=f"it cannot be used ({fault})", remedy=remedy)


def _instead(wanted: Candidate, taken: Candidate, fault: Exception) -> str:
    counts = [(table, rows, wanted.rows[table]) for table, rows in taken.rows.items() if table in wanted.rows]
    held = ", ".join(f"{rows:,} rows of {table} where that had {newer:,}" for table, rows, newer in counts)
    return f"{_name(wanted)} cannot be used ({fault}). Taken instead: {_named(taken)}, {_older(wanted, taken)}: {held}"


def _name(candidate: Candidate) -> str:
    return f"the backup of {', '.join(candidate.places)} of {_moment(candidate)}"


def _named(candidate: Candidate) -> str:
    if len(candidate.places) == 1:
        ((first, *_),) = candidate.places.values()
        return f"{first} of {_moment(candidate)}"
    return f"run {candidate.run} of {_moment(candidate)}"


def _moment(candidate: Candidate) -> str:
    at = candidate.snapshot_at
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def _older(wanted: Candidate, other: Candidate) -> str:
    """Say how much older a backup is than the one that was meant, and how old."""
    assert wanted.snapshot_at is not None  # noqa: S101 - there are others only of what the catalogue has
    assert other.snapshot_at is not None  # noqa: S101
    age = timezone.now() - other.snapshot_at
    return f"{_span(age)} old and {_span(wanted.snapshot_at - other.snapshot_at)} older"


def _span(length: timedelta) -> str:
    """Write a length of time in the unit that people would."""
    seconds = round(length.total_seconds())
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
