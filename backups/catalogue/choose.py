"""Which backup a restore means, and which files belong to it."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from backups.files.layout import described_by, manifest_name, sibling_name
from backups.files.manifest import parse_beside
from backups.files.parquet import BackupFile
from backups.files.store import Store, split
from backups.models import Backup, Status
from core.errors import BackupDamaged, BackupRefused, DataForgeError


def good_backups() -> QuerySet[Backup]:
    """Return the verified backups. What restores kept is none of them: it holds what somebody wanted to be rid of."""
    return Backup.objects.filter(status=Status.DONE, verified_at__isnull=False).exclude(origin=Backup.Origin.SAFETY)


def choose(table: str, *, path: str | None, at: datetime | None) -> str:
    """Return the path of the backup: that of ``path``, else the newest verified one of ``table`` (not after ``at``).

    What a restore kept for safety is only taken by its path.
    """
    if path is not None:
        store, name = split(path)
        return store.path(name)
    kept = good_backups().filter(table=table)
    if at is not None:
        kept = kept.filter(snapshot_at__lte=at)
    newest = kept.order_by("-snapshot_at").first()
    if newest is None:
        raise none_known(table, f" from before {at}" if at else "")
    return newest.path


def none_known(table: str, limit: str = "") -> BackupRefused:
    """Say that there is no good backup of a table."""
    return BackupRefused(
        what=table,
        problem=f"the catalogue has no verified backup of it{limit}",
        remedy="`manage.py list_backups` shows what there is; --scan finds files that the catalogue does not know.",
    )


def entry(file: BackupFile) -> Backup | None:
    """Find the file in the catalogue; BackupDamaged where the catalogue knows another file under its name."""
    known = Backup.objects.filter(path=file.path, status=Status.DONE).first()
    if known is not None and known.sha256 != file.beside.sha256:
        raise BackupDamaged(path=file.path, problem="the catalogue knows a file of another SHA-256 under this name")
    return known


def sibling(file: BackupFile, table: str) -> str | None:
    """Find the backup of another table of the same snapshot, in the catalogue or where ``file`` lies."""
    run = file.manifest.run
    known = Backup.objects.filter(run=run, table=table, status=Status.DONE).first()
    return known.path if known else _lying_beside(file, table, run)


def _lying_beside(file: BackupFile, table: str, run: UUID) -> str | None:
    for store, name in _perhaps_beside(file.path, table):
        path = store.path(name)
        try:
            manifest = parse_beside(store.read(manifest_name(name)), path=path).manifest
        except DataForgeError:
            continue
        if manifest.run == run and manifest.table == table:
            return path
    return None


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
