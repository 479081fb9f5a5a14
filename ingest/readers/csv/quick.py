"""The quick way to cut a stretch of CSV into records: count quotes, believe only what is well formed."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.readers.csv.escapes import without_pairs

_LF, _CR, _QUOTE, _COMMA = b'\n\r",'


@dataclass(frozen=True, kw_only=True)
class QuickSplit:
    """The n whole records at the start of a buffer; what follows ``length`` waits for more bytes."""

    length: int  # bytes, line ends included
    raw: pa.BinaryArray  # n exact records without their line ends
    line: npt.NDArray[np.int64]  # n physical lines before each record, from the start of the buffer
    lines: int  # physical lines in all
    ends: npt.NDArray[np.int64]  # n offsets of the line feeds that end the records

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Bytes of each record with its line end."""
        return np.diff(self.ends, prepend=-1)


def split_records(buffer: bytes, *, escaped: bool = False) -> QuickSplit | None:
    """Cut ``buffer``, which starts at a record, after its last whole record; ``escaped``: by backslashes.

    A line feed ends a record if the quotes before it are even in number. None: a quote stands where none may stand, or
    a carriage return outside quotes has no line feed, so that parity proves nothing.
    """
    octets = np.frombuffer(without_pairs(buffer) if escaped else buffer, np.uint8)
    marks = np.flatnonzero((octets == _LF) | (octets == _QUOTE))
    is_quote = octets[marks] == _QUOTE
    is_feed = ~is_quote
    feeds = marks[is_feed]
    outside = np.flatnonzero(~np.logical_xor.accumulate(is_quote)[is_feed])
    ends = feeds[outside]
    length = int(ends[-1]) + 1 if len(ends) else 0
    quotes = marks[is_quote]
    quotes = quotes[: np.searchsorted(quotes, length)]
    if not _quotes_are_sound(octets, quotes) or _has_lone_return(buffer, octets[:length], quotes):
        return None
    line = np.zeros(len(ends), np.int64)
    line[1:] = outside[:-1] + 1
    return QuickSplit(
        length=length,
        raw=_cut(buffer, octets, ends),
        line=line,
        lines=int(outside[-1]) + 1 if length else 0,
        ends=ends,
    )


def doubtful_lines(buffer: bytes, *, fields: int) -> list[int]:
    """Return the offsets of physical lines that are no record of so many ``fields`` by themselves, in order.

    The last is where the last line feed is passed. A line is judged as if a record began with it: one inside quotes
    may pass. UTF-8 and length are not looked at.
    """
    octets = np.frombuffer(buffer, np.uint8)
    marks = np.flatnonzero((octets == _LF) | (octets == _QUOTE) | (octets == _COMMA))
    kinds = octets[marks]
    feeds = np.flatnonzero(kinds == _LF)
    starts = np.append(0, marks[feeds] + 1)
    is_quote = kinds == _QUOTE
    quotes = np.cumsum(is_quote, dtype=np.int32)
    # From here on, whether the quotes up to a mark, and on its own line, are odd in number.
    odd = (quotes - np.repeat(np.append(0, quotes[feeds]), np.diff(feeds, prepend=-1, append=len(marks) - 1))) & 1 == 1
    opening, closing = marks[is_quote & odd], marks[is_quote & ~odd]
    faults = [
        starts[:-1][odd[feeds]],
        starts[:-1][np.diff(np.cumsum((kinds == _COMMA) & ~odd)[feeds], prepend=0) != fields - 1],
        opening[~np.isin(octets[opening - 1], (_COMMA, _LF, _QUOTE)) & (opening > 0)],
        closing[~np.isin(octets[np.minimum(closing + 1, len(octets) - 1)], (_COMMA, _LF, _QUOTE, _CR))],
        starts[:-1][np.isin(octets[starts[:-1]], (_LF, _CR))],
    ]
    if b"\r" in buffer:
        returns = np.flatnonzero(octets == _CR)
        faults.append(returns[octets[np.minimum(returns + 1, len(octets) - 1)] != _LF])
    lines = np.unique(np.searchsorted(starts, np.concatenate(faults), side="right") - 1)
    return [*starts[lines[lines < len(feeds)]].tolist(), int(starts[-1])]


def _quotes_are_sound(octets: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64]) -> bool:
    """Opening quotes only at the start of a field or after a quote, closing ones only before its end or a quote."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = octets[opening[1:] - 1 if len(opening) and opening[0] == 0 else opening - 1]
    after = octets[closing + 1]
    sound = ((before == _COMMA) | (before == _LF) | (before == _QUOTE)).all()
    return bool(sound and ((after == _COMMA) | (after == _LF) | (after == _QUOTE) | (after == _CR)).all())


def _has_lone_return(buffer: bytes, octets: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64]) -> bool:
    if b"\r" not in buffer:
        return False
    returns = np.flatnonzero(octets == _CR)
    lone = returns[octets[returns + 1] != _LF]
    return bool(((np.searchsorted(quotes, lone) & 1) == 0).any())


def _cut(buffer: bytes, octets: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """Make the records of the bytes up to each of ``ends`` (offsets of line feeds), without LF or CRLF."""
    before = octets[np.maximum(ends - 1, 0)] == _CR  # never wrapping round to the last byte
    if not before.any():
        offsets = np.zeros(len(ends) + 1, np.int32)
        offsets[1:] = ends + 1
        return pc.binary_slice(_over(buffer, offsets), 0, -1)
    bounds = np.zeros(2 * len(ends) + 1, np.int32)
    bounds[1::2] = ends - before
    bounds[2::2] = ends + 1
    return _over(buffer, bounds)[::2]


def _over(buffer: bytes, offsets: npt.NDArray[np.int32]) -> pa.BinaryArray:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(buffer)]
    return cast("pa.BinaryArray", pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers))
