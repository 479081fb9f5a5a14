"""A Reason: one way in which a record is wrong. Reasons are data, one Arrow row each."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Rows, indices, schema_of

type _Column = ArrowColumn | pa.ChunkedArray[Any]

REASON_SCHEMA = schema_of(
    pa.field("position", pa.int64(), nullable=False),  # of the record in its batch or file
    pa.field("field", pa.string()),  # NULL: the record as a whole
    pa.field("code", pa.string(), nullable=False),
    pa.field("message", pa.string(), nullable=False),
    pa.field("value", pa.string()),  # as it came
    pa.field("constraint", pa.string()),  # the violated constraint's name, for `check` and `database`
)
# While ``process`` works, a record is its index among the columns that are checked.
ROW_REASON_SCHEMA = REASON_SCHEMA.set(0, pa.field("row", pa.int64(), nullable=False))
SUPERSEDED_IN_BATCH = "superseded_in_batch"  # the code of records that are no fault of their sender: a later one counts
REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."
UNKNOWN_FIELD = "This table has no such field."
SURROGATE = "Surrogate characters are not allowed."


def reasons(
    records: Rows | _Column,
    *,
    field: str | None,
    code: str | _Column,
    message: str | _Column,
    values: Any = None,
    constraint: str | _Column | None = None,
    schema: pa.Schema = REASON_SCHEMA,
) -> pa.Table:
    """Return one reason for every one of n records, by their positions (or rows, as ``schema`` says).

    ``values`` are the texts that caused it. Where records differ, ``code``, ``message`` and ``constraint`` are n texts.
    """
    count = len(records)
    return pa.table(
        [
            records if isinstance(records, pa.Array | pa.ChunkedArray) else indices(records),
            _texts(field, count),
            _texts(code, count),
            _texts(message, count),
            _texts(values, count),
            _texts(constraint, count),
        ],
        schema=schema,
    )


def by_position(at_rows: pa.Table, position: pa.Int64Array) -> pa.Table:
    """Turn reasons by row into reasons by position; ``position`` is that of each row."""
    if not len(at_rows):
        return REASON_SCHEMA.empty_table()
    return pa.table([position.take(at_rows["row"]), *at_rows.columns[1:]], schema=REASON_SCHEMA)


def by_row(at_positions: pa.Table, position: pa.Int64Array) -> pa.Table:
    """Turn reasons by position into reasons by row; those of other records than these are left out."""
    if not len(at_positions):
        return ROW_REASON_SCHEMA.empty_table()
    rows = pc.index_in(at_positions["position"], position).cast(pa.int64())
    return pa.table([rows, *at_positions.columns[1:]], schema=ROW_REASON_SCHEMA).filter(pc.is_valid(rows))


def _texts(value: Any, count: int) -> Any:
    """Repeat one text, or none at all, ``count`` times; texts that are n already stay."""
    return pa.repeat(pa.scalar(value, pa.string()), count) if value is None or isinstance(value, str) else value
