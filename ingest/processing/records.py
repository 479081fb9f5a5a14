"""The currency between a reader and ``process``: raw records of one table, as columns of text."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from core.arrow import Rows, schema_of

# A record that could not be split into fields (ragged row, bytes that are not UTF-8, a broken quote): one row each.
UNREADABLE_SCHEMA = schema_of(
    pa.field("position", pa.int64(), nullable=False),  # record number from 1; the header is not counted
    pa.field("line", pa.int64()),  # physical line on which the record begins (the header is line 1)
    pa.field("raw", pa.binary(), nullable=False),  # exact bytes, without the line end
    pa.field("code", pa.string(), nullable=False),
    pa.field("message", pa.string(), nullable=False),
)
# A value that its source format cannot mean (JSON `true` for a number, an unknown member): one row each.
FAULT_SCHEMA = schema_of(
    pa.field("row", pa.int64(), nullable=False),  # index into `columns` of the same Records
    pa.field("field", pa.string(), nullable=False),
    pa.field("code", pa.string(), nullable=False),
    pa.field("message", pa.string(), nullable=False),
    pa.field("value", pa.string()),
)


@dataclass(frozen=True, kw_only=True)
class Records:
    """Some records of one table, in the order of their source.

    ``columns`` has n rows and one ``string`` column for each field that the source names: NULL is an explicit null
    (JSON ``null``; in CSV the word that means it), ``''`` an empty text; a field without a column is absent from every
    record. ``position``, ``line`` and ``raw`` have n items too; ``raw`` may be what gives them, for only rejects need
    the exact bytes. ``repaired``: rows whose value reading itself has changed, by rule. ``unreadable`` holds the
    records of the same stretch that have no fields at all; their positions interleave with ``position``.
    """

    columns: pa.Table
    position: pa.Int64Array
    raw: pa.BinaryArray | Callable[[], pa.BinaryArray]
    line: pa.Int64Array | None = None
    absent: dict[str, pa.BooleanArray] = field(default_factory=dict)  # field -> mask of records without that member
    repaired: tuple[tuple[str, Rows], ...] = ()
    faults: pa.Table = field(default_factory=FAULT_SCHEMA.empty_table)
    unreadable: pa.Table = field(default_factory=UNREADABLE_SCHEMA.empty_table)

    def __len__(self) -> int:
        """Count every record, also the unreadable ones."""
        return self.columns.num_rows + self.unreadable.num_rows

    def exact(self) -> pa.BinaryArray:
        """Return the exact bytes of the n records."""
        return self.raw() if callable(self.raw) else self.raw
