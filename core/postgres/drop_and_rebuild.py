"""Drop what slows a load down, and rebuild it, in the caller's one transaction and as a plain table owner.

``lock_tables_for_load`` -> ``drop_for_load`` -> TRUNCATE or COPY -> ``rebuild``. NOT NULL and CHECK constraints stay:
they cost the same before and after. So does what could not be made again as it was, such as a key that a view depends
on: the rows are then loaded with it in place. A rollback at any point leaves everything as it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.postgres import constraints
from core.postgres.constraints import Part
from core.postgres.tables import Cursor, Table, find_table

MAINTENANCE_MEMORY_MB = 256
PARALLEL_WORKERS = 2  # also on two cores a third quicker than none


@dataclass(frozen=True)
class DroppedParts:
    """What ``drop_for_load`` took away from ``table``, in the order in which it was dropped, and what it left there."""

    table: Table
    parts: tuple[Part, ...]
    kept: tuple[Part, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what stayed in place, and why."""
        return in_place(self.kept)


def in_place(kept: Iterable[Part]) -> tuple[str, ...]:
    """Say of parts that stay in place, and why, a line a reason."""
    by_reason: dict[str, list[str]] = {}
    for part in kept:
        by_reason.setdefault(part.stays, []).append(part.title)
    return tuple(f"written with {', '.join(titles)} in place: {reason}" for reason, titles in by_reason.items())


def drop_for_load(cursor: Cursor, table: str) -> DroppedParts:
    """Drop foreign keys (own and incoming), primary key, unique and exclusion constraints and indexes of ``table``.

    What cannot be made again as it was stays in place. Foreign keys that stay and may be deferred are checked by
    ``rebuild``.
    """
    target = find_table(cursor, table)
    # ALTER TABLE refuses while rows written earlier have trigger events pending (Django's foreign keys are deferred).
    cursor.execute("set constraints all immediate")
    parts = constraints.parts(cursor, target)
    dropped = DroppedParts(
        table=target,
        parts=tuple(part for part in parts if not part.stays),
        kept=tuple(part for part in parts if part.stays),
    )
    for part in dropped.parts:
        cursor.execute(part.drop)
    if any(part.kind in {"f", constraints.EVERYTHING} for part in dropped.kept):
        cursor.execute("set constraints all deferred")
    return dropped


def rebuild(cursor: Cursor, dropped: DroppedParts, *, memory_mb: int = MAINTENANCE_MEMORY_MB) -> None:
    """Make again all that was dropped, under the same names and with the same settings and comments.

    From here on the transaction's constraints are checked at once, not at commit.
    ``memory_mb`` bounds the memory of building an index. Django's ``IntegrityError`` where the rows break a constraint.
    """
    cursor.execute("set constraints all immediate")
    cursor.execute(
        "select set_config('maintenance_work_mem', %s, true), set_config('max_parallel_maintenance_workers', %s, true)",
        [f"{memory_mb}MB", str(PARALLEL_WORKERS)],
    )
    for part in reversed(dropped.parts):
        for statement in part.create:
            cursor.execute(statement)
