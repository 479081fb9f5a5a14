"""The catalogue as people ask for it, and how it is rebuilt from the manifests when it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from backups.files.manifest import SUFFIX, SignedManifest, parse_beside
from backups.files.named_stores import named_store, store_names
from backups.files.store import Store
from backups.models import Backup, Status
from backups.tables import table_named
from core.errors import DatabaseUnavailable, DataForgeError
from core.postgres.explain_errors import explained


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """A finished backup as the catalogue knows it; moments in UTC."""

    id: UUID
    run: UUID
    table: str
    path: str
    rows: int
    bytes: int
    origin: str
    snapshot_at: datetime
    verified_at: datetime | None
    drilled_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """What a scan found: how many manifests, how many of them new to the catalogue, and what it could not read."""

    manifests: int
    added: int
    unreadable: tuple[str, ...]


def listed(tables: Sequence[str] = ()) -> tuple[CatalogueEntry, ...]:
    """List finished backups (of ``tables``, if any are named), by table, the newest first."""
    with explained("the list of backups"):
        rows = Backup.objects.filter(status=Status.DONE).order_by("table", "-snapshot_at")
        if tables:
            rows = rows.filter(table__in=[table_named(name) for name in tables])
        return tuple(
            CatalogueEntry(**{name: getattr(row, name) for name in CatalogueEntry.__dataclass_fields__}) for row in rows
        )


def known_paths() -> list[str]:
    """Return the files of all backups: those of the catalogue, or, without a database, those that lie in the stores."""
    try:
        return [entry.path for entry in listed()]
    except DatabaseUnavailable:
        return [
            store.path(name.removesuffix(SUFFIX))
            for store in map(named_store, store_names())
            for name in store.names()
            if name.endswith(SUFFIX)
        ]


def scan(store: Store) -> ScanReport:
    """Enter every backup in ``store`` that the catalogue does not know.

    They count as not verified: a scan reads manifests only. Raises SourceUnreadable, DatabaseUnavailable.
    """
    names = [name for name in store.names(needed=True) if name.endswith(SUFFIX)]
    added, unreadable = 0, []
    with explained("the scan"), transaction.atomic():
        known = set(Backup.objects.filter(status=Status.DONE).values_list("path", flat=True))
        for name in names:
            path = store.path(name.removesuffix(SUFFIX))
            if path in known:
                continue
            try:
                _enter(path, parse_beside(store.read(name), path=path))
                added += 1
            except DataForgeError as error:
                unreadable.append(str(error))
    return ScanReport(manifests=len(names), added=added, unreadable=tuple(unreadable))


def _enter(path: str, beside: SignedManifest) -> None:
    manifest = beside.manifest
    Backup.objects.update_or_create(
        id=manifest.id,
        defaults={
            "run": manifest.run,
            "table": manifest.table,
            "origin": Backup.Origin.FOUND,
            "status": Status.DONE,
            "path": path,
            "rows": manifest.rows,
            "bytes": beside.bytes,
            "sha256": beside.sha256,
            "fingerprint": manifest.fingerprint,
            "snapshot_at": manifest.snapshot_at,
        },
    )
