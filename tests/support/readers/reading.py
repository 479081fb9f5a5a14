"""What the tests of the CSV reader share: a file from text, and its records as plain values."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingest.processing.records import Records
from ingest.readers.csv.file import CHUNK_BYTES, MAX_RECORD_BYTES, NO_SIGNS, CsvFile
from ingest.readers.csv.signs import Signs


@dataclass(frozen=True, kw_only=True)
class Seen:
    position: int
    line: int
    raw: bytes
    fields: tuple[str, ...] | None = None
    code: str = ""
    message: str = ""


def open_csv(
    text: bytes,
    expected: Sequence[str],
    *,
    chunk: int = CHUNK_BYTES,
    limit: int = MAX_RECORD_BYTES,
    signs: Signs = NO_SIGNS,
) -> CsvFile:
    return CsvFile(
        io.BytesIO(text), path="file.csv", expected=expected, chunk_bytes=chunk, max_record_bytes=limit, signs=signs
    )


def read_body(
    body: bytes,
    columns: int = 2,
    *,
    chunk: int = CHUNK_BYTES,
    limit: int = MAX_RECORD_BYTES,
    signs: Signs = NO_SIGNS,
) -> list[Seen]:
    """Read a file of ``columns`` columns that holds ``body`` behind its header."""
    names = [f"c{number}" for number in range(columns)]
    source = open_csv(",".join(names).encode() + b"\n" + body, names, chunk=chunk, limit=limit, signs=signs)
    return sorted((seen for records in source for seen in everything(records)), key=lambda seen: seen.position)


def everything(records: Records) -> Iterator[Seen]:
    """Yield every record, unreadable ones behind the readable."""
    assert records.line is not None
    cells = [column.to_pylist() for column in records.columns.columns]
    places = pa.table({"position": records.position, "line": records.line, "raw": records.exact()}).to_pylist()
    for place, fields in zip(places, zip(*cells, strict=True), strict=True):
        yield Seen(**place, fields=fields)
    for unreadable in records.unreadable.to_pylist():
        yield Seen(**unreadable)


def left_over(body: bytes, seen: list[Seen]) -> bytes:
    """Walk through the body by the raw bytes of the records; return what is none of them, without line ends."""
    at, left = 0, b""
    for record in seen:
        begin = body.index(record.raw, at)
        left += body[at:begin]
        at = begin + len(record.raw)
    return (left + body[at:]).translate(None, b"\r\n")
