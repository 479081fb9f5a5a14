"""Which backups a restore may take, the first the one that it means."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from backups.catalogue.places import in_order, is_doubted
from backups.files.layout import SAFETY, described_by, manifest_name, sibling_name
from backups.files.manifest import parse_beside
from backups.files.parquet import BackupFile
from backups.files.store import Store, split
from backups.models import Backup, Status
from backups.tables import all_tables
from core.errors import BackupRefused, DataForgeError

LIST = "`manage.py list_backups` shows what there is; --scan finds files that the catalogue does not know."


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Backups of one snapshot: by table, the paths of the places where each lies, in the order to try them.

    ``run`` and ``snapshot_at`` are None, and ``rows`` is empty, of a file that was named by its path. ``fault``: what
    the last look found wrong with it, so that no restore may take it; empty where nothing was.
    """

    places: Mapping[str, tuple[str, ...]]
    run: UUID | None = None
    snapshot_at: datetime | None = None
    rows: Mapping[str, int]
    fault: str = ""


def good_backups() -> QuerySet[Backup]:
    """Return the verified backups. What restores kept is none of them: it holds what somebody wanted to be rid of."""
    return _not_of_restores().filter(verified_at__isnull=False)


def none_known(table: str, limit: str = "") -> BackupRefused:
    """Say that there is no good backup of a table."""
    return BackupRefused(what=table, problem=f"the catalogue has no verified backup of it{limit}", remedy=LIST)


def choose(table: str, *, path: str | None, at: datetime | None) -> tuple[Candidate, ...]:
    """Return the backup at ``path``, else those of ``table`` that were verified (not after ``at``), the newest first.

    Those found damaged are among them, with their fault. What a restore kept for safety is only taken by its path.
    """
    if path is not None:
        store, name = split(path)
        return (Candidate(places={table: (store.path(name),)}, rows={}),)
    rows = _not_after(at).filter(table=table).order_by("-snapshot_at", "run", "sha256")
    groups = [list(group) for _, group in groupby(rows, key=lambda row: (row.run, row.sha256))]
    candidates = tuple(filter(None, map(_candidate, groups)))
    if all(candidate.fault for candidate in candidates):
        before = f" from before {timezone.localtime(at):%Y-%m-%d %H:%M:%S}" if at else ""
        raise none_known(table, before)
    return candidates


def choose_run(*, run: str | None, at: datetime | None) -> tuple[Candidate, ...]:
    """Return the run whose number begins with ``run``, else those of all tables of --all, likewise.

    Of a run that is named, whatever the catalogue has of it is meant, and nothing else comes into question.
    """
    if run is not None:
        return (_named_run(run),)
    rows = _not_after(at).order_by("-snapshot_at", "run", "table", "sha256")
    needed = set(all_tables())
    runs = [list(group) for _, group in groupby(rows, key=lambda row: row.run)]
    candidates = tuple(candidate for rows in runs if (candidate := _of_run(rows, needed)))
    if all(candidate.fault for candidate in candidates):
        missing = sorted(needed - {row.table for row in runs[0]}) if runs else []
        problem = "no run in the catalogue has a verified backup of all tables of --all"
        lacks = f" (the newest, {str(runs[0][0].run)[:8]}, has none of {', '.join(missing)})" if missing else ""
        raise BackupRefused(what="restore", problem=problem + lacks, remedy=f"Name one with --run. {LIST}")
    return candidates


def sibling(file: BackupFile, table: str) -> tuple[str, ...]:
    """Find the places of the backup of another table of the same snapshot, in the catalogue or where ``file`` lies."""
    run = file.manifest.run
    known = Backup.objects.filter(run=run, table=table, status=Status.DONE)
    return in_order(known) or _lying_beside(file, table, run)


def _not_after(at: datetime | None) -> QuerySet[Backup]:
    """Return the finished backups that a restore may choose by itself, with those found damaged."""
    kept = _not_of_restores()
    return kept if at is None else kept.filter(snapshot_at__lte=at)


def _not_of_restores() -> QuerySet[Backup]:
    safety = Backup.objects.filter(origin=Backup.Origin.SAFETY)
    kept = Backup.objects.filter(status=Status.DONE).exclude(run__in=safety.values("run"))  # with all copies of them
    return kept.exclude(path__contains=f"/{SAFETY}/")  # found by a scan when the catalogue was lost


def _candidate(places: Sequence[Backup]) -> Candidate | None:
    """Make one of the places of one backup; None where nobody looked at any of them yet."""
    first = places[0]
    verified = any(row.verified_at for row in places)
    fault = "" if verified else next((row.error for row in places if is_doubted(row)), "")
    if not (verified or fault):
        return None
    return Candidate(
        places={first.table: in_order(places)},
        run=first.run,
        snapshot_at=first.snapshot_at,
        rows={first.table: first.rows or 0},
        fault=fault,
    )


def _of_run(rows: Iterable[Backup], needed: Collection[str]) -> Candidate | None:
    """Make one of the backups of a run; None where it has not all that is needed, or nobody looked at one of them."""
    by_table: dict[str, list[Candidate]] = {}
    for (table, _), group in groupby(rows, key=lambda row: (row.table, row.sha256)):
        candidate = _candidate(list(group))
        if candidate is None:
            by_table.setdefault(table, [])
        else:
            by_table.setdefault(table, []).append(candidate)
    if not set(needed) <= by_table.keys() or not all(by_table.values()):
        return None
    best = [min(candidates, key=lambda one: bool(one.fault)) for candidates in by_table.values()]
    return Candidate(
        places={table: places for one in best for table, places in one.places.items()},
        run=best[0].run,
        snapshot_at=best[0].snapshot_at,
        rows={table: count for one in best for table, count in one.rows.items()},
        fault=next((one.fault for one in best if one.fault), ""),
    )


def _named_run(number: str) -> Candidate:
    rows = Backup.objects.filter(run__startswith=number.lower(), status=Status.DONE)
    found = list(rows.order_by("run", "table", "sha256"))
    runs = sorted({str(row.run) for row in found})
    if len(runs) != 1:
        problem = f"may mean {', '.join(runs[:5])}" if runs else "the catalogue has no such run"
        raise BackupRefused(what=f"run {number}", problem=problem, remedy=LIST)
    by_table = {table: in_order(places) for table, places in _grouped(found)}
    counts = {row.table: row.rows or 0 for row in found}
    gone = Backup.objects.filter(run=runs[0], status=Status.PRUNED).exclude(table__in=by_table)
    if lost := sorted(gone.values_list("table", flat=True)):
        remedy = "Choose a whole run, or restore the tables that are there one by one with --from."
        raise BackupRefused(what=f"run {number}", problem=f"its {', '.join(lost)} were pruned", remedy=remedy)
    return Candidate(places=by_table, run=found[0].run, snapshot_at=found[0].snapshot_at, rows=counts)


def _grouped(rows: Iterable[Backup]) -> Iterable[tuple[str, list[Backup]]]:
    return ((table, list(group)) for table, group in groupby(rows, key=lambda row: row.table))


def _lying_beside(file: BackupFile, table: str, run: UUID) -> tuple[str, ...]:
    for store, name in _perhaps_beside(file.path, table):
        path = store.path(name)
        try:
            manifest = parse_beside(store.read(manifest_name(name)), path=path).manifest
        except DataForgeError:
            continue
        if manifest.run == run and manifest.table == table:
            return (path,)
    return ()


def _perhaps_beside(path: str, table: str) -> Iterator[tuple[Store, str]]:
    """Yield where a backup of ``table`` of the same run may lie: one place, or, in format 1, all of that table."""
    store, name = split(path)
    if sibling := sibling_name(name, table):
        yield store, sibling
        return
    for place in (store, Store(store.url.rpartition("/")[0] or "/")):
        for name in filter(None, map(described_by, place.names())):
            if name.rpartition("/")[2].startswith(f"{table}-"):
                yield place, name
