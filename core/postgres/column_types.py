"""Columns of a table and the Arrow types that hold them exactly, in both directions of COPY.

Binary COPY carries no types: an int64 sent into ``double precision`` is stored as 2.08e-322 without an error, and a
decimal with too many places is rounded. So the schema is compared with the catalogue before the first byte goes out.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from core.errors import DatabaseFailed
from core.postgres.tables import Cursor, find_table

type ArrowField = pa.Field[pa.DataType]

# pgpq must write a version byte before each jsonb value; the field says so, because Arrow has no type for JSON.
JSONB_METADATA: dict[bytes | str, bytes | str] = {b"postgres": b"jsonb"}

_TYPES: dict[str, pa.DataType] = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "bytea": pa.binary(),
    "character varying": pa.string(),
    "date": pa.date32(),
    "double precision": pa.float64(),
    "integer": pa.int32(),
    "jsonb": pa.string(),
    "real": pa.float32(),
    "smallint": pa.int16(),
    "text": pa.string(),
    # Not varchar[]: an array names the type of its elements, and pgpq always names text.
    "text[]": pa.list_(pa.string()),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "timestamp without time zone": pa.timestamp("us"),
    "uuid": pa.uuid(),
}
# The columns of a table in their order, as the members of TableColumn.
_COLUMNS = """
select attname, format_type(atttypid, atttypmod), attnotnull, attidentity <> '', attgenerated <> ''
from pg_attribute
where attrelid = to_regclass(quote_ident(%s)) and attnum > 0 and not attisdropped
order by attnum
"""
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_VARCHAR = re.compile(r"character varying\(\d+\)")
_DECIMAL128_DIGITS = 38


@dataclass(frozen=True)
class TableColumn:
    """One column; ``type`` is PostgreSQL's own spelling, as ``numeric(10,2)`` or ``character varying(5)``."""

    name: str
    type: str
    not_null: bool
    identity: bool
    generated: bool


def table_columns(cursor: Cursor, table: str) -> tuple[TableColumn, ...]:
    """Read the columns of ``table`` from the catalogue, in their order; ``DatabaseFailed`` if there is none such."""
    cursor.execute(_COLUMNS, [table])
    rows = cursor.fetchall()
    if not rows:
        find_table(cursor, table)  # which says that it is missing
    return tuple(TableColumn(*row) for row in rows)


def arrow_type(column: TableColumn) -> pa.DataType:
    """Name the Arrow type that holds every value of ``column`` exactly; ``TypeError`` where there is none.

    ``text[]`` is ``list<string>``, ``uuid`` is ``pa.uuid()``, ``timestamp`` is naive and in microseconds.
    """
    if numeric := _NUMERIC.fullmatch(column.type):
        digits, places = int(numeric[1]), int(numeric[2])
        if digits <= _DECIMAL128_DIGITS:
            return pa.decimal128(digits, places)
    name = "character varying" if _VARCHAR.fullmatch(column.type) else column.type
    if name not in _TYPES:
        raise TypeError(f"column {column.name}: no Arrow type is written to or read from {column.type} exactly")
    return _TYPES[name]


def arrow_field(column: TableColumn) -> ArrowField:
    """Describe ``column`` for Arrow, marked if it is ``jsonb`` (see ``JSONB_METADATA``)."""
    metadata = JSONB_METADATA if column.type == "jsonb" else None
    return pa.field(column.name, arrow_type(column), nullable=not column.not_null, metadata=metadata)


def is_jsonb(field: ArrowField) -> bool:
    """Tell a text field that is written to a ``jsonb`` column."""
    return (field.metadata or {}).get(b"postgres") == b"jsonb"


def assert_matches(cursor: Cursor, table: str, schema: pa.Schema) -> pa.Schema:
    """Refuse rows that ``table`` would store as something else; return the schema to encode them by.

    ``schema`` names some or all columns of ``table``, in any order, each with the type of ``arrow_type`` (a uuid
    also as ``fixed_size_binary(16)``). The returned schema has the same fields with ``jsonb`` marked.
    ``DatabaseFailed`` names every column that is unknown, doubled, generated or of another type.
    """
    return _matched(table, table_columns(cursor, table), schema)


@lru_cache(maxsize=64)  # by what the catalogue says at this moment
def _matched(table: str, columns: tuple[TableColumn, ...], schema: pa.Schema) -> pa.Schema:
    by_name = {column.name: column for column in columns}
    problems = [problem for field in schema if (problem := _mismatch(field, by_name.get(field.name)))]
    doubled = {name for name in schema.names if schema.names.count(name) > 1}
    problems += [f"column {name} is named twice" for name in sorted(doubled)]
    if problems:
        raise DatabaseFailed(
            work=f"the check of table {table} before writing",
            problem="; ".join(problems),
            remedy="Run `manage.py migrate`: the database and the models must have the same columns.",
        )
    return pa.schema(
        [
            field.with_metadata(JSONB_METADATA) if by_name[field.name].type == "jsonb" else field.remove_metadata()
            for field in schema
        ]
    )


def _mismatch(field: ArrowField, column: TableColumn | None) -> str | None:
    if column is None:
        return f"column {field.name} does not exist"
    if column.generated:
        return f"column {field.name} is generated by the database"
    try:
        wanted = arrow_type(column)
    except TypeError as error:
        return str(error)
    allowed = (wanted, pa.binary(16)) if column.type == "uuid" else (wanted,)
    if field.type in allowed:
        return None
    return f"column {field.name} is {column.type} and takes {wanted}, not {field.type}"
