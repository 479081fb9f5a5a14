"""The account of one table in one batch, and keeping it. The database checks that no record is missing from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ingest.models import OUTCOMES, Account
from ingest.rules.sources import Source


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """The account of one table, as it was stored. ``refused``: too many rejects, and nothing of it was kept; or
    (``skipped``) a file that it refers to was refused."""

    table: str
    status: str
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

    def counts(self) -> dict[str, Any]:
        """Return the account as the command and the API print it."""
        return {name: getattr(self, name) for name in ("read", *OUTCOMES, "repaired")}


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What is kept of the text that the records came in; ``columns``: its header, where it is CSV."""

    name: str = ""
    sha256: str = ""
    size: int | None = None  # bytes
    columns: Sequence[str] = ()


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
        contract_version=source.contract.version,
        table_fingerprint=fingerprint,
        seconds=report.seconds,
        **report.counts(),
    )
