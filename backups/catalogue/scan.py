"""The catalogue as people ask for it, and how it is rebuilt from the manifests when it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from backups.catalogue.choose import good_backups, none_known
from backups.files.layout import described_by, manifest_name
from backups.files.manifest import SignedManifest, parse_beside
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
        return tuple(map(_entry, rows))


def latest(tables: Sequence[str] = ()) -> tuple[CatalogueEntry, ...]:
    """List the newest good backup of each table: of all by their names, or of ``tables`` in their order.

    BackupRefused where one of ``tables`` has none: whoever takes one line for each must not get the wrong one.
    """
    with explained("the list of backups"):
        newest = good_backups().order_by("table", "-snapshot_at").distinct("table")
        by_table = {row.table: _entry(row) for row in newest}
    names = [table_named(name) for name in tables] or list(by_table)
    for name in names:
        if name not in by_table:
            raise none_known(name)
    return tuple(by_table[name] for name in names)


def known_paths() -> list[str]:
    """Return the files of all backups: those of the catalogue, or, without a database, those that lie in the stores."""
    try:
        return [entry.path for entry in listed()]
    except DatabaseUnavailable:
        return [
            store.path(name)
            for store in map(named_store, store_names())
            for name in filter(None, map(described_by, store.names()))
        ]


def scan(store: Store) -> ScanReport:
    """Enter every backup in ``store`` that the catalogue does not know.

    They count as not verified: a scan reads manifests only. Raises SourceUnreadable, DatabaseUnavailable.
    """
    names = list(filter(None, map(described_by, store.names(needed=True))))
    added, unreadable = 0, []
    with explained("the scan"), transaction.atomic():
        known = set(Backup.objects.filter(status=Status.DONE).values_list("path", flat=True))
        for name in names:
            path = store.path(name)
            if path in known:
                continue
            try:
                _enter(path, parse_beside(store.read(manifest_name(name)), path=path))
                added += 1
            except DataForgeError as error:
                unreadable.append(str(error))
    return ScanReport(manifests=len(names), added=added, unreadable=tuple(unreadable))


def _entry(row: Backup) -> CatalogueEntry:
    return CatalogueEntry(**{name: getattr(row, name) for name in CatalogueEntry.__dataclass_fields__})


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
