"""Records of a file as its signs say they are meant."""

from dataclasses import replace

from core.arrow import ArrowColumn, Rows
from ingest.processing.records import Records
from ingest.readers.signs.midnights import RULE as MIDNIGHT
from ingest.readers.signs.midnights import to_midnight
from ingest.readers.signs.null_words import NullShare, take_words
from ingest.readers.signs.signs import Signs
from ingest.rules.contract import Contract


class SignReader:
    """Reads the records of one file, stretch by stretch, by ``signs`` (those of bytes are ``CsvFile``'s work).

    ``question``: what stands in the records read so far, and what to do about it, where they cannot be taken as they
    are; two empty texts where they can. ``refusal``: the same in one text, after the last records.
    """

    def __init__(self, contract: Contract, signs: Signs) -> None:
        self.contract, self.signs = contract, signs
        self._null_share = NullShare(contract, signs)

    def read(self, records: Records) -> Records:
        """Return them as they are meant; what was changed is in their ``repaired``."""
        changed: dict[str, ArrowColumn] = {}
        repaired: list[tuple[str, Rows]] = []
        if self.signs.null_word:
            changed, repaired = take_words(records, self.contract, self.signs.null_word)
        for name in self.signs.columns("midnight"):
            text = changed[name] if name in changed else records.columns.column(name).combine_chunks()
            text, rows = to_midnight(text)
            if len(rows):
                changed[name] = text
                repaired.append((MIDNIGHT, rows))
        columns = records.columns
        for name, text in changed.items():
            columns = columns.set_column(columns.column_names.index(name), name, text)
        if repaired or changed:
            records = replace(records, columns=columns, repaired=(*records.repaired, *repaired))
        self._null_share.see(records)
        return records

    @property
    def question(self) -> tuple[str, str]:
        """What speaks against them, and what to do about it."""
        return self._null_share.question

    @property
    def refusal(self) -> str:
        """Why the file cannot be taken as it is after all, or ``""``."""
        return ": ".join(filter(None, self.question))
