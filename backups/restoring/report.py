"""What a restore did, or would do."""

from dataclasses import asdict, dataclass
from typing import Any

from backups.foreign_keys import Orphans
from backups.restoring.examples import RowDifference


@dataclass(frozen=True, kw_only=True)
class TableRestore:
    """What became, or would become, of one table. ``rows``: after the restore.

    ``added``, ``changed``, ``removed`` and ``differences`` (some of these rows) are None and empty where nobody asked:
    a replace does not compare. ``passed_over``: other places of the backup, and what was wrong with them.
    """

    table: str
    path: str
    mode: str
    rows: int
    added: int | None = None
    changed: int | None = None
    removed: int | None = None
    differences: tuple[RowDifference, ...] = ()
    notes: tuple[str, ...] = ()
    safety: str | None = None
    passed_over: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, with the differences also as lines."""
        return {**asdict(self), "examples": [str(row) for row in self.differences]}


@dataclass(frozen=True, kw_only=True)
class RestoreReport:
    """What a restore did; of a dry run, what it would do, with the orphans for which it would be refused.

    ``instead``: which backup was taken instead of a damaged newer one, where that was asked for.
    """

    id: str
    dry_run: bool
    seconds: float
    tables: tuple[TableRestore, ...]
    orphans: tuple[Orphans, ...] = ()
    run: str | None = None
    instead: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "tables": [table.as_json() for table in self.tables]}
