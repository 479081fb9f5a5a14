"""The manifest: what a backup holds, in its Parquet footer and in a file of its own: no manifest there, no backup."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import pyarrow as pa

from backups.files.manifest_rules import fault_of, shown
from core.errors import BackupDamaged, BackupRefused
from core.postgres.column_types import TableColumn, arrow_type

FORMAT = 2  # 1: uuid as Parquet's own, the manifest beside its file
_KNOWN_FORMATS = (1, FORMAT)
FINGERPRINT_BY = "lookup3"  # see ``hashing.row_hashes``
FOOTER_KEY = "dataforge.manifest"


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """One column: its PostgreSQL type, and what its values are. Texts, so that no number loses a digit.

    ``minimum`` and ``maximum``: of types with an order. ``sum``: of exact numbers.
    """

    name: str
    type: str
    not_null: bool
    nulls: int
    minimum: str | None = None
    maximum: str | None = None
    sum: str | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What one file holds. ``run`` is shared by all files of one snapshot; ``migrations``: the last of each app."""

    id: UUID
    run: UUID
    table: str
    model: str
    columns: tuple[ColumnFacts, ...]
    key: tuple[str, ...]
    migrations: Mapping[str, str]
    rows: int
    fingerprint: str
    snapshot_at: datetime
    server: str
    app_version: str
    format: int = FORMAT

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow columns of the table; ``TypeError`` where a type is none that a backup writes."""
        plain = [
            TableColumn(column.name, column.type, column.not_null, identity=False, generated=False)
            for column in self.columns
        ]
        return pa.schema([pa.field(column.name, arrow_type(column)) for column in plain])

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, in the order in which people read."""
        plain = {**asdict(self), "migrations": dict(self.migrations)}
        plain |= {"id": str(self.id), "run": str(self.run), "snapshot_at": self.snapshot_at.isoformat()}
        return {"format": self.format, "fingerprint_by": FINGERPRINT_BY, **plain}


@dataclass(frozen=True, kw_only=True)
class SignedManifest:
    """The manifest as a file of its own, with what only a finished backup has; ``file``: its name below the root."""

    manifest: Manifest
    file: str
    bytes: int
    sha256: str

    def as_text(self) -> str:
        """Return the content of the manifest's file."""
        plain = {**self.manifest.as_json(), "file": self.file, "bytes": self.bytes, "sha256": self.sha256}
        return json.dumps(plain, ensure_ascii=False, indent=1) + "\n"


def parse(text: str | bytes, *, path: str) -> Manifest:
    """Read a manifest; BackupDamaged where it is none, BackupRefused where it is a newer release's."""
    return _manifest(_members(text, path), path, signed=False)


def parse_beside(text: str | bytes, *, path: str) -> SignedManifest:
    """Read a manifest's file; raises as ``parse`` does."""
    members = _members(text, path)
    manifest = _manifest(members, path, signed=True)
    return SignedManifest(manifest=manifest, file=members["file"], bytes=members["bytes"], sha256=members["sha256"])


def _members(text: str | bytes, path: str) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_manifest(path, error) from error
    if not isinstance(members, dict) or type(members.get("format")) is not int:
        raise _no_manifest(path, "it names no format")
    if members["format"] not in _KNOWN_FORMATS or members.get("fingerprint_by") != FINGERPRINT_BY:
        raise BackupRefused(
            what=path,
            problem=f"it is of format {shown(members['format'])}, and this release knows 1 to {FORMAT}",
            remedy="Use the release of Data Forge that wrote it.",
        )
    return members


def _manifest(members: Mapping[str, Any], path: str, *, signed: bool) -> Manifest:
    if fault := fault_of(members, signed=signed):
        raise _no_manifest(path, fault)
    plain = {field.name: members[field.name] for field in fields(Manifest)}
    plain |= {
        "id": UUID(plain["id"]),
        "run": UUID(plain["run"]),
        "snapshot_at": datetime.fromisoformat(plain["snapshot_at"]).astimezone(UTC),  # PostgreSQL reads no odd offset
        "columns": tuple(ColumnFacts(**column) for column in plain["columns"]),
        "key": tuple(plain["key"]),
    }
    manifest = Manifest(**plain)
    try:
        _ = manifest.schema
    except (TypeError, ValueError, OverflowError) as error:  # a type that no file holds
        raise _no_manifest(path, shown(str(error))) from error
    return manifest


def _no_manifest(path: str, error: object) -> BackupDamaged:
    return BackupDamaged(path=path, problem=f"its manifest cannot be read ({error})")
