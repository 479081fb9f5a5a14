"""What a load is asked to do, and what it says when it is done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from ingest.accounts.report import TableReport
from ingest.readers.csv.signs import Signs
from ingest.rules.on_conflict import OnConflict

LOCK_WAIT_SECONDS = 2.0


@dataclass(frozen=True)
class RejectLimit:
    """How many rejects of one file are too many: a number of records, or a percentage of the file's."""

    amount: float
    percent: bool = False

    def passed(self, *, rejected: int, read: int) -> bool:
        """Say whether ``rejected`` of ``read`` records are more than allowed."""
        return rejected > (self.amount * read / 100 if self.percent else self.amount)

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.percent else f"{self.amount:g}"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the reading of one file is, in bytes as they lie there: of a packed file, packed ones."""

    table: str
    records: int
    bytes_read: int
    bytes_total: int


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """Options of a load; ``tables`` empty means all, ``max_rejects`` None means no limit.

    ``signs``: what the caller says of the files. ``wait_seconds``: how long it waits for tables that others hold.
    """

    tables: tuple[str, ...] = ()
    dry_run: bool = False
    max_rejects: RejectLimit | None = None
    on_conflict: OnConflict = "reject"
    rejects_out: Path | None = None
    wait_seconds: float = LOCK_WAIT_SECONDS
    signs: Signs = field(default_factory=Signs)
    on_progress: Callable[[Progress], None] = field(default=lambda progress: None)


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """A finished load: its batch (None in a dry run), status, seconds, and one report for each table, in order."""

    batch: UUID | None
    status: str
    seconds: float
    tables: tuple[TableReport, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which tables were written otherwise than usual, and why."""
        return tuple(f"{report.table}: {note}" for report in self.tables for note in report.notes)

    @property
    def losses(self) -> tuple[str, ...]:
        """Say of which files every record was rejected, and why most of them."""
        lost = (report for report in self.tables if report.wholly_rejected)
        return tuple(f"{report.table}: every record was rejected, {report.commonest}" for report in lost)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Say which files were refused for what showed only after their beginning."""
        return tuple(f"{report.table}: refused, {report.refusal}" for report in self.tables if report.refusal)

    def as_json(self) -> dict[str, Any]:
        """Return the one JSON object of ``--format json``."""
        return {
            "batch": str(self.batch) if self.batch else None,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "tables": {
                report.table: {**report.counts(), "skipped": report.lines_skipped, "signs": report.signs}
                for report in self.tables
            },
            "notes": [*self.refusals, *self.losses, *self.notes],
        }
