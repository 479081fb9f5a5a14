"""A table as the catalogue knows it, and the kinds of cursor that this floor takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper
from psycopg2 import extensions, sql

from core.errors import DatabaseFailed

# The table that a bare name means on the search path: oid, schema and name.
_TABLE = """
select c.oid, n.nspname, c.relname, row_security_active(c.oid), quote_ident(current_user)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.oid = to_regclass(quote_ident(%s)) and c.relkind in ('r', 'p')
"""

type Cursor = CursorWrapper | extensions.cursor


@dataclass(frozen=True)
class Table:
    """A plain table: its oid, and its full name."""

    oid: int
    schema: str
    name: str

    @property
    def identifier(self) -> sql.Identifier:
        """Quote ``schema.name`` for use in a statement."""
        return sql.Identifier(self.schema, self.name)


def find_table(cursor: Cursor, table: str) -> Table:
    """Find ``table`` (a bare name; may be temporary) on the search path.

    ``DatabaseFailed`` if it is missing, or if row level security hides rows of it: whatever is made of the others would
    pass for the whole table.
    """
    cursor.execute(_TABLE, [table])
    row = cursor.fetchone()
    if row is None:
        raise DatabaseFailed(
            work=f"the look-up of table {table}",
            problem="there is no such table",
            remedy="Run `manage.py migrate` against this database.",
        )
    oid, schema, name, hidden, role = row
    if hidden:
        raise DatabaseFailed(
            work=f"the look-up of table {table}",
            problem=f"row level security hides rows of it from {role}",
            remedy=f"Run: ALTER TABLE {table} OWNER TO {role}; or: ALTER ROLE {role} BYPASSRLS;",
        )
    return Table(oid=oid, schema=schema, name=name)


@contextmanager
def django_errors(cursor: Cursor) -> Iterator[None]:
    """Raise what psycopg2 raises as Django's exceptions: Django does so for ``execute`` but not for ``copy_expert``."""
    if isinstance(cursor, CursorWrapper):
        with cursor.db.wrap_database_errors:
            yield
    else:
        yield
