"""The locks of a load that drops and rebuilds: all of them first, in one fixed order."""

from collections.abc import Iterable

from psycopg2 import sql

from core.errors import TableBusy
from core.postgres.locks import lock_timeouts
from core.postgres.tables import Cursor, Table, find_table

# Some tables, and those at the other end of their foreign keys that may be dropped, in the order of their names.
_WITH_NEIGHBOURS = """
select distinct c.oid, n.nspname, c.relname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.oid = any (%(tables)s) or pg_has_role(c.relowner, 'USAGE') and c.oid in (
    select unnest(array[conrelid, confrelid]) from pg_constraint
    where contype = 'f' and (conrelid = any (%(tables)s) or confrelid = any (%(tables)s)))
order by n.nspname, c.relname
"""


def lock_tables_for_load(cursor: Cursor, tables: Iterable[str], timeout_seconds: float) -> tuple[Table, ...]:
    """Lock ``tables`` and those at the other end of their foreign keys, both ways, ACCESS EXCLUSIVE until the end.

    Dropping a foreign key needs that lock on both its tables; those of other roles keep theirs, and are not locked.
    They are locked in the order of their names, so that two loads cannot wait for each other. ``TableBusy`` after
    ``timeout_seconds`` in all names who holds them; the transaction may go on.
    """
    oids = [find_table(cursor, table).oid for table in tables]
    cursor.execute(_WITH_NEIGHBOURS, {"tables": oids})
    locked = tuple(Table(*row) for row in cursor.fetchall())
    deadline = lock_timeouts.Deadline(timeout_seconds)
    for table in locked:
        statement = sql.SQL("lock table {} in access exclusive mode").format(table.identifier)
        if not lock_timeouts.take(cursor, statement, deadline):
            raise TableBusy(
                tables=table.name,
                holder=lock_timeouts.holders(cursor, locktype="relation", ids=[table.oid]),
                remedy="Run it again when that has ended.",
            )
    return locked
