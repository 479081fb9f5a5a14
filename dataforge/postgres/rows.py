"""Single rows of a model without the cost of ``save()``, for the few that every request writes."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

type _Fields = "tuple[models.Field[Any, Any], ...]"


def insert_rows(
    cursor: CursorWrapper, rows: Sequence[models.Model], *, asking: tuple[str, Sequence[Any]] | None = None
) -> None:
    """Insert ``rows``, in one message; keys are set, or PostgreSQL gives some that stay unseen. No signals, no checks.

    ``asking``: a query and its parameters, put in the same message; its answer is the cursor's. Django's database
    errors pass through.
    """
    statements, values = [], []
    for row in rows:
        statement, fields = _insert(type(row), keyed=row.pk is not None)
        statements.append(statement)
        values += [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    if asking:
        statements.append(asking[0])
        values += asking[1]
    cursor.execute("; ".join(statements), values)


@cache
def _insert(model: type[models.Model], *, keyed: bool) -> tuple[str, _Fields]:
    """Give the statement, and the fields whose values it takes."""
    fields = tuple(
        field for field in model._meta.concrete_fields if not field.generated and (keyed or not field.primary_key)
    )
    name = connection.ops.quote_name
    columns, places = ", ".join(name(str(field.column)) for field in fields), ", ".join(["%s"] * len(fields))
    return f"insert into {name(model._meta.db_table)} ({columns}) values ({places})", fields  # noqa: S608 - names only
