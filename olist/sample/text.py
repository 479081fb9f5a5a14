"""Columns of text out of numbers, without a loop over rows. Every function gives n texts for n values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

type Ints = np.ndarray[Any, np.dtype[np.int64]]
type Floats = np.ndarray[Any, np.dtype[np.float64]]
type Text = pa.Array[pa.Scalar[pa.lib.StringType]]
type Lines = pa.Array[pa.Scalar[pa.lib.BinaryType]]
type Mask = np.ndarray[Any, np.dtype[np.bool_]]

_ID_BYTES = 16
_HEX_PAIRS = np.array([f"{byte:02x}".encode() for byte in range(256)], "S2").view(np.uint16)


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Return a source of randomness that depends on nothing but ``seed`` and the stream's numbers."""
    return np.random.default_rng([seed, *stream])


def frame(columns: Mapping[str, Text]) -> pd.DataFrame:
    """Lay columns of text (NULL: an empty cell) side by side."""
    dtype = pd.ArrowDtype(pa.string())
    return pd.DataFrame({name: pd.Series(values, dtype=dtype) for name, values in columns.items()})


def array(column: "pd.Series[Any]") -> Text:
    """Return a frame's column back as Arrow text."""
    values: Any = pa.array(column, pa.string())
    if not isinstance(values, pa.ChunkedArray):
        whole: Text = values
        return whole
    # combine_chunks copies even a single chunk
    joined: Any = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    in_one: Text = joined
    return in_one


def filled(values: Text) -> Text:
    """Write NULL as an empty text."""
    full: Text = pc.call_function("coalesce", [values, pa.scalar("")])
    return full


def hex_ids(rng: np.random.Generator, count: int) -> Text:
    """Draw ids of 32 lower-case hexadecimal digits; 128 random bits never meet."""
    raw = rng.integers(0, 256, (count, _ID_BYTES), np.uint8)
    offsets = np.arange(count + 1, dtype=np.int32) * (2 * _ID_BYTES)
    ids: Text = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(_HEX_PAIRS[raw].tobytes()))
    return ids


def moments(seconds: Ints, missing: Mask | None = None) -> Text:
    """Write seconds since 1970 as ``2017-10-02 10:56:33``."""
    written: Text = pa.array(seconds.astype("datetime64[s]"), mask=missing).cast(pa.string())
    return written


def money(cents: Ints) -> Text:
    """Write centavos as ``12.30``."""
    whole = pa.array(cents // 100).cast(pa.string())
    rest = pc.utf8_lpad(pa.array(cents % 100).cast(pa.string()), 2, "0")
    return glue(whole, rest, separator=".")


def integers(values: Ints, missing: Mask | None = None) -> Text:
    """Write whole numbers."""
    return pa.array(values, mask=missing).cast(pa.string())


def degrees(values: Floats) -> Text:
    """Write coordinates with all their digits (up to 17), never with an exponent."""
    return pa.array(np.where(np.abs(values) < 1e-3, 0.5, values)).cast(pa.string())


def zips(values: Ints) -> Text:
    """Write zip prefixes with five digits."""
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), 5, "0")


def pick(words: Sequence[str] | Text, at: Ints, missing: Mask | None = None) -> Text:
    """Take ``words[at]``, NULL where missing."""
    source = words if isinstance(words, pa.Array) else pa.array(words, pa.string())
    return source.take(at if missing is None else pa.array(at, pa.int64(), mask=missing))


def glue(*parts: Text | str, separator: str = "") -> Text:
    """Put columns of text (and texts that are the same in all rows) together, row by row."""
    columns = [pa.scalar(part) if isinstance(part, str) else part for part in (*parts, separator)]
    glued: Text = pc.call_function("binary_join_element_wise", columns)
    return glued


def share(count: int, fraction: float, *, least: int = 1) -> int:
    """Return a habit's number of records among ``count``: its published share, but never fewer than ``least``."""
    return max(least, round(count * fraction))
