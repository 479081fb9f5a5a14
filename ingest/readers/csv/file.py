"""A CSV file as a stream of ``Records``: every byte of it ends in exactly one record, readable or not, or in a line
that is counted as none.

pyarrow's own reader loses rows without a word (an open quote swallows what follows, blank lines vanish, a carriage
return makes a row). So records are cut here, and pyarrow only splits them into fields; where both do not count the same
number of records, the careful way of ``careful`` is taken.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Protocol

import numpy as np
import pyarrow as pa

from core.errors import SourceEmpty
from ingest.processing.records import Records
from ingest.readers.csv.assemble import FieldSplitter, Stretch, gather, int64
from ingest.readers.csv.careful import Cutter
from ingest.readers.csv.encodings import CP1252, TWICE, from_cp1252, in_cp1252
from ingest.readers.csv.header import BOM_TWICE, header_refused, read_header
from ingest.readers.csv.other_lines import behind_marks, other_lines
from ingest.readers.csv.outside_quotes import refuse_escapes_outside_quotes
from ingest.readers.csv.quick import QuickSplit, split_records
from ingest.readers.csv.signs import Signs

CHUNK_BYTES = 2 * 1024 * 1024  # the fastest of 0.5 to 4 MiB, on 1.5 million records
MAX_RECORD_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
NO_SIGNS = Signs()
_MAX_STRETCHES = 65_536  # of the careful way, in one `Records`


class Readable(Protocol):
    """What a location's ``open`` gives: a stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end."""


class Digest(Protocol):
    """What ``hashlib`` makes."""

    def update(self, data: bytes, /) -> None:
        """Take in more."""

    def hexdigest(self) -> str:
        """Return the hash of all that was taken in."""


class CsvFile:
    """A CSV file, read once: iterate for its ``Records``.

    ``skipped`` counts lines that are no records and take no position, by kind: ``header_line`` (the header once more,
    in whatever quotes) and ``blank_line`` (commas and white space outside quotes, or nothing). ``signs`` say what its
    bytes mean (escapes, encoding). Byte-order marks before a record are taken off; ``repaired`` of the Records counts
    such records.
    The header is read at once: raises SourceUnreadable for an empty file, HeaderRefused for wrong columns. ``columns``
    of the Records have the header's names and order, all of type ``string``, ``''`` for an empty cell; NULL is only
    the signs' word for it without quotes, in whatever column (``SignReader`` makes text of it where NULL may not be).
    ``raw``, ``line`` and the positions are as ``Records`` says. Unreadable records have the code ``ragged_row``
    (number of fields, quotes, a lone carriage return, too long) or ``encoding`` (not UTF-8, or not what the signs
    say). A line longer than ``max_record_bytes`` (as UTF-8) comes in several records of at most that length.
    """

    def __init__(
        self,
        stream: Readable,
        *,
        path: str,
        expected: Sequence[str],
        signs: Signs = NO_SIGNS,
        chunk_bytes: int = CHUNK_BYTES,
        max_record_bytes: int = MAX_RECORD_BYTES,
        digest: Digest | None = None,
    ) -> None:
        """``digest``: takes in the bytes that are read, where they are a part of more."""
        self.path = path
        self.signs = signs
        self.bytes_read = 0
        self.skipped: Counter[str] = Counter()
        self.records_read = 0
        self._stream = stream
        self._chunk_bytes = chunk_bytes
        self._max_record_bytes = max_record_bytes
        self._hash = digest or hashlib.sha256()
        self._ended = False
        self._pending = b""  # read, not yet cut into records
        self._line = 2  # physical line on which `_pending` begins
        self._mid_line = False  # `_pending` begins inside a line that is too long
        self._escaped = signs.value("escape") == "backslash"
        self._encoding = signs.value("encoding")
        self.names = read_header(self._header_line(expected), path=path, expected=expected)
        self._others = other_lines(tuple(self.names))
        null_words = [signs.null_word] if signs.null_word else []
        self._cutter = Cutter(self.names, self._others, max_bytes=max_record_bytes, escaped=self._escaped)
        self._fields = FieldSplitter(self.names, escaped=self._escaped, null_words=null_words)

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the whole file; RuntimeError before its end was reached."""
        if not self._ended:
            raise RuntimeError(f"{self.path} was not read to its end")
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Records]:
        """Yield the records in the order of the file, some ten thousand at a time."""
        while not self._ended:
            block = self._read()
            self._pending += self._as_utf8(block)
            if not block and self._pending and not self._pending.endswith(b"\n"):
                self._pending += b"\n"
            for cut in self._whole_records():
                records = refuse_escapes_outside_quotes(cut) if self._escaped else cut
                yield in_cp1252(records) if self._encoding == CP1252 else records

    def _as_utf8(self, block: bytes) -> bytes:
        return from_cp1252(block) if self._encoding == CP1252 else block

    def _read(self) -> bytes:
        block = self._stream.read(self._chunk_bytes)
        self._hash.update(block)
        self.bytes_read += len(block)
        self._ended = not block
        return block

    def _header_line(self, expected: Sequence[str]) -> bytes:
        while b"\n" not in self._pending and not self._ended and len(self._pending) <= MAX_HEADER_BYTES:
            self._pending += self._read()
        text = self._as_utf8(self._pending)
        head = text[behind_marks(text, 0, len(text)) :]
        if self._encoding == TWICE:
            head = head.removeprefix(BOM_TWICE)
        if not head:
            raise SourceEmpty(path=self.path)
        line, _, self._pending = head.partition(b"\n")
        if len(line) > MAX_HEADER_BYTES:
            problem = f"the first line is longer than {MAX_HEADER_BYTES} bytes"
            raise header_refused(problem, self.path, expected)
        return line

    def _whole_records(self) -> Iterator[Records]:
        split = None if self._mid_line else self._split()
        records = self._quick(split) if split is not None and split.length else None
        if split is not None and records is not None:
            self._pending = self._pending[split.length :]
            self._line += split.lines
            self.records_read += len(records)
            self._cutter.behind_fault = False
            yield records
        elif split is None or split.length:
            yield from self._careful()
        if self._ended or len(self._pending) > self._max_record_bytes + 1:
            yield from self._careful()

    def _split(self) -> QuickSplit | None:
        return split_records(self._pending, escaped=self._escaped)

    def _quick(self, split: QuickSplit) -> Records | None:
        """Return the records of ``split``; None if any of them needs the careful way."""
        count = len(split.raw)
        if split.sizes.max() > self._max_record_bytes or self._others.are_among(self._pending, split):
            return None
        text = pa.py_buffer(self._pending)[: split.length]
        try:
            if not self._pending.isascii():
                split.raw.cast(pa.string())  # the quickest test of UTF-8; bytes of a cell are bytes of its record
            columns = self._fields.split(text)
        except pa.ArrowInvalid:
            return None
        if columns.num_rows != count:
            return None
        return Records(
            columns=columns,
            position=int64(np.arange(self.records_read + 1, self.records_read + count + 1)),
            raw=split.raw,
            line=int64(split.line + self._line),
        )

    def _careful(self) -> Iterator[Records]:
        for batch in batched(self._stretches(), _MAX_STRETCHES, strict=False):
            records = gather(batch, first_position=self.records_read + 1, fields=self._fields)
            self.records_read += len(records)
            yield records

    def _stretches(self) -> Iterator[Stretch]:
        at = 0
        while at < len(self._pending):
            run = at if self._mid_line else self._cutter.sound_run(self._pending, at)
            if run > at:
                clean = self._pending[at:run]
                yield Stretch(line=self._line, clean=clean)
                self._line += clean.count(b"\n")
                at = run
                continue
            piece = self._cutter.record(self._pending, at, final=self._ended, mid_line=self._mid_line)
            if piece is None:
                break
            if piece.skipped:
                self.skipped[piece.skipped] += piece.lines
            else:
                yield Stretch(line=self._line, clean=piece.clean, piece=piece)
            self._line += piece.lines
            self._mid_line = piece.lines == 0
            at = piece.end
        self._pending = self._pending[at:]
