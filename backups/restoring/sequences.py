"""Identity sequences after the highest key, so that the next row gets a number of its own."""

from psycopg2 import sql

from backups.tables import Shape
from core.postgres.tables import Cursor

# Sets a sequence to the highest value of its column, where it would otherwise give that value, or a lower one, again.
_RAISE_SEQUENCE = sql.SQL("""
select setval({name}, h.highest)
from (select max({column})::bigint as highest from {table}) as h, {sequence} as s
where h.highest > s.last_value or (h.highest = s.last_value and not s.is_called)
""")


def raise_sequences(cursor: Cursor, table: Shape) -> None:
    """Set each sequence that numbers a column of ``table`` to that column's highest value, never to a lower one.

    Numbers once given are not given again, also where their rows are gone: others may have kept them.
    """
    for column in table.columns:
        cursor.execute(
            "select pg_get_serial_sequence(%s, %s)", [table.identifier.as_string(cursor.connection), column.name]
        )
        ((sequence,),) = cursor.fetchall()
        if sequence is not None:
            cursor.execute(
                _RAISE_SEQUENCE.format(
                    name=sql.Literal(sequence),
                    column=sql.Identifier(column.name),
                    table=table.identifier,
                    sequence=sql.SQL(sequence),  # quoted by PostgreSQL itself
                )
            )
