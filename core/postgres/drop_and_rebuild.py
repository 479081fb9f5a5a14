"""Drop what slows a load down, and rebuild it, in the caller's one transaction and as a plain table owner.

``lock_tables_for_load`` -> ``drop_for_load`` -> TRUNCATE or COPY -> ``rebuild``. NOT NULL and CHECK constraints stay:
they cost the same before and after. A rollback at any point leaves everything as it was.
"""

from dataclasses import dataclass

from core.errors import DatabaseFailed
from core.postgres import constraints
from core.postgres.constraints import Part
from core.postgres.tables import Cursor, Table, find_table

MAINTENANCE_MEMORY_MB = 256
PARALLEL_WORKERS = 2  # also on two cores a third quicker than none


@dataclass(frozen=True)
class DroppedParts:
    """What ``drop_for_load`` took away from ``table``, in the order in which it was dropped."""

    table: Table
    parts: tuple[Part, ...]


def drop_for_load(cursor: Cursor, table: str) -> DroppedParts:
    """Drop foreign keys (own and incoming), primary key, unique and exclusion constraints and indexes of ``table``.

    From here on the transaction's constraints are checked at once, not at commit. ``DatabaseFailed`` where a rebuild
    could not restore everything (partitions, an index in a tablespace of its own or left invalid, a view upon a key).
    """
    target = find_table(cursor, table)
    if reasons := constraints.obstacles(cursor, target):
        raise DatabaseFailed(
            work=f"the drop of constraints of {table}",
            problem="; ".join(reasons),
            remedy="Constraints and indexes of such a table are not dropped for a load: load it with them in place.",
        )
    # ALTER TABLE refuses while rows written earlier have trigger events pending (Django's foreign keys are deferred).
    cursor.execute("set constraints all immediate")
    dropped = DroppedParts(table=target, parts=constraints.parts(cursor, target))
    for part in dropped.parts:
        cursor.execute(part.drop)
    return dropped


def rebuild(cursor: Cursor, dropped: DroppedParts, *, memory_mb: int = MAINTENANCE_MEMORY_MB) -> None:
    """Make again all that was dropped, under the same names and with the same settings and comments.

    ``memory_mb`` bounds the memory of building an index. Django's ``IntegrityError`` where the rows break a constraint.
    """
    cursor.execute(
        "select set_config('maintenance_work_mem', %s, true), set_config('max_parallel_maintenance_workers', %s, true)",
        [f"{memory_mb}MB", str(PARALLEL_WORKERS)],
    )
    for part in reversed(dropped.parts):
        for statement in part.create:
            cursor.execute(statement)
