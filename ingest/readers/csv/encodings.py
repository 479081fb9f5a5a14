"""Windows-1252 read as UTF-8 and written back; and cells of UTF-8 that a program took for Latin letters."""

import codecs
import re
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Rows, Text, bools, indices, mask_of, octets_of
from ingest.processing.records import UNREADABLE_SCHEMA, Records

CP1252 = "cp1252"
TWICE = "utf-8-twice"
RULE = "utf_8_twice"  # under which the cells that were decoded once more are counted
_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"
# Five bytes of Windows-1252 are no characters: in UTF-8 they become bytes that cannot stand there, so that whoever
# checks UTF-8 finds them, and each goes back to what it was.
_NEVER_UTF8 = b"\xf8\xf9\xfa\xfb\xfc"
_CHARACTERS = "".join(
    (_NEVER_UTF8[_UNDEFINED.index(octet)] if octet in _UNDEFINED else octet)
    .to_bytes()
    .decode("ascii" if octet in _UNDEFINED else CP1252, "surrogateescape")
    for octet in range(256)
)
_OCTETS = codecs.charmap_build(_CHARACTERS)
_NO_CHARACTER = re.compile(b"[" + re.escape(_UNDEFINED) + b"]")
# What a program makes a byte of UTF-8 into: the control or letter of that number (SheetJS), or what Windows-1252 has in
# its place (spreadsheets; of its five undefined bytes, the control).
_LATIN = {ord(bytes([octet]).decode(CP1252, "ignore") or chr(octet)): octet for octet in range(0x80, 0xA0)}
_FOLLOWS = "[" + "".join(f"\\x{{{code:x}}}" for code in sorted({*_LATIN, *range(0x80, 0xC0)})) + "]"
_FIRST, _BEGINS_SECOND = 0xC3, [0xC2, 0xC5, 0xC6, 0xCB, 0xE2]  # how the first two letters begin in UTF-8
_TWICE = rf"\A(?:[\x00-\x7f]|[\xc2-\xdf]{_FOLLOWS}|[\xe0-\xef]{_FOLLOWS}{{2}}|[\xf0-\xf4]{_FOLLOWS}{{3}})*\z"


def from_cp1252(block: bytes) -> bytes:
    """Write any bytes of Windows-1252 as UTF-8, where an undefined byte makes UTF-8 that is none."""
    if block.isascii():
        return block
    return codecs.charmap_decode(block, "strict", _CHARACTERS)[0].encode("utf-8", "surrogateescape")


def _to_cp1252(text: bytes) -> bytes:
    return codecs.charmap_encode(text.decode("utf-8", "surrogateescape"), "strict", _OCTETS)[0]


def in_cp1252(records: Records) -> Records:
    """Give records that were read from ``from_cp1252`` the bytes of their file, and faults of encoding its words."""
    unreadable = pa.Table.from_pylist([_refused(row) for row in records.unreadable.to_pylist()], UNREADABLE_SCHEMA)
    return replace(records, raw=lambda: _exact(records.exact()), unreadable=unreadable)


def _refused(row: dict[str, Any]) -> dict[str, Any]:
    raw = _to_cp1252(row["raw"])
    undefined = _NO_CHARACTER.search(raw)
    if row["code"] == "encoding" and undefined:
        where = f"byte 0x{undefined[0][0]:02X} at offset {undefined.start()} of the record"
        return {**row, "raw": raw, "message": f"{where} is no character of Windows-1252"}
    return {**row, "raw": raw}


def _exact(raw: pa.BinaryArray) -> pa.BinaryArray:
    octets = octets_of(raw)
    text = octets.tobytes()
    if text.isascii():
        return raw
    starts = np.append(0, np.cumsum((octets & 0xC0) != 0x80))  # characters, each of which was a byte, before an offset
    offsets = np.append(0, np.cumsum(pc.binary_length(raw).to_numpy()))
    bounds = starts[offsets].astype(np.int32)
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(_to_cp1252(text))]
    return cast("pa.BinaryArray", pa.Array.from_buffers(pa.binary(), len(raw), buffers))


def high_cells(text: Text) -> Rows:
    """Return which cells hold characters beyond ASCII."""
    if octets_of(text).max(initial=0) < 0x80:
        return np.empty(0, np.int64)
    return np.flatnonzero(mask_of(pc.not_equal(pc.binary_length(text), pc.utf8_length(text))))


def decoded_again(cells: Text) -> tuple[Rows, list[str]]:
    """Return which cells were UTF-8 already when a program took their bytes for letters, and what they were."""
    rows: list[int] = []
    meant: list[str] = []
    octets = octets_of(cells)
    first = np.flatnonzero(octets[:-2] == _FIRST)
    if not np.isin(octets[first + 2], _BEGINS_SECOND).any():  # as in nearly every file, known without a look at cells
        return np.empty(0, np.int64), meant
    for row in np.flatnonzero(mask_of(pc.match_substring_regex(cells, _TWICE))).tolist():
        again = _again(str(cells[row]))
        if again is not None:
            rows.append(row)
            meant.append(again)
    return np.array(rows, np.int64), meant


def _again(cell: str) -> str | None:
    try:
        return cell.translate(_LATIN).encode("latin-1").decode()
    except UnicodeError:  # what stands there has the form of UTF-8, but is none: too long a form, or half a pair
        return None


def to_utf8_once(text: Text) -> tuple[Text, Rows, int]:
    """Decode cells once more where they can be; return which rows these are, and how many others are beyond ASCII."""
    high = high_cells(text)
    decoded, meant = decoded_again(text.take(indices(high)))
    rows = high[decoded]
    if not len(rows):
        return text, rows, len(high)
    mask = np.zeros(len(text), bool)
    mask[rows] = True
    return pc.replace_with_mask(text, bools(mask), pa.array(meant, pa.string())), rows, len(high) - len(rows)
