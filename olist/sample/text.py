"""Columns of text out of numbers, without a loop over rows. Every function gives n texts for n values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

type Ints = np.ndarray[Any, np.dtype[np.int64]]
type Floats = np.ndarray[Any, np.dtype[np.float64]]
type Mask = np.ndarray[Any, np.dtype[np.bool_]]

_ID_BYTES = 16
_HEX_PAIRS = np.array([f"{byte:02x}".encode() for byte in range(256)], "S2").view(np.uint16)


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Give a source of randomness that depends on nothing but ``seed`` and the stream's numbers."""
    return np.random.default_rng([seed, *stream])


def frame(columns: Mapping[str, pa.StringArray]) -> pd.DataFrame:
    """Lay columns of text (NULL: an empty cell) side by side."""
    dtype = pd.ArrowDtype(pa.string())
    return pd.DataFrame({name: pd.Series(values, dtype=dtype) for name, values in columns.items()})


def array(column: "pd.Series[Any]") -> pa.StringArray:
    """Give a frame's column back as Arrow text."""
    values = pa.array(column, pa.string())
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def hex_ids(rng: np.random.Generator, count: int) -> pa.StringArray:
    """Draw ids of 32 lower-case hexadecimal digits; 128 random bits never meet."""
    raw = rng.integers(0, 256, (count, _ID_BYTES), np.uint8)
    offsets = np.arange(count + 1, dtype=np.int32) * (2 * _ID_BYTES)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(_HEX_PAIRS[raw].tobytes()))


def moments(seconds: Ints, missing: Mask | None = None) -> pa.StringArray:
    """Write seconds since 1970 as ``2017-10-02 10:56:33``."""
    return pa.array(seconds.astype("datetime64[s]"), mask=missing).cast(pa.string())


def money(cents: Ints) -> pa.StringArray:
    """Write centavos as ``12.30``."""
    whole = pa.array(cents // 100).cast(pa.string())
    rest = pc.utf8_lpad(pa.array(cents % 100).cast(pa.string()), 2, "0")
    return pc.binary_join_element_wise(whole, rest, ".")


def integers(values: Ints, missing: Mask | None = None) -> pa.StringArray:
    """Write whole numbers."""
    return pa.array(values, mask=missing).cast(pa.string())


def degrees(values: Floats) -> pa.StringArray:
    """Write coordinates with all their digits (up to 17), never with an exponent."""
    return pa.array(np.where(np.abs(values) < 1e-3, 0.5, values)).cast(pa.string())


def zips(values: Ints) -> pa.StringArray:
    """Write zip prefixes with five digits."""
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), 5, "0")


def pick(words: Sequence[str] | pa.StringArray, at: Ints, missing: Mask | None = None) -> pa.StringArray:
    """Take ``words[at]``, NULL where missing."""
    source = words if isinstance(words, pa.StringArray) else pa.array(words, pa.string())
    return source.take(pa.array(at, mask=missing))


def share(count: int, fraction: float, *, least: int = 1) -> int:
    """Give a habit's number of records among ``count``: its published share, but never fewer than ``least``."""
    return max(least, round(count * fraction))
