"""Where a store keeps what: names below its root, with ``/`` between their parts.

``RUN/TABLE/TABLE.parquet`` is a backup, alone in its folder, so that ``RUN/TABLE`` opens as one table in whatever reads
folders of Parquet. ``_manifests/RUN/TABLE.json`` is its manifest, written last. ``_safety/`` is the root of the same
again, for what restores keep. Format 1 wrote ``TABLE/TABLE-MOMENT-ID.parquet``, the manifest beside it: ``SUFFIX``.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

MANIFESTS = "_manifests"
SAFETY = "_safety"
SUFFIX = ".manifest.json"
PART = ".part"

_FILE = ".parquet"
_RUN = r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}"
_PATH = re.compile(rf"(?:(?P<root>.*)/)?(?P<name>(?:{_RUN}/[^/]+|{MANIFESTS}/{_RUN})/[^/]+)", re.DOTALL)
_ANY_BACKUP = re.compile(rf"(?P<root>(?:.*/)?)(?P<run>{_RUN})/(?P<table>[^/]+)/(?P=table)\.parquet", re.DOTALL)
_ANY_MANIFEST = re.compile(rf"(?P<root>(?:.*/)?){MANIFESTS}/(?P<run>{_RUN})/(?P<table>[^/]+)\.json", re.DOTALL)
_OLD_BACKUP = re.compile(r"(?:.*/)?(?P<table>[^/]+)/(?P=table)-\d{8}T\d{6}Z-[0-9a-f]{8}\.parquet", re.DOTALL)
_PART = re.compile(rf"(?P<folder>(?:.*/)?)\.(?P<file>[^/]+){re.escape(PART)}", re.DOTALL)
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_]*")


def backup_name(table: str, taken_at: datetime, run: UUID, *, safety: bool = False) -> str:
    """Name the file of a new backup. Names of runs sort by the moment of their snapshot."""
    folder = f"{taken_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{run.hex[:8]}"
    plain = plain_name(table)
    return f"{SAFETY + '/' if safety else ''}{folder}/{plain}/{plain}{_FILE}"


def plain_name(table: str) -> str:
    """Write a table's name so that no reader, shell or file system takes a part of it for something else.

    ``=`` would make a partition column of it, a ``_`` or ``.`` in front a hidden file, ``*`` a pattern; and there are
    file systems for which ``A`` is ``a``.
    """
    if _PLAIN.fullmatch(table):
        return table
    letters = re.sub(r"[^a-z0-9]+", "_", table.lower()).strip("_") or "table"
    return f"{letters}-{sha256(table.encode()).hexdigest()[:8]}"


def manifest_name(name: str) -> str:
    """Name the manifest of a backup, wherever below a root that is."""
    if new := _ANY_BACKUP.fullmatch(name):
        return f"{new['root']}{MANIFESTS}/{new['run']}/{new['table']}.json"
    return name + SUFFIX


def described_by(name: str) -> str | None:
    """Name the backup whose manifest this is; None where it is no name of a manifest."""
    if new := _ANY_MANIFEST.fullmatch(name):
        return f"{new['root']}{new['run']}/{new['table']}/{new['table']}{_FILE}"
    return name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else None


def sibling_name(name: str, table: str) -> str | None:
    """Name the backup of another table of the same run; None of one of format 1, whose name does not tell."""
    if new := _ANY_BACKUP.fullmatch(name):
        return f"{new['root']}{new['run']}/{plain_name(table)}/{plain_name(table)}{_FILE}"
    return None


def parted(path: str) -> tuple[str, str]:
    """Part a path or address into the root of its layout and the name there; of format 1, its folder and last part."""
    if known := _PATH.fullmatch(path):
        return known["root"] or "", known["name"]
    root, _, name = path.rpartition("/")
    return root, name


def unfinished(names: Collection[str]) -> Iterator[str]:
    """Yield those of a store's ``names`` that a backup was to have and that are none: parts, and what has no manifest.

    Names that are not of our making are never among them.
    """
    for name in names:
        part = _PART.fullmatch(name)
        of = f"{part['folder']}{part['file']}" if part else name
        is_backup = bool(_ANY_BACKUP.fullmatch(of) or _OLD_BACKUP.fullmatch(of))
        if part:
            described = described_by(of)
            if is_backup or (described and (_ANY_BACKUP.fullmatch(described) or _OLD_BACKUP.fullmatch(described))):
                yield name
        elif is_backup and manifest_name(name) not in names:
            yield name
