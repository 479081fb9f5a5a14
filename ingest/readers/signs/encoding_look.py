"""Looks whether a file is in another encoding than it was read by: in Windows-1252, or in UTF-8 twice."""

import re
from typing import Any

import pyarrow.compute as pc

from core.arrow import Text, indices
from ingest.processing.records import Records
from ingest.readers.csv.encodings import CP1252, decoded_again, high_cells
from ingest.readers.signs.refusal import Refusal

_FEWEST = 20  # cells or records: fewer may be an accident
_SHARE = 0.9  # of the cells beyond ASCII
_SHOWN = 60  # characters of an example
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class EncodingLook:
    """Looks at records of one file as they were read by ``encoding``: UTF-8 (``""``), or Windows-1252."""

    def __init__(self, encoding: str = "") -> None:
        self._encoding = encoding
        self._cells, self._again, self._example, self._first_again = 0, 0, ("", ""), 0
        self._bad, self._bad_example, self._first_bad, self._sequences = 0, b"", 0, False

    def see(self, records: Records) -> bool:
        """Look at the next records; tell whether a question is open that later ones decide."""
        for text in records.columns.columns:
            self._see_cells(records, _whole(text))
        if self._encoding != CP1252 and not self._sequences:
            self._see_refused(records)
        twice = self._may_be_twice and self._again < self._fewest
        return twice or (0 < self._bad < _FEWEST and self._may_be_latin)

    @property
    def refusal(self) -> Refusal | None:
        """Say what was found, after the last records."""
        if self._may_be_twice and self._again >= self._fewest:
            return self._twice()
        if self._may_be_latin and self._bad >= _FEWEST:
            text = self._bad_example.decode(CP1252, "replace")
            problem = (
                f"it is not UTF-8 but looks like Windows-1252 ({self._bad:,} records hold bytes above 0x7F, none "
                f"a character of UTF-8, first on line {self._first_bad:,}: {text[:_SHOWN]!r})"
            )
            return Refusal(problem, "save it as UTF-8, or load it with --encoding cp1252")
        return None

    @property
    def _fewest(self) -> int:
        return 1 if self._encoding == CP1252 else _FEWEST

    @property
    def _may_be_twice(self) -> bool:
        return self._again > 0 and self._again >= _SHARE * self._cells

    @property
    def _may_be_latin(self) -> bool:
        return not self._sequences and not self._cells

    def _twice(self) -> Refusal:
        sent, meant = self._example
        counts = f"{self._again:,} of {self._cells:,} cells with letters beyond ASCII"
        example = f"first on line {self._first_again:,}: {sent[:_SHOWN]!r} for {meant[:_SHOWN]!r}"
        if self._encoding == CP1252:
            return Refusal(f"it is UTF-8, not Windows-1252 ({counts}, {example})", "load it without --encoding cp1252")
        problem = f"a program took its UTF-8 for Latin letters ({counts} are UTF-8 once more, {example})"
        remedy = "write it anew as UTF-8, or load it with --encoding utf-8-twice; --encoding utf-8 takes it as it is"
        return Refusal(problem, remedy)

    def _see_cells(self, records: Records, text: Text) -> None:
        rows = high_cells(text)
        if not len(rows):
            return
        self._cells += len(rows)
        cells = text.take(indices(rows))
        decoded, meant = decoded_again(cells)
        if len(decoded) and not self._again:
            first = int(decoded[0])
            self._example = str(cells[first]), meant[0]
            self._first_again = 0 if records.line is None else records.line[int(rows[first])].as_py()
        self._again += len(decoded)

    def _see_refused(self, records: Records) -> None:
        bad = records.unreadable.filter(pc.equal(records.unreadable["code"], "encoding"))
        if not len(bad):
            return
        if not self._bad:
            self._bad_example, self._first_bad = bad["raw"][0].as_py(), bad["line"][0].as_py()
        self._bad += len(bad)
        self._sequences = any(_SEQUENCE.search(row["raw"]) for row in bad.to_pylist())


def _whole(text: Any) -> Text:
    return text.chunk(0) if text.num_chunks == 1 else text.combine_chunks()  # which copies even one
