"""Looks whether a file's quotes and line ends are escaped by backslashes, which nothing else of it may contradict."""

import io
import re

import numpy as np
import pyarrow.compute as pc

from core.arrow import indices, mask_of, octets_of
from ingest.processing.records import Records
from ingest.readers.csv.escapes import without_pairs
from ingest.readers.csv.file import CsvFile
from ingest.readers.csv.signs import Sign, Signs
from ingest.readers.signs.refusal import Refusal
from ingest.rules.contract import Contract

_FEWEST_FEEDS = 3  # after backslashes: fewer may be an accident
_ENOUGH = 20  # mended records, which quotes doubled later hardly outnumber
_ESCAPED_FEED = re.compile(rb"\\\r?\n")
_ESCAPED = Signs({"escape": Sign(value="backslash")})
_REMEDY = (
    'have its writer double quotes (Spark: .option("escape", "\\"")), or load it with --escape backslash; '
    "with --escape none a backslash is text"
)


class EscapeLook:
    """Looks at records of one file as they were cut without escapes.

    Quotes are escaped where refused lines are records once backslashes escape, more of them than quotes are doubled in
    all others. Line ends in quotes are where there are some, and each has its backslash.
    """

    def __init__(self, contract: Contract) -> None:
        self._header = ",".join(contract.names).encode()
        self._names = contract.names
        self._mended, self._doubled, self._first_mended = 0, 0, 0
        self._feeds, self._bare, self._first_feed = 0, False, 0

    def see(self, records: Records) -> bool:
        """Look at the next records; tell whether a question is open that later ones decide."""
        self._see_quotes(records)
        self._see_refused(records)
        if not self._bare:
            self._see_feeds(records)
        doubt = self._doubled < self._mended < _ENOUGH
        return doubt or (not self._bare and 0 < self._feeds < _FEWEST_FEEDS)

    @property
    def refusal(self) -> Refusal | None:
        """Say what was found, after the last records."""
        found: list[str] = []
        if self._mended > self._doubled:
            found.append(f"the quotes of {self._mended:,} records add up only so, first on line {self._first_mended:,}")
        if self._feeds >= _FEWEST_FEEDS and not self._bare:
            where = f"first in the record on line {self._first_feed:,}"
            found.append(f"each of the {self._feeds:,} line ends in quotes stands behind one, {where}")
        return Refusal(f"its backslashes are escapes ({'; '.join(found)})", _REMEDY) if found else None

    def _see_quotes(self, records: Records) -> None:
        for column in records.columns.columns:
            for chunk in column.chunks:
                text = octets_of(chunk).tobytes()
                if b'"' in text:
                    self._doubled += text.count(b'"') - text.count(b'\\"')

    def _see_refused(self, records: Records) -> None:
        ragged = records.unreadable.filter(pc.equal(records.unreadable["code"], "ragged_row"))
        held = np.flatnonzero(mask_of(pc.match_substring(ragged["raw"], '\\"')))
        if not len(held):
            return
        text = b"\n".join([self._header, *(row["raw"] for row in ragged.to_pylist())])
        mended = 0
        for again in CsvFile(io.BytesIO(text), path="", expected=self._names, signs=_ESCAPED):
            mended += int(mask_of(pc.match_substring(again.exact(), '\\"')).sum())
        if mended and not self._mended:
            self._first_mended = ragged["line"][int(held[0])].as_py()
        self._mended += mended

    def _see_feeds(self, records: Records) -> None:
        """Look at the records that may be of several lines: those behind which line numbers leap, and the last."""
        if records.line is None or not len(records.line):
            return
        lines = records.line.to_numpy()
        rows = np.append(np.flatnonzero(np.diff(lines) > 1), len(lines) - 1)
        raw = records.exact().take(indices(rows))
        octets = octets_of(raw).tobytes()
        feeds = octets.count(b"\n")
        if not feeds:
            return
        if not self._feeds:
            first = np.flatnonzero(mask_of(pc.match_substring(raw, "\n")))[0]
            self._first_feed = int(lines[rows[first]])
        self._feeds += feeds
        self._bare = len(_ESCAPED_FEED.findall(without_pairs(octets))) < feeds
