"""Rejects of a file on their way to the database, on disk: their number has no bound, memory has."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import pyarrow as pa

from ingest.rejects.describe import REJECT_SCHEMA


class RejectSpool:
    """An anonymous temporary file of rejects (``REJECT_SCHEMA``): add, then iterate as often as needed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="dataforge-rejects-")  # noqa: SIM115 - closed by close()
        self._writer = pa.ipc.new_stream(self._file, REJECT_SCHEMA)
        self.count = 0

    def add(self, rejects: pa.Table) -> None:
        """Append rejects; only before the first iteration."""
        self._writer.write_table(rejects)
        self.count += len(rejects)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self._writer.close()
        self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)

    def close(self) -> None:
        """Return the disk space back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
