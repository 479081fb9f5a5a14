"""Records of a file as its signs say they are meant."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.arrow import ArrowColumn, Rows
from ingest.processing.records import Records
from ingest.readers.signs.encodings import RULE as DECODED
from ingest.readers.signs.encodings import TWICE, to_utf8_once
from ingest.readers.signs.looks import RefusingLooks
from ingest.readers.signs.midnights import RULE as MIDNIGHT
from ingest.readers.signs.midnights import to_midnight
from ingest.readers.signs.signs import Signs
from ingest.rules.contract import Contract


class SignReader:
    """Reads the records of one file, stretch by stretch, by ``signs`` (those of bytes are ``CsvFile``'s work).

    ``refusal``: after the last records, why the file cannot be taken as it is after all, or ``""``.
    """

    def __init__(self, contract: Contract, signs: Signs) -> None:
        self.contract, self.signs = contract, signs
        self._looks = RefusingLooks(contract, signs)
        self._decoded, self._left = 0, 0  # cells beyond ASCII of a file that is UTF-8 twice

    def read(self, records: Records) -> Records:
        """Return them as they are meant; what was changed is in their ``repaired``."""
        self._looks.see(records)
        if self.signs.value("encoding") == TWICE:
            records = self._decoded_again(records)
        changed: dict[str, ArrowColumn] = {}
        repaired: list[tuple[str, Rows]] = []
        for name in self.signs.columns("midnight"):
            text, rows = to_midnight(records.columns.column(name).combine_chunks())
            if len(rows):
                changed[name] = text
                repaired.append((MIDNIGHT, rows))
        return _changed(records, changed, repaired)

    @property
    def refusal(self) -> str:
        return str(self._looks.refusal or "")

    @property
    def told(self) -> Signs:
        """After the last records: the signs, with what reading by them came to."""
        sign = self.signs.by_name.get("encoding")
        if sign is None or sign.value != TWICE:
            return self.signs
        counts = f"{self._decoded:,} cells were decoded once more, {self._left:,} beyond ASCII were not UTF-8 twice"
        return self.signs.with_sign("encoding", replace(sign, evidence=f"{sign.evidence}; {counts}"))

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
        return _changed(records, changed, repaired)


def _changed(records: Records, changed: Mapping[str, ArrowColumn], repaired: Sequence[tuple[str, Rows]]) -> Records:
    if not changed:
        return records
    columns = records.columns
    for name, text in changed.items():
        columns = columns.set_column(columns.column_names.index(name), name, text)
    return replace(records, columns=columns, repaired=(*records.repaired, *repaired))
