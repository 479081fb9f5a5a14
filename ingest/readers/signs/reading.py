"""Records of a file as its signs say they are meant."""

from dataclasses import replace

from core.arrow import ArrowColumn, Rows
from ingest.processing.records import Records
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

    def read(self, records: Records) -> Records:
        """Return them as they are meant; what was changed is in their ``repaired``."""
        changed: dict[str, ArrowColumn] = {}
        repaired: list[tuple[str, Rows]] = []
        for name in self.signs.columns("midnight"):
            text, rows = to_midnight(records.columns.column(name).combine_chunks())
            if len(rows):
                changed[name] = text
                repaired.append((MIDNIGHT, rows))
        if not changed:
            return records
        columns = records.columns
        for name, text in changed.items():
            columns = columns.set_column(columns.column_names.index(name), name, text)
        return replace(records, columns=columns, repaired=(*records.repaired, *repaired))

    @property
    def refusal(self) -> str:
        return ""
