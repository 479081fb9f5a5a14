"""Where one backup lies: a copy that a scan found is a second place of it, and any place that is sound will do.

A backup is known by its run and table; places of it have the same SHA-256.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from backups.files.named_stores import store_of
from backups.files.parquet import BackupFile, opened
from backups.models import Backup, Status
from core.errors import BackupDamaged, BackupRefused, SourceUnreadable
from core.s3.endpoint import S3

type Fault = BackupDamaged | BackupRefused | SourceUnreadable


@dataclass(frozen=True, kw_only=True)
class OpenedBackup:
    """A backup that was opened, its row in the catalogue, and a line for each place that was passed over, and why."""

    file: BackupFile
    known: Backup | None
    passed_over: tuple[str, ...]


@contextmanager
def opened_at(places: Sequence[str]) -> Iterator[OpenedBackup]:
    """Open the first of ``places`` whose file is what was written; of a damaged one the catalogue takes note.

    Where none is: the fault of the only place, or BackupRefused with all of them.
    """
    faults: list[Fault] = []
    with ExitStack() as stack:
        for path in places:
            try:
                with doubted(path):
                    file = stack.enter_context(opened(path))
                    known = entry(file)
                break
            except (BackupDamaged, BackupRefused, SourceUnreadable) as fault:
                faults.append(fault)
        else:
            raise faults[0] if len(faults) == 1 else _all_of(faults)
        yield OpenedBackup(file=file, known=known, passed_over=tuple(f"passed over {fault}" for fault in faults))


def in_order(rows: Iterable[Backup]) -> tuple[str, ...]:
    """Return the paths of places in the order to try them.

    Those that were verified come first, those found damaged last; among equals the stores of the settings before other
    places, this machine before S3, and the one verified last.
    """

    def rank(row: Backup) -> tuple[bool, bool, bool, bool, bool, float]:
        verified = row.verified_at.timestamp() if row.verified_at else 0.0
        foreign = store_of(row.path)[0] is None
        return is_doubted(row), not verified, bool(row.error), foreign, row.path.startswith(S3), -verified

    return tuple(row.path for row in sorted(rows, key=rank))


def is_doubted(row: Backup) -> bool:
    """Tell that the last look at a finished backup found that it is not what was written."""
    return row.verified_at is None and bool(row.error)


def entry(file: BackupFile) -> Backup | None:
    """Find the file in the catalogue; BackupDamaged where the catalogue knows another file under its name."""
    known = Backup.objects.filter(path=file.path, status=Status.DONE).first()
    if known is not None and known.sha256 != file.beside.sha256:
        raise BackupDamaged(path=file.path, problem="the catalogue knows a file of another SHA-256 under this name")
    return known


@contextmanager
def doubted(path: str) -> Iterator[None]:
    """A damaged file does not count as verified any more: a restore must not choose it by itself."""
    try:
        yield
    except (BackupDamaged, BackupRefused) as damage:
        Backup.objects.filter(path=path, status=Status.DONE).update(verified_at=None, error=str(damage))
        raise


def _all_of(faults: Sequence[Fault]) -> BackupRefused:
    return BackupRefused(
        what=f"the {len(faults)} places of this backup",
        problem="; ".join(str(fault) for fault in faults),
        remedy="Use another backup: `manage.py list_backups` names them.",
    )
