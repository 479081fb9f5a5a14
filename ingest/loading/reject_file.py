"""``--rejects-out``: the rejects as a file for whoever owns the source, one JSON object a line."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import pyarrow as pa

from core.errors import SourceUnreadable
from ingest.rejects.file_names import FileNames
from ingest.rules.sources import Source


class RejectsFile:
    """Members: table, file, record (from 1), line, key, reasons, raw (bytes that are not UTF-8 as ``\\xNN``)."""

    def __init__(self, path: Path) -> None:
        """Begin the file anew. This and all else raises SourceUnreadable where it cannot be written."""
        self._lock, self._path = Lock(), path
        with self._explained():
            self._file = path.open("w", encoding="utf-8")

    def write(self, source: Source, files: FileNames, rejects: pa.RecordBatch) -> None:
        """Append rejects of one table, which came in ``files``; from any thread."""
        lines = []
        names = files.of(rejects["position"]).to_pylist()
        for reject, name in zip(rejects.to_pylist(), names, strict=True):
            line = {
                "table": source.table,
                "file": name,
                "record": reject["position"],
                "line": reject["line"],
                "key": reject["natural_key"],
                "reasons": json.loads(reject["reasons"]),
                "raw": reject["raw"].decode("utf-8", "backslashreplace"),
            }
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
        with self._lock, self._explained():
            self._file.writelines(lines)
            self._file.flush()  # while what they were refused by can still be rolled back

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._explained():
            self._file.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceUnreadable(
                path=self._path,
                problem=f"cannot be written ({error.strerror})",
                remedy="Name another file for --rejects-out.",
            ) from error


def assert_no_source(path: Path, taken: Iterable[str]) -> None:
    """Refuse a file that the load reads: SourceUnreadable. ``taken``: their paths, or addresses that are none."""
    if path.exists() and any(Path(name).exists() and path.samefile(name) for name in taken):
        raise SourceUnreadable(
            path=path, problem="is what is to be loaded", remedy="Name another file for --rejects-out."
        )
