"""The CSV of one table as it lies in a place, in one file or in parts, as a stream of ``Records``."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import pyarrow.compute as pc

from core.errors import HeaderRefused, SourceEmpty, SourceUnreadable
from ingest.processing.records import Records
from ingest.readers.csv.file import CHUNK_BYTES, NO_SIGNS, CsvFile
from ingest.readers.csv.signs import Signs
from ingest.readers.places.stored import StoredFile, StoredPart
from ingest.readers.places.streams import Allowance, SourceStream

_OF_EACH = 'Each part must begin with the header (Spark: option("header", True)). '


class CsvParts:
    """What lies there for a table, read once, as one file: iterate for its ``Records``; a context manager.

    The first header is read at once, and each part must have it, with the columns in the same order; an empty part has
    no records and needs none. Raises what ``CsvFile`` raises. Positions run through all parts, ``line`` begins anew
    with each. ``names`` are the columns, ``skipped`` counts lines that are no records, ``files`` are the parts, and
    ``starts`` the position of the first record of each.
    """

    def __init__(
        self, stored: StoredFile, *, expected: Sequence[str], signs: Signs = NO_SIGNS, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        self.skipped: Counter[str] = Counter()
        self.files: list[str] = []
        self.starts: list[int] = []
        self._path, self._expected, self._signs, self._chunk_bytes = stored.path, expected, signs, chunk_bytes
        self._coming, self._many = iter(stored.parts), len(stored.parts) > 1
        self._allowance = Allowance()
        self._digest = hashlib.sha256()
        self._done_bytes, self._done_taken, self._done_records = 0, 0, 0  # of the parts before
        self._stream: SourceStream | None = None
        self._file: CsvFile | None = None
        first = self._next()
        if first is None:
            raise SourceEmpty(path=stored.path)
        self.names = first.names

    def __iter__(self) -> Iterator[Records]:
        """Yield the records in the order of the parts, some ten thousand at a time."""
        while (file := self._file) is not None:
            before = self._done_records
            for records in file:
                yield _moved(records, before)
            self._next()

    def skim(self) -> None:
        """Read no more than the header of each part."""
        while self._file is not None:
            self._next()

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of all parts, unpacked, one after another; RuntimeError before their end was reached."""
        if self._file is not None:
            raise RuntimeError(f"{self._path} was not read to its end")
        return self._digest.hexdigest()

    @property
    def bytes_read(self) -> int:
        """Bytes that were read so far, unpacked."""
        return self._done_bytes + (self._file.bytes_read if self._file else 0)

    @property
    def bytes_taken(self) -> int:
        """Bytes that were read so far, as they lie there."""
        return self._done_taken + (self._stream.bytes_taken if self._stream else 0)

    @property
    def records_read(self) -> int:
        """Records that were read so far."""
        return self._done_records + (self._file.records_read if self._file else 0)

    def close(self) -> None:
        """Close the part that is open."""
        if self._stream is not None:
            self._done_taken += self._stream.bytes_taken
            self._stream.close()
        if self._file is not None:
            self.skipped += self._file.skipped
            self._done_bytes += self._file.bytes_read
            self._done_records += self._file.records_read
        self._stream = self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next(self) -> CsvFile | None:
        """Open the next part that is not empty; None after the last."""
        self.close()
        for part in self._coming:
            try:
                self._file = self._open(part)
            except SourceEmpty:
                self.close()
                continue
            except BaseException:
                self.close()
                raise
            self.files.append(part.name)
            self.starts.append(self._done_records + 1)
            return self._file
        return None

    def _open(self, part: StoredPart) -> CsvFile:
        self._stream = part.open(self._allowance)
        try:
            file = CsvFile(
                self._stream,
                path=part.path,
                expected=self._expected,
                signs=self._signs,
                chunk_bytes=self._chunk_bytes,
                digest=self._digest,
            )
        except HeaderRefused as error:
            if not self._many or error.facts["advice"]:
                raise
            raise HeaderRefused(**{**error.facts, "advice": _OF_EACH}) from error
        if self.files and file.names != self.names:
            problem = f"has the columns in another order than {self.files[0]}"
            raise SourceUnreadable(path=part.path, problem=problem, remedy="Write all parts in one order.")
        return file


def _moved(records: Records, by: int) -> Records:
    """Give records positions behind so many others."""
    if not by:
        return records
    unreadable = records.unreadable
    return replace(
        records,
        position=pc.add(records.position, by),
        unreadable=unreadable.set_column(0, unreadable.schema.field(0), pc.add(unreadable["position"], by)),
    )
