"""The encodings of the pages of a Parquet file, read from the pages' own headers: the footer only sums them up."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

DICTIONARY_PAGE, DATA_PAGE, DATA_PAGE_2 = 2, 0, 3
PLAIN, PLAIN_DICTIONARY, RLE_DICTIONARY = 0, 2, 8


def data_encodings(path: Path, column: str) -> list[set[int]]:
    """Return, for each row group, the encodings of the data pages of ``column`` (``tags.list.element``)."""
    content, metadata = path.read_bytes(), pq.read_metadata(path)
    found = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunk = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == column)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        found.append(_chunk_encodings(content, start, start + chunk.total_compressed_size))
    return found


def _chunk_encodings(content: bytes, at: int, end: int) -> set[int]:
    encodings = set()
    while at < end:
        header, at = _struct(content, at)
        if header[1] in (DATA_PAGE, DATA_PAGE_2):
            page = header[5] if header[1] == DATA_PAGE else header[8]
            encodings.add(page[2] if header[1] == DATA_PAGE else page[4])
        at += header[3]
    return encodings


def _struct(content: bytes, at: int) -> tuple[dict[int, Any], int]:
    """Read a struct of Thrift's compact protocol: its fields by number, and where it ends."""
    fields: dict[int, Any] = {}
    number = 0
    while kind := content[at]:
        at += 1
        if kind >> 4:
            number += kind >> 4
        else:
            number, at = _integer(content, at)
        fields[number], at = _value(content, at, kind & 15)
    return fields, at + 1


def _value(content: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (1, 2):  # true, false
        return kind == 1, at
    if kind in (4, 5, 6):
        return _integer(content, at)
    if kind == 8:
        length, at = _varint(content, at)
        return content[at : at + length], at + length
    if kind == 12:
        return _struct(content, at)
    raise ValueError(f"a page's header holds no value of kind {kind}")


def _integer(content: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(content, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = content[at]
        value, shift, at = value | (octet & 127) << shift, shift + 7, at + 1
        if octet < 128:
            return value, at
