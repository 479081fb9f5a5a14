"""Single rows of a model without the cost of ``save()``, for the few that every request writes."""

from collections.abc import Sequence
from functools import cache
from itertools import groupby
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
    statements, values = [], list[Any]()
    for (model, keyed), alike in groupby(rows, key=lambda row: (type(row), row.pk is not None)):
        start, places, fields = _insert(model, keyed=keyed)
        cells = [field.get_db_prep_save(getattr(row, field.attname), cursor.db) for row in alike for field in fields]
        statements.append(start + ", ".join([places] * (len(cells) // len(fields))))
        values += cells
    if asking:
        statements.append(asking[0])
        values += asking[1]
    cursor.execute("; ".join(statements), values)


@cache
def _insert(model: type[models.Model], *, keyed: bool) -> tuple[str, str, _Fields]:
    """Return the statement up to its values, the places of one row's, and the fields that these are of."""
    fields = tuple(
        field for field in model._meta.concrete_fields if not field.generated and (keyed or not field.primary_key)
    )
    name = connection.ops.quote_name
    columns, places = ", ".join(name(str(field.column)) for field in fields), ", ".join(["%s"] * len(fields))
    return f"insert into {name(model._meta.db_table)} ({columns}) values ", f"({places})", fields  # noqa: S608 - names only
