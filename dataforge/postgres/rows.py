"""Single rows of a model without the cost of ``save()``, for the few that every request writes."""

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql


def insert_row(cursor: CursorWrapper, row: models.Model) -> None:
    """Insert ``row``; its primary key is set, or PostgreSQL gives one that stays unseen. No signals, no checks.

    Django's database errors pass through.
    """
    fields = [
        field
        for field in row._meta.concrete_fields
        if not field.generated and not (field.primary_key and row.pk is None)
    ]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    comma = sql.SQL(", ")
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(row._meta.db_table),
        comma.join(sql.Identifier(str(field.column)) for field in fields),
        comma.join([sql.Placeholder()] * len(fields)),
    )
    cursor.execute(statement, values)
