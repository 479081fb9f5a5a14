"""What a table holds and how it is built, in a form that two moments can be compared by."""

from collections.abc import Collection
from dataclasses import dataclass

from psycopg2 import sql

from core.postgres import constraints
from core.postgres.column_types import table_columns
from core.postgres.tables import Cursor, find_table


@dataclass(frozen=True)
class Fingerprint:
    """``rows`` in the table, and a ``digest`` of 32 hexadecimal digits over their contents in whatever order."""

    rows: int
    digest: str


def table_fingerprint(cursor: Cursor, table: str, *, exclude: Collection[str] = ()) -> Fingerprint:
    """Hash all rows of ``table`` without the columns ``exclude`` (such as an identity), on the server.

    Equal contents give equal fingerprints on one major version of PostgreSQL, whatever the physical order. Values count
    as equal where PostgreSQL says so (0.0 and -0.0). It reads the whole table: about 0.3 s for a million rows.
    """
    names = [column.name for column in table_columns(cursor, table) if column.name not in exclude]
    # A record's hash is linear in those of its columns: without the outer hash, two rows could swap a value unseen.
    statement = sql.SQL(
        "select count(*), coalesce(sum(hashint8extended(hash_record_extended(row({}), 0), 0)), 0) from {}"
    ).format(sql.SQL(", ").join(map(sql.Identifier, names)), find_table(cursor, table).identifier)
    cursor.execute(statement)
    ((rows, total),) = cursor.fetchall()
    return Fingerprint(rows=rows, digest=f"{int(total) % 2**128:032x}")


def structure(cursor: Cursor, table: str) -> frozenset[tuple[str, str, str]]:
    """Describe columns, constraints (also incoming foreign keys) and indexes of ``table``: (kind, name, statement).

    Comments and settings of a constraint or index are further statements of it.
    """
    target = find_table(cursor, table)
    cursor.execute(
        "select 'check', conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'c' and conrelid = %s",
        [target.oid],
    )
    checks = {(kind, name, definition) for kind, name, definition in cursor.fetchall()}
    columns = {("column", column.name, repr(column)) for column in table_columns(cursor, table)}
    parts = {
        (part.kind, part.title, statement) for part in constraints.parts(cursor, target) for statement in part.create
    }
    return frozenset(checks | columns | parts)
