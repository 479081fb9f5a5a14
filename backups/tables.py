"""Which table a name means, and what of it goes into a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.apps import apps
from django.conf import settings
from django.db import models
from psycopg2 import sql

from core.errors import BackupRefused, SourceUnreadable
from core.postgres.column_types import ArrowField, TableColumn, arrow_type, table_columns
from core.postgres.tables import Cursor, Table, find_table

TYPE_KEY = b"postgres"

type Model = type[models.Model]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A table's stored columns: what the database generates is in no file, and is made again by a restore.

    ``natural_key``: the columns by which people know a row; those of the key, where the model names no others.
    """

    table: Table
    model: Model
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]
    natural_key: tuple[str, ...]
    schema: pa.Schema

    @property
    def name(self) -> str:
        """The table's name in the database."""
        return self.table.name

    @property
    def identifier(self) -> sql.Identifier:
        """The quoted ``schema.name``."""
        return self.table.identifier


def known_models() -> dict[str, Model]:
    """All models with a table of their own, by that table's name."""
    all_models = apps.get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in all_models if not model._meta.proxy and not model._meta.swapped}


def table_named(name: str) -> str:
    """Return the table that ``name`` means: ``olist_orders``, ``orders`` where only one app has it, or ``olist.Order``.

    SourceUnreadable where none or several are meant.
    """
    models_by_table = known_models()
    if name in models_by_table:
        return name
    fitting = [
        table
        for table, model in models_by_table.items()
        if table == f"{model._meta.app_label}_{name}" or model._meta.label_lower == name.lower()
    ]
    if len(fitting) != 1:
        problem = f"may mean {', '.join(sorted(fitting))}" if fitting else "no model has such a table"
        remedy = "Name it as in the database (olist_orders) or by its model (olist.Order)."
        raise SourceUnreadable(path=name, problem=problem, remedy=remedy)
    return fitting[0]


def all_tables() -> tuple[str, ...]:
    """Return the tables of ``DATAFORGE_BACKUP_TABLES``: each entry names a whole app (``olist``) or one model."""
    names: list[str] = []
    for name in settings.DATAFORGE_BACKUP_TABLES:
        chosen = [apps.get_model(name)] if "." in name else apps.get_app_config(name).get_models()
        names.extend(model._meta.db_table for model in chosen)
    return tuple(dict.fromkeys(names))


def shape(cursor: Cursor, table: str) -> Shape:
    """Read what ``table`` is like now; BackupRefused names the columns whose type no file can hold exactly."""
    model = known_models()[table]
    columns = tuple(column for column in table_columns(cursor, table) if not column.generated)
    return Shape(
        table=find_table(cursor, table),
        model=model,
        columns=columns,
        key=tuple(str(field.column) for field in model._meta.pk_fields),
        natural_key=_natural_key(model),
        schema=_schema(table, columns),
    )


def ordered(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """Return parents before their children; a ring is left in the order of names."""
    waiting = {table.model: table for table in sorted(shapes, key=lambda table: table.name)}
    in_order: list[Shape] = []
    while waiting:
        free = [table for table in waiting.values() if not _parents(table.model) & waiting.keys() - {table.model}]
        in_order += free or list(waiting.values())[:1]
        waiting = {model: table for model, table in waiting.items() if table not in in_order}
    return tuple(in_order)


def with_column_types(schema: pa.Schema, columns: Sequence[TableColumn]) -> pa.Schema:
    """Mark each field with its column's PostgreSQL type."""
    return pa.schema(
        [field.with_metadata({TYPE_KEY: column.type.encode()}) for field, column in zip(schema, columns, strict=True)]
    )


def _schema(table: str, columns: Sequence[TableColumn]) -> pa.Schema:
    fields: list[ArrowField] = []
    problems: list[str] = []
    for column in columns:
        try:
            fields.append(pa.field(column.name, arrow_type(column), nullable=not column.not_null))
        except TypeError as error:
            problems.append(str(error))
    if problems:
        raise BackupRefused(
            what=table, problem="; ".join(problems), remedy="Keep such a table with pg_dump, or change the columns."
        )
    return with_column_types(pa.schema(fields), columns)


def _natural_key(model: Model) -> tuple[str, ...]:
    """Return the columns of the first key beside an automatic number that no two rows share."""
    meta = model._meta
    names = [str(field.column) for field in meta.pk_fields]
    if not isinstance(meta.pk, models.AutoField):
        return tuple(names)
    unique: list[Sequence[str]] = [
        (field.name,) for field in meta.concrete_fields if field.unique and not field.primary_key
    ]
    unique += [key.fields for key in meta.total_unique_constraints] + list(meta.unique_together)
    fields = [meta.get_field(name) for name in unique[0]] if unique else []
    return tuple(str(field.column) for field in fields if isinstance(field, models.Field)) or tuple(names)


def _parents(model: Model) -> set[Any]:
    return {field.related_model for field in model._meta.concrete_fields if field.is_relation}
