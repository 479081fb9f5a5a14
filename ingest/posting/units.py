"""A unit: the records of one request or replay, and what became of each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ingest.accounts import TableReport
from ingest.loading.options import OnConflict
from ingest.models import Batch
from ingest.records import Records
from ingest.sources import Source

type Mode = Literal["partial", "atomic"]
type Outcome = Literal["inserted", "updated", "unchanged", "duplicate", "rejected", "rolled_back"]

MODES: tuple[Mode, ...] = ("partial", "atomic")
WRITTEN: tuple[Outcome, ...] = ("inserted", "updated")


@dataclass(frozen=True, kw_only=True)
class TableRecords:
    """The records of one table; their positions are their indices in the unit. ``columns``: the header, if CSV."""

    source: Source
    records: Records
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unit:
    """n records of some tables, parents first. ``refs`` and ``groups`` are by index, for those that have one.

    ``partial``: good records are kept, others rejected; ``atomic``: all or nothing. Records with the same group stand
    or fall together in both.
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
class Fate:
    """What became of one record. ``reasons`` have field, code, message, value and, for some, constraint."""

    index: int
    table: str
    outcome: Outcome
    reasons: tuple[dict[str, Any], ...] = ()
    reject: int | None = None  # the number of its reject; None in a dry run


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A unit that was dealt with: its batch (None in a dry run), the fate of each record by index, the account."""

    batch: Batch | None
    status: str
    fates: tuple[Fate, ...]
    tables: tuple[TableReport, ...]

    def total(self, name: str) -> int:
        """Sum one count of the account over all tables."""
        return sum(getattr(table, name) for table in self.tables)
