"""A Reason: one way in which a record is wrong. Reasons are data, one Arrow row each."""

from typing import Any

import pyarrow as pa

from core.arrow import Rows, indices, schema_of

REASON_SCHEMA = schema_of(
    pa.field("row", pa.int64(), nullable=False),  # index of the record among the columns that were checked
    pa.field("field", pa.string()),  # NULL: the record as a whole
    pa.field("code", pa.string(), nullable=False),
    pa.field("message", pa.string(), nullable=False),
    pa.field("value", pa.string()),  # as it came
    pa.field("constraint", pa.string()),  # the violated constraint's name, for `check` and `database`
)
REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."
UNKNOWN_FIELD = "This table has no such field."
SURROGATE = "Surrogate characters are not allowed."


def reasons(
    rows: Rows,
    *,
    field: str | None,
    code: str,
    message: str,
    values: Any = None,
    constraint: str | None = None,
) -> pa.Table:
    """Return one reason for every record of ``rows`` (int64 indices); ``values`` are the texts that caused it."""
    count = len(rows)
    return pa.table(
        [
            indices(rows),
            pa.repeat(pa.scalar(field, pa.string()), count),
            pa.repeat(pa.scalar(code), count),
            pa.repeat(pa.scalar(message), count),
            pa.nulls(count, pa.string()) if values is None else values,
            pa.repeat(pa.scalar(constraint, pa.string()), count),
        ],
        schema=REASON_SCHEMA,
    )
