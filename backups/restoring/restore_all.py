"""``restore_all``: all tables of one run, in one transaction."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from backups.catalogue.choose import Candidate, choose_run
from backups.catalogue.liveness import close_abandoned
from backups.foreign_keys import Orphans
from backups.models import Restore
from backups.restoring.opening import open_candidate
from backups.restoring.recorded import recorded
from backups.restoring.report import RestoreReport
from backups.restoring.restore import restored
from backups.restoring.transaction import Manner
from backups.tables import known_models
from core.errors import BackupRefused
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.explain_errors import explained


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """Which run is to come back, and how.

    It is the one whose number begins with ``run``, or the newest of all tables of --all (not after ``at``). ``mode`` as
    of ``restore.RestoreOrder``, by what differs in all tables together.
    """

    run: str | None = None
    at: datetime | None = None
    mode: str | None = None
    dry_run: bool = False


@without_timeouts()
def restore_all(order: RunOrder, *, safety_backup: bool = True, fallback: bool = False) -> RestoreReport:
    """Bring all tables of a run back, parents first, verified by fingerprint before they are committed, all or none.

    Every table has a row among the restores, which all end alike. Raises as ``restore.restore`` does.
    """
    with ExitStack() as stack:
        stack.enter_context(explained("the restore"))
        close_abandoned()
        wanted, *others = choose_run(run=order.run, at=order.at)
        rows = _planned(order, wanted)
        candidates = [wanted, *(other for other in others if other.places.keys() == rows.keys())]
        locks = stack.enter_context(recorded(list(rows.values())))
        stack.enter_context(explained("the restore"))  # within, for what the rows say
        chosen = open_candidate(stack, candidates, fallback=fallback)
        for table, row in rows.items():
            opened = chosen.files[table]
            row.path, row.backup, row.run = opened.file.path, opened.known, opened.file.manifest.run
        manner = Manner(
            mode=order.mode or "",
            dry_run=order.dry_run,
            safety_backup=safety_backup,
            leading=tuple(rows),
            compared=bool(chosen.instead),
        )
        report = restored(chosen.files, manner, rows, locks, instead=chosen.instead)
        report = replace(report, run=str(next(iter(rows.values())).run))
        for table, row in rows.items():
            row.report = _report_of(report, table, row, rows).as_json()
    return report


def _planned(order: RunOrder, candidate: Candidate) -> dict[str, Restore]:
    """Enter a restore for each table of a run; BackupRefused names those that no model has any more."""
    if unknown := sorted(candidate.places.keys() - known_models().keys()):
        raise BackupRefused(
            what=f"run {candidate.run}",
            problem=f"no model has the tables {', '.join(unknown)}",
            remedy="Use the release of the program that backed them up, or restore the others one by one.",
        )
    rows = [
        Restore(table=table, path=places[0], mode=order.mode or "", dry_run=order.dry_run, run=candidate.run)
        for table, places in candidate.places.items()
    ]
    return {row.table: row for row in Restore.objects.bulk_create(rows)}


def _report_of(report: RestoreReport, table: str, row: Restore, rows: dict[str, Restore]) -> RestoreReport:
    """Return what of ``report`` is of one table: orphans are told with their own, or with the parent that they lack."""

    def is_of(orphans: Orphans) -> bool:
        return table == (orphans.table if orphans.table in rows else orphans.parent)

    return replace(
        report,
        id=str(row.id),
        tables=tuple(one for one in report.tables if one.table == table),
        orphans=tuple(filter(is_of, report.orphans)),
    )
