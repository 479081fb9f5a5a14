"""All looks at what may forbid to take a file as it is; those that an option has answered are left out."""

from typing import Protocol

from ingest.processing.records import Records
from ingest.readers.signs.encoding_look import EncodingLook
from ingest.readers.signs.encodings import CP1252
from ingest.readers.signs.escape_look import EscapeLook
from ingest.readers.signs.refusal import Refusal
from ingest.readers.signs.signs import Signs
from ingest.rules.contract import Contract


class Look(Protocol):
    """Looks at the records of one file as they were cut, stretch by stretch."""

    @property
    def refusal(self) -> Refusal | None:
        """Say what was found, after the last records."""

    def see(self, records: Records) -> bool:
        """Look at the next records; tell whether a question is open that later ones decide."""


class RefusingLooks:
    """Looks at the records of one file for all that its signs leave open."""

    def __init__(self, contract: Contract, signs: Signs) -> None:
        self._looks: list[Look] = []
        if not signs.has("escape"):
            self._looks.append(EscapeLook(contract))
        if signs.value("encoding") in {"", CP1252}:
            self._looks.append(EncodingLook(signs.value("encoding")))

    def see(self, records: Records) -> bool:
        """Look at the next records; tell whether a question is open that later ones decide."""
        doubts = [look.see(records) for look in self._looks]
        return any(doubts)

    @property
    def refusal(self) -> Refusal | None:
        """Say what was found, after the last records."""
        found = [look.refusal for look in self._looks]
        refusals = [refusal for refusal in found if refusal]
        if not refusals:
            return None
        problems, remedies = [one.problem for one in refusals], [one.remedy for one in refusals]
        return Refusal(", and ".join(problems), "; and ".join(remedies))
