"""Records of a file as its signs say they are meant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from core.arrow import ArrowColumn, Rows, Text
from ingest.processing.records import Records
from ingest.readers.csv.encodings import RULE as DECODED
from ingest.readers.csv.encodings import TWICE, to_utf8_once
from ingest.readers.csv.signs import Signs
from ingest.readers.signs.looks import joined, looks_at_meaning, looks_at_text
from ingest.readers.signs.midnights import RULE as MIDNIGHT
from ingest.readers.signs.midnights import to_midnight
from ingest.readers.signs.null_words import take_words
from ingest.readers.signs.refusal import Refusal
from ingest.readers.signs.times import RULE as WALL_TIME
from ingest.readers.signs.times import moments_of, to_wall_time
from ingest.rules.contract import Contract

type Change = Callable[[Text], tuple[Text, Rows]]


class SignReader:
    """Reads the records of one file, stretch by stretch, by ``signs`` (those of bytes are ``CsvFile``'s work).

    ``doubts``: a question is open that later records decide. ``refusal``: after the last of them, why the file cannot
    be taken as it is.
    """

    def __init__(self, contract: Contract, signs: Signs) -> None:
        self.contract, self.signs, self.doubts = contract, signs, False
        self._before, self._after = looks_at_text(contract, signs), looks_at_meaning(contract, signs)
        walls = moments_of(contract) if signs.value("times") == "wall" else ()
        self._changes: list[tuple[str, str, Change]] = [(WALL_TIME, name, to_wall_time) for name in walls]
        self._changes += [(MIDNIGHT, name, to_midnight) for name in signs.columns("midnight")]
        self._decoded, self._left = 0, 0  # cells beyond ASCII of a file that is UTF-8 twice

    def read(self, records: Records) -> Records:
        """Return them as they are meant; what was changed is in their ``repaired``."""
        open_before = [look.see(records) for look in self._before]
        if self.signs.value("encoding") == TWICE:
            records = self._decoded_again(records)
        records = self._changed(records)
        open_after = [look.see(records) for look in self._after]
        self.doubts = any(open_before) or any(open_after)
        return records

    @property
    def refusal(self) -> Refusal | None:
        return joined([*self._before, *self._after])

    @property
    def told(self) -> Signs:
        """After the last records: the signs, with what reading by them came to."""
        sign = self.signs.by_name.get("encoding")
        if sign is None or sign.value != TWICE:
            return self.signs
        counts = f"{self._decoded:,} cells were decoded once more, {self._left:,} beyond ASCII were not UTF-8 twice"
        return self.signs.with_sign("encoding", replace(sign, evidence=f"{sign.evidence}; {counts}"))

    def _changed(self, records: Records) -> Records:
        changed: dict[str, ArrowColumn] = {}
        repaired: list[tuple[str, Rows]] = []
        if self.signs.null_word:
            changed, repaired = take_words(records, self.contract, self.signs.null_word)
        for rule, name, change in self._changes:
            came = changed[name] if name in changed else records.columns.column(name).combine_chunks()
            text, rows = change(came)
            if len(rows):
                changed[name] = text
                repaired.append((rule, rows))
        return _with(records, changed, repaired)

    def _decoded_again(self, records: Records) -> Records:
        changed: dict[str, ArrowColumn] = {}
        repaired: list[tuple[str, Rows]] = []
        for name in records.columns.column_names:
            text, rows, left = to_utf8_once(records.columns.column(name).combine_chunks())
            self._decoded += len(rows)
            self._left += left
            if len(rows):
                changed[name] = text
                repaired.append((DECODED, rows))
        return _with(records, changed, repaired)


def _with(records: Records, changed: Mapping[str, ArrowColumn], repaired: Sequence[tuple[str, Rows]]) -> Records:
    if not changed and not repaired:
        return records
    columns = records.columns
    for name, text in changed.items():
        columns = columns.set_column(columns.column_names.index(name), name, text)
    return replace(records, columns=columns, repaired=(*records.repaired, *repaired))
