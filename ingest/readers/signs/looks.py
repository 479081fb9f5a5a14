"""All looks at what may forbid to take a file as it is; those that an option has answered are left out."""

from collections.abc import Sequence
from typing import Protocol

from ingest.processing.records import Records
from ingest.readers.csv.encodings import CP1252
from ingest.readers.csv.signs import Signs
from ingest.readers.signs.encoding_look import EncodingLook
from ingest.readers.signs.escape_look import EscapeLook
from ingest.readers.signs.null_words import NullShare
from ingest.readers.signs.refusal import Refusal
from ingest.readers.signs.times import TimesLook
from ingest.rules.contract import Contract


class Look(Protocol):
    """Looks at the records of one file, stretch by stretch."""

    @property
    def refusal(self) -> Refusal | None:
        """Say what was found, after the last records."""

    def see(self, records: Records) -> bool:
        """Look at the next records; tell whether a question is open that later ones decide."""


def looks_at_text(contract: Contract, signs: Signs) -> list[Look]:
    """Return the looks that want the records as they were cut."""
    looks: list[Look] = []
    if not signs.has("escape"):
        looks.append(EscapeLook(contract))
    if signs.value("encoding") in {"", CP1252}:
        looks.append(EncodingLook(signs.value("encoding")))
    return looks


def looks_at_meaning(contract: Contract, signs: Signs) -> list[Look]:
    """Return the looks that want the records as they are meant."""
    return [NullShare(contract, signs), *([] if signs.has("times") else [TimesLook(contract)])]


def joined(looks: Sequence[Look]) -> Refusal | None:
    """Say in one what they found, after the last records."""
    found = [look.refusal for look in looks]
    refusals = [refusal for refusal in found if refusal]
    if not refusals:
        return None
    problems, remedies = [one.problem for one in refusals], [one.remedy for one in refusals]
    return Refusal(", and ".join(problems), "; and ".join(remedies))
