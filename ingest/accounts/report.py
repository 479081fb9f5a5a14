"""The account of one table in one batch, and keeping it. The database checks that no record is missing from it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from core.errors import DatabaseFailed
from ingest.models import OUTCOMES, Account, Batch
from ingest.rules.sources import Source


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """The account of one table, as it was stored. ``refused``: nothing of it was kept, because of too many rejects, as
    part of an atomic batch, or (``skipped``) because a file that it refers to was refused."""

    table: str
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    rolled_back: int = 0
    repaired: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    refused: bool = False
    skipped: bool = False
    refusal: str = ""  # why it was refused, where that were not too many rejects
    signs: dict[str, Any] = field(default_factory=dict)  # of its file, as the account keeps them
    lines_skipped: dict[str, int] = field(default_factory=dict)  # that are no records, by kind
    notes: tuple[str, ...] = ()  # how it was written, where not as usual
    commonest: str = ""  # reason, in words, of a file of which every record was rejected

    @classmethod
    def of(
        cls,
        table: str,
        *,
        read: int,
        accepted: int,
        written: tuple[int, int, int] | None,
        duplicates: int,
        rejected: int,
        repaired: dict[str, int],
        seconds: float,
        notes: tuple[str, ...] = (),
        refusal: str = "",
        signs: dict[str, Any] | None = None,
        lines_skipped: dict[str, int] | None = None,
    ) -> Self:
        """Account for a table that was dealt with. ``written``: how many of the accepted were inserted, updated and
        left unchanged; None where the table was refused, and the accepted ones were rolled back.

        DatabaseFailed where the server did not write what it was given: nothing must vanish.
        """
        inserted, updated, unchanged = written or (0, 0, 0)
        if written is not None and sum(written) != accepted:
            raise DatabaseFailed(
                work=f"the writing of {table}",
                problem=f"of {accepted:,} good rows PostgreSQL says to have written {sum(written):,}",
                remedy="A trigger or rule of that table drops rows, or writes them elsewhere: take it away, or have a "
                "trigger raise an exception for rows that are not to be kept.",
            )
        return cls(
            table=table,
            read=read,
            inserted=inserted,
            updated=updated,
            unchanged=unchanged,
            duplicates=duplicates,
            rejected=rejected,
            rolled_back=accepted if written is None else 0,
            repaired=repaired,
            seconds=seconds,
            refused=written is None,
            notes=notes,
            refusal=refusal if written is None else "",
            signs=signs or {},
            lines_skipped=lines_skipped or {},
        )

    @property
    def wholly_rejected(self) -> bool:
        """Tell that it was kept, and not one record of it: a file of something else, or written in another way."""
        return 0 < self.read == self.rejected and not self.refused

    @property
    def status(self) -> str:
        """The status of this table alone."""
        return status_of([self])

    def counts(self) -> dict[str, Any]:
        """Return the account as the command and the API print it."""
        return {name: getattr(self, name) for name in ("read", *OUTCOMES, "repaired")}


def status_of(tables: Collection[TableReport]) -> str:
    """Return the status of a batch by its tables: it is rejected where one was refused, or nothing at all was kept."""
    rejected = sum(table.rejected for table in tables)
    kept = sum(table.read for table in tables) - rejected
    if any(table.refused for table in tables) or (rejected and not kept):
        return Batch.Status.REJECTED
    return Batch.Status.PARTIAL if rejected else Batch.Status.ACCEPTED


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What is kept of the text that the records came in; ``columns``: its header, where it is CSV."""

    name: str = ""
    sha256: str = ""
    size: int | None = None  # bytes
    columns: Sequence[str] = ()
    signs: Mapping[str, Any] = field(default_factory=dict)  # as the account keeps them


def account_row(
    batch: UUID,
    source: Source,
    report: TableReport,
    *,
    file: FileFacts = FileFacts(),
    fingerprint: str = "",
) -> Account:
    """Write ``report`` as a row, whose counts PostgreSQL adds up when it is stored; ``fingerprint`` is the table's,
    where it agrees with the file."""
    return Account(
        batch_id=batch,
        table=source.table,
        status=report.status,
        file_name=file.name,
        file_sha256=file.sha256,
        file_bytes=file.size,
        columns=list(file.columns),
        signs=dict(file.signs),
        skipped=report.lines_skipped,
        contract_version=source.contract.version,
        table_fingerprint=fingerprint,
        seconds=report.seconds,
        **report.counts(),
    )
