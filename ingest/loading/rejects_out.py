"""``--rejects-out``: the rejects as a file for whoever owns the source, one JSON object a line."""

import json
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import pyarrow as pa

from dataforge.errors import SourceUnreadable
from ingest.sources import Source


class RejectsFile:
    """Members: table, file, record (from 1), line, key, reasons, raw (bytes that are not UTF-8 as ``\\xNN``)."""

    def __init__(self, path: Path) -> None:
        """Begin the file anew; SourceUnreadable if it cannot be written."""
        self._lock = Lock()
        try:
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise SourceUnreadable(
                path=path,
                problem=f"cannot be written ({error.strerror})",
                remedy="Name another file for --rejects-out.",
            ) from error

    def write(self, source: Source, rejects: pa.RecordBatch) -> None:
        """Append rejects of one table; from any thread."""
        lines = []
        for reject in rejects.to_pylist():
            line = {
                "table": source.table,
                "file": source.file_name,
                "record": reject["position"],
                "line": reject["line"],
                "key": reject["natural_key"],
                "reasons": json.loads(reject["reasons"]),
                "raw": reject["raw"].decode("utf-8", "backslashreplace"),
            }
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
        with self._lock:
            self._file.writelines(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
