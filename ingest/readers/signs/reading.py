"""Records of a file as its signs say they are meant."""

from dataclasses import replace

from core.arrow import Rows
from ingest.processing.records import Records
from ingest.readers.signs.midnights import RULE as MIDNIGHT
from ingest.readers.signs.midnights import to_midnight
from ingest.readers.signs.signs import Signs
from ingest.readers.signs.times import ASK, TimesLook, moments_of, to_wall_time
from ingest.readers.signs.times import RULE as WALL_TIME
from ingest.rules.contract import Contract


class SignReader:
    """Reads the records of one file, stretch by stretch, by ``signs`` (those of bytes are ``CsvFile``'s work).

    ``refusal``: after the last records, why the file cannot be taken as it is after all, or ``""``.
    """

    def __init__(self, contract: Contract, signs: Signs) -> None:
        self.contract, self.signs = contract, signs
        walls = moments_of(contract) if signs.value("times") == "wall" else ()
        self._changes = [(MIDNIGHT, name, to_midnight) for name in signs.columns("midnight")]
        self._changes += [(WALL_TIME, name, to_wall_time) for name in walls]
        self._times = None if signs.has("times") else TimesLook(contract)

    def read(self, records: Records) -> Records:
        """Return them as they are meant; what was changed is in their ``repaired``."""
        if self._times is not None:
            self._times.see(records)
        columns, repaired = records.columns, list[tuple[str, Rows]]()
        for rule, name, change in self._changes:
            text, rows = change(columns.column(name).combine_chunks())
            if len(rows):
                columns = columns.set_column(columns.column_names.index(name), name, text)
                repaired.append((rule, rows))
        return replace(records, columns=columns, repaired=(*records.repaired, *repaired)) if repaired else records

    @property
    def refusal(self) -> str:
        """Ask what only the whole file shows."""
        question = self._times.question if self._times else ""
        return f"it {question}: {ASK[0].lower()}{ASK[1:]}" if question else ""
