"""``truth.json``: which records of a sample are damaged, how, and what must come of each."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from olist.sample.dirty.dirt import DirtyFrame
from olist.sample.layout import FileLayout
from olist.sample.text import Ints


class TruthFile:
    """Writes ``{"records": [...], "meta": {...}}``, one damaged record a line, in the order of the files."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._separator = "\n"
        self._file.write('{"records": [')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, entries: Iterator[dict[str, Any]]) -> None:
        """Append entries as ``entries_of`` gives them."""
        for entry in entries:
            self._file.write(self._separator + json.dumps(entry, ensure_ascii=False))
            self._separator = ",\n"

    def finish(self, meta: dict[str, Any]) -> None:
        """Close the list and add what concerns the whole sample."""
        self._file.write(f'\n], "meta": {json.dumps(meta, ensure_ascii=False)}}}\n')


def entries_of(table: FileLayout, spoiled: DirtyFrame, *, first_record: int, lines: Ints) -> Iterator[dict[str, Any]]:
    """Yield one entry for each damaged row, in their order.

    ``first_record``: number of the frame's first row among the file's records, from 1; ``lines``: the physical line on
    which each row begins (the header is line 1). ``key`` is as written, None where the record cannot be split.
    """
    entries = []
    for hits in spoiled.hits:
        keys = spoiled.frame[list(table.key)].iloc[hits.rows].fillna("").to_numpy().tolist()
        of = np.full(len(hits.rows), -1) if hits.of is None else hits.of
        for row, key, earlier in zip(hits.rows.tolist(), keys, of.tolist(), strict=True):
            entry = {
                "table": table.name,
                "file": table.file_name,
                "record": first_record + row,
                "line": int(lines[row]),
                "damage": hits.name,
                "field": hits.field,
                "code": hits.code,
                "key": None if hits.line_damage else key,
                "outcome": hits.outcome,
            }
            if hits.rule:
                entry["rule"] = hits.rule
            if earlier >= 0:
                entry["of"] = first_record + earlier
            entries.append((row, entry))
    for _, entry in sorted(entries, key=lambda pair: pair[0]):
        yield entry
