"""How columns are written so that every reader reads them: with a dictionary or plain, and nothing newer than these.

fastparquet gives wrong numbers for DELTA_BINARY_PACKED, and none for the other encodings of Parquet's second version;
a list it reads from a dictionary alone: from a plain page every list comes as None, without a word. So elements of
lists always have one, and the writer may not leave it, however large it grows: a row group bounds it.
"""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SAMPLE_ROWS = 32 * 1024
NEVER_LEFT_BYTES = 1 << 30  # more than a row group holds, and than PostgreSQL lets a value be


def writer_options(first: pa.Table) -> dict[str, Any]:
    """Return how ``pq.ParquetWriter`` writes a file, by its first rows.

    Those columns have a dictionary that are smaller with one, and lists.
    """
    sample = first.slice(0, SAMPLE_ROWS)
    return {
        "compression": "zstd",
        "store_decimal_as_integer": True,
        "use_dictionary": [path for field in sample.schema for path in _with_dictionary(sample, field.name)],
        "dictionary_pagesize_limit": NEVER_LEFT_BYTES,
    }


def _with_dictionary(sample: pa.Table, name: str) -> list[str]:
    kind = sample.schema.field(name).type
    if pa.types.is_list(kind):
        return [f"{name}.list.element"]
    if pa.types.is_boolean(kind) or pa.types.is_binary(kind):
        return []
    column = sample.select([name])
    return [name] if _size(column, use_dictionary=True) < _size(column, use_dictionary=False) else []


def _size(column: pa.Table, *, use_dictionary: bool) -> int:
    sink = pa.BufferOutputStream()
    pq.write_table(column, sink, compression="zstd", store_decimal_as_integer=True, use_dictionary=use_dictionary)
    return sink.getvalue().size
