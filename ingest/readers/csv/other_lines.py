"""Lines of a file that are no records: its header once more, and blank ones; and byte-order marks before its records.

Files joined by ``cat`` bring their headers and marks along, and spreadsheets pad rows that were emptied with commas.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ingest.readers.csv.header import BOM
from ingest.readers.csv.quick import QuickSplit
from ingest.rules.normalise import WHITE_SPACE

BLANK_LINE, HEADER_LINE = "blank_line", "header_line"
BYTE_ORDER_MARK = "byte_order_mark"  # the rule under which records are counted that began with one

_PADDING = [mark.encode() for mark in f"{WHITE_SPACE}," if mark not in "\r\n"]


def _pattern(octets: bytes) -> str:
    """Write ``octets`` for Python's and Arrow's regular expressions alike."""
    return "".join(f"\\x{octet:02X}" for octet in octets)


_MARK = _pattern(BOM)
_MARKS = re.compile(f"(?:{_MARK})++".encode())
_BLANK = (
    f"(?:[{''.join(_pattern(mark) for mark in _PADDING if len(mark) == 1)}]"
    f"|{'|'.join(_pattern(mark) for mark in _PADDING if len(mark) > 1)})*"
)
_BLANK_LINES = re.compile(rf"(?:{_BLANK}+\r?\n)++".encode())
_LEADING = np.zeros(256, bool)  # octets with which a blank line or a mark may begin
_LEADING[[mark[0] for mark in (BOM, b"\r", b"\n", *_PADDING)]] = True


class OtherLine(NamedTuple):
    """Lines of one kind that follow one another."""

    kind: str
    end: int  # offset behind their last line end


class OtherLines:
    """Knows the lines of one file that are no records; ``names`` are its header's."""

    def __init__(self, names: Sequence[str]) -> None:
        header = ",".join(map(_cell, names))
        self._header = re.compile(rf"(?:{header})\r?\n".encode())
        self._other = rf"\A(?:{_MARK}|{_BLANK}\z|(?:{header})\z)"
        self.pattern = rf"{_MARK}|{_BLANK}+\r?\n|(?:{header})\r?\n".encode()  # a line that is no plain record
        self._first_name = re.split(rb'[",\r\n]', names[0].encode())[0]

    def match(self, buffer: bytes, at: int, stop: int) -> OtherLine | None:
        """Return the lines between ``at`` and ``stop`` that are no records; None if one begins at ``at``."""
        blank = _BLANK_LINES.match(buffer, at, stop)
        if blank:
            return OtherLine(BLANK_LINE, blank.end())
        header = self._header.match(buffer, at, stop)
        return OtherLine(HEADER_LINE, header.end()) if header else None

    def are_among(self, buffer: bytes, split: QuickSplit) -> bool:
        """Tell whether any record of ``split``, which was cut out of ``buffer``, is none, or begins with a mark."""
        rows = self._likely(buffer, np.append(0, split.ends[:-1] + 1))
        if not len(rows):
            return False
        return bool(pc.any(pc.match_substring_regex(split.raw.take(rows), self._other)).as_py())

    def likely_starts(self, buffer: bytes) -> npt.NDArray[np.int64]:
        """Return the offsets of the physical lines that may be no plain records, by how they begin."""
        starts = np.append(0, np.flatnonzero(np.frombuffer(buffer, np.uint8) == ord("\n")) + 1)[:-1]
        return starts[self._likely(buffer, starts)]

    def _likely(self, buffer: bytes, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        octets = np.frombuffer(buffer, np.uint8)
        leading = np.flatnonzero(_LEADING[octets[starts]])
        if self._first_name not in buffer:  # as in nearly all of a file, which costs nearly nothing to see
            return leading
        found = [leading]
        for begin in (self._first_name, b'"' + self._first_name):
            rows = np.arange(len(starts))
            for offset, octet in enumerate(begin):
                rows = rows[octets[np.minimum(starts[rows] + offset, len(octets) - 1)] == octet]
            found.append(rows)
        return np.unique(np.concatenate(found))


@lru_cache(maxsize=64)
def other_lines(names: tuple[str, ...]) -> OtherLines:
    """Return what knows the lines that are no records below the header ``names``."""
    return OtherLines(names)


def behind_marks(buffer: bytes, at: int, stop: int) -> int:
    """Return the offset behind the byte-order marks at ``at``; ``at`` where there are none."""
    marks = _MARKS.match(buffer, at, stop)
    return marks.end() if marks else at


def _cell(name: str) -> str:
    """Return the pattern of a cell that holds ``name``, quoted or not."""
    quoted = _pattern(b'"' + name.encode().replace(b'"', b'""') + b'"')
    bare = not name.startswith('"') and not re.search(r"[,\r\n]", name)
    return f"(?:{_pattern(name.encode())}|{quoted})" if bare else quoted
