"""Whether all files of a load are there and are what they have to be, before anything is written."""

from collections.abc import Iterable

from core.errors import DataForgeError, FilesRefused, HeaderRefused, SourceMissing, SourceUnreadable
from ingest.readers.csv.file import MAX_HEADER_BYTES
from ingest.readers.csv.parts import CsvParts
from ingest.readers.places.locations import Location
from ingest.rules.sources import Source


def check_headers(location: Location, chosen: Iterable[Source]) -> None:
    """Read the first line of every part of every file: SourceUnreadable or HeaderRefused for one, else FilesRefused."""
    refused: list[DataForgeError] = []
    for source in chosen:
        try:
            stored = location.find(source.file_name)
            with CsvParts(stored, expected=source.contract.names, chunk_bytes=MAX_HEADER_BYTES) as file:
                file.skim()
        except (HeaderRefused, SourceUnreadable) as error:
            refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise FilesRefused(count=len(refused), problems="\n".join(_told(refused)))


def _told(refused: Iterable[DataForgeError]) -> Iterable[str]:
    """Write a line each; what the place holds is said with the first file that is not there, once."""
    listed = False
    for error in refused:
        if isinstance(error, SourceMissing) and error.facts["present"]:
            yield f"- {error.facts['path']}: is not there, either." if listed else f"- {error}"
            listed = True
        else:
            yield f"- {error}"
