"""A unit: the records of one request or replay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.contrib.auth.models import User

from ingest.models import Batch
from ingest.processing.records import Records
from ingest.readers.csv.signs import Signs
from ingest.rules.on_conflict import OnConflict
from ingest.rules.sources import Source

type Mode = Literal["partial", "atomic"]

MODES: tuple[Mode, ...] = ("partial", "atomic")


@dataclass(frozen=True, kw_only=True)
class TableRecords:
    """The records of one table; their positions are their indices in the unit.

    ``columns``: the header, if CSV; ``signs``: what the request says of its text; ``skipped``: lines of it that are no
    records, by kind.
    """

    source: Source
    records: Records
    columns: tuple[str, ...] = ()
    signs: Signs = field(default_factory=Signs)
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """n records of some tables, parents first. ``refs`` and ``groups`` are by index, for those that have one.

    ``partial``: good records are kept, others rejected; ``atomic``: all or nothing. Records with the same group stand
    or fall together in both. ``on_conflict`` is for keys that are stored with other content and for keys that repeat:
    ``reject`` keeps what is stored, and the first record of a key; ``update`` writes its last.
    """

    tables: tuple[TableRecords, ...]
    refs: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    mode: Mode = "partial"
    on_conflict: OnConflict = "reject"
    dry_run: bool = False

    def __len__(self) -> int:
        return sum(len(table.records) for table in self.tables)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a unit comes from: ``kind`` is one of ``Batch.Origin``, ``options`` are kept with its batch."""

    kind: str
    user: User | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    caused_by: Batch | None = None
