"""Names for the column types that the pipeline passes around, and the bridge from Arrow to NumPy masks."""

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

type ArrowColumn = pa.Array[Any]
type Text = pa.Array[Any]  # of type string
type Rows = np.ndarray[Any, np.dtype[np.int64]]  # indices of records
type Mask = np.ndarray[Any, np.dtype[np.bool_]]  # one a record

# Signals are the program's: else one that comes while the main thread parses ends what is at work by ArrowCancelled,
# though the program only wanted to know that it shall stop. For all of pyarrow, which only here listens to signals.
pa.enable_signal_handlers(False)
read_csv = csv.read_csv


def schema_of(*fields: "pa.Field[Any]") -> pa.Schema:
    """Return the schema of ``fields``."""
    return pa.schema(list(fields))


def certain(values: Any) -> Any:
    """Take NULL for false in a boolean column; most have none, and asking costs less than filling."""
    return values.fill_null(False) if values.null_count else values


def mask_of(values: Any) -> Mask:
    """Return a boolean column as a NumPy mask; NULL counts as false."""
    return np.asarray(certain(values).to_numpy(zero_copy_only=False))


def indices(rows: Rows) -> Any:
    """Return row numbers as Arrow's ``take`` wants them."""
    return pa.array(rows, pa.int64())


def bools(mask: Mask) -> Any:
    """Return a mask as Arrow's ``filter`` wants it."""
    return pa.array(mask, pa.bool_())


def octets_of(text: Text) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Return the bytes of all texts of a column, one after the other; what stands for NULL may be among them."""
    _, offsets, data = text.buffers()
    ends = np.frombuffer(offsets or bytes(4), np.int32)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]
