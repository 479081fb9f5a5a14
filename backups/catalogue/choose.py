"""Which backup a restore means, and which files belong to it."""

from datetime import datetime
from uuid import UUID

from backups.files.manifest import SUFFIX, parse_beside
from backups.files.parquet import BackupFile
from backups.files.store import Store, split
from backups.models import Backup, Status
from core.errors import BackupDamaged, BackupRefused, DataForgeError


def choose(table: str, *, path: str | None, at: datetime | None) -> str:
    """Return the path of the backup: that of ``path``, else the newest verified one of ``table`` (not after ``at``).

    What a restore kept for safety is only taken by its path: it holds what somebody wanted to be rid of.
    """
    if path is not None:
        store, name = split(path)
        return store.path(name)
    kept = Backup.objects.filter(table=table, status=Status.DONE, verified_at__isnull=False)
    kept = kept.exclude(origin=Backup.Origin.SAFETY)
    if at is not None:
        kept = kept.filter(snapshot_at__lte=at)
    newest = kept.order_by("-snapshot_at").first()
    if newest is None:
        raise BackupRefused(
            what=table,
            problem=f"the catalogue has no verified backup of it{f' from before {at}' if at else ''}",
            remedy="`manage.py list_backups` shows what there is; --scan finds files that the catalogue does not know.",
        )
    return newest.path


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
    folder = file.path.rpartition("/")[0]
    for place in (folder, folder.rpartition("/")[0]):
        store = Store(place)
        for name in store.names():
            if name.endswith(SUFFIX) and name.rpartition("/")[2].startswith(f"{table}-"):
                path = store.path(name.removesuffix(SUFFIX))
                try:
                    manifest = parse_beside(store.read(name), path=path).manifest
                except DataForgeError:
                    continue
                if manifest.run == run and manifest.table == table:
                    return path
    return None
