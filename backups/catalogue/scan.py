"""The catalogue as people ask for it, and how it is rebuilt from the manifests when it is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from backups.catalogue.choose import good_backups, none_known
from backups.catalogue.liveness import close_abandoned
from backups.files.layout import described_by, manifest_name
from backups.files.manifest import SignedManifest, parse_beside
from backups.files.manifest_rules import shown
from backups.files.named_stores import named_store, store_names
from backups.files.store import Store
from backups.models import Backup, Status
from backups.tables import table_named
from core.errors import DatabaseUnavailable, DataForgeError, SourceUnreadable
from core.postgres.explain_errors import explained

# What is written of a known row where its file was found: what the manifest says, and that nobody has checked it.
_FIELDS = (
    *("run", "table", "origin", "status", "path", "rows", "bytes", "sha256", "fingerprint", "snapshot_at"),
    *("verified_at", "drilled_at", "error"),
)


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
        return [path for store in map(named_store, store_names()) for path in _lying_in(store, needed=False)]


def paths_in(store: Store) -> list[str]:
    """Return the files of all backups that lie in ``store``; SourceUnreadable where there are none."""
    if paths := _lying_in(store, needed=True):
        return paths
    remedy = "Name the folder in which backups lie, or s3://bucket/prefix."
    raise SourceUnreadable(path=store.url, problem="no backup lies there", remedy=remedy)


def _lying_in(store: Store, *, needed: bool) -> list[str]:
    return [store.path(name) for name in filter(None, map(described_by, store.names(needed=needed)))]


def scan(store: Store) -> ScanReport:
    """Enter every backup in ``store`` that the catalogue does not know; each manifest is judged on its own.

    They count as not verified: a scan reads manifests only. A copy of a known backup is a second place of it, and takes
    nothing from the first. Raises SourceUnreadable, DatabaseUnavailable.
    """
    names = list(filter(None, map(described_by, store.names(needed=True))))
    with explained("the scan"):
        close_abandoned()
        known = set(Backup.objects.filter(status=Status.DONE).values_list("path", flat=True))
    found, unreadable = {}, []
    for name in names:
        path = store.path(name)
        if path not in known:
            try:
                found[path] = _judged(store, name, path)
            except DataForgeError as error:
                unreadable.append(str(error))
    with explained("the scan"), transaction.atomic():
        added = _enter(found)
    return ScanReport(manifests=len(names), added=added, unreadable=tuple(unreadable))


def _entry(row: Backup) -> CatalogueEntry:
    return CatalogueEntry(**{name: getattr(row, name) for name in CatalogueEntry.__dataclass_fields__})


def _judged(store: Store, name: str, path: str) -> SignedManifest:
    if not name.isprintable():
        remedy = "Give it the name that its manifest says."
        raise SourceUnreadable(path=shown(path), problem="its name is no line of text", remedy=remedy)
    return parse_beside(store.read(manifest_name(name)), path=path)


def _enter(found: Mapping[str, SignedManifest]) -> int:
    """Enter backups by their paths, and return how many: not those that a process at work is about to enter."""
    ids = [beside.manifest.id for beside in found.values()]
    known = {row.id: row for row in Backup.objects.select_for_update().filter(pk__in=ids)}
    new: list[Backup] = []
    changed: list[Backup] = []
    for path, beside in found.items():
        row = known.get(beside.manifest.id)
        if row is not None and row.status in (Status.QUEUED, Status.RUNNING):
            continue
        # Its process died before it entered it, or its file has come back; else it is another place of a known one.
        again = row is not None and (row.status == Status.FAILED or (row.status, row.path) == (Status.PRUNED, path))
        entered = _row(path, beside, identity=uuid4() if row is not None and not again else beside.manifest.id)
        known[beside.manifest.id] = entered
        (changed if again else new).append(entered)
    Backup.objects.bulk_update(changed, _FIELDS)
    Backup.objects.bulk_create(new, ignore_conflicts=True)  # another scan may have entered them meanwhile
    return len(new) + len(changed)


def _row(path: str, beside: SignedManifest, *, identity: UUID) -> Backup:
    manifest = beside.manifest
    return Backup(
        id=identity,
        run=manifest.run,
        table=manifest.table,
        origin=Backup.Origin.FOUND,
        status=Status.DONE,
        path=path,
        rows=manifest.rows,
        bytes=beside.bytes,
        sha256=beside.sha256,
        fingerprint=manifest.fingerprint,
        snapshot_at=manifest.snapshot_at,
    )
