"""Identity sequences after the highest key, so that the next row gets a number of its own."""

from psycopg2 import sql

from backups.tables import Shape
from core.postgres.tables import Cursor


def raise_sequences(cursor: Cursor, table: Shape) -> None:
    """Set each sequence that numbers a column of ``table`` to that column's highest value, never to a lower one.

    Numbers once given are not given again, also where their rows are gone: others may have kept them.
    """
    for column in table.columns:
        cursor.execute(
            "SELECT pg_get_serial_sequence(%s, %s)", [table.identifier.as_string(cursor.connection), column.name]
        )
        ((sequence,),) = cursor.fetchall()
        if sequence is not None:
            cursor.execute(
                sql.SQL(
                    "SELECT setval({name}, h.highest) FROM (SELECT max({column})::bigint AS highest FROM {table}) AS h,"
                    " {sequence} AS s WHERE h.highest > s.last_value OR (h.highest = s.last_value AND NOT s.is_called)"
                ).format(
                    name=sql.Literal(sequence),
                    column=sql.Identifier(column.name),
                    table=table.identifier,
                    sequence=sql.SQL(sequence),  # quoted by PostgreSQL itself
                )
            )
