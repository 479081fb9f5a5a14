"""What a restore did, or would do."""

from dataclasses import asdict, dataclass
from typing import Any

from backups.foreign_keys import Orphans


@dataclass(frozen=True, kw_only=True)
class TableRestore:
    """What became, or would become, of one table. ``rows``: after the restore.

    ``added``, ``changed``, ``removed`` and ``examples`` (keys behind ``+``, ``~``, ``-``) are None and empty where
    nobody asked: a replace does not compare.
    """

    table: str
    path: str
    mode: str
    rows: int
    added: int | None = None
    changed: int | None = None
    removed: int | None = None
    examples: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    safety: str | None = None


@dataclass(frozen=True, kw_only=True)
class RestoreReport:
    """What a restore did; of a dry run, what it would do, with the orphans for which it would be refused."""

    id: str
    dry_run: bool
    seconds: float
    tables: tuple[TableRestore, ...]
    orphans: tuple[Orphans, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)
