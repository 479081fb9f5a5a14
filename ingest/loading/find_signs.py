"""What all files of a load are, before anything is written: there, of the right header, and with which signs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.errors import DataForgeError, FilesRefused, HeaderRefused, SourceMissing, SourceUnreadable
from ingest.loading.resume import last_agreement, sha256_of
from ingest.readers.csv.parts import CsvParts
from ingest.readers.places.locations import Location
from ingest.readers.signs.midnights import MidnightLook
from ingest.readers.signs.reading import SignReader
from ingest.readers.signs.signs import Signs
from ingest.readers.signs.times import fitting
from ingest.rules.sources import Source

FIRST_BYTES = 1024 * 1024  # of each file; more of it is read only where these leave a question open


def find_signs(location: Location, chosen: Iterable[Source], asked: Signs) -> Mapping[str, Signs]:
    """Look at the beginning of every file; return the signs by table.

    Raises SourceUnreadable (also where it shows that it is not what it was read as) or HeaderRefused for one file,
    FilesRefused for several.
    """
    refused: list[DataForgeError] = []
    signs: dict[str, Signs] = {}
    for source in chosen:
        try:
            said = asked or _remembered(location, source)
            signs[source.table] = _look(location, source, fitting(said, source.contract))
        except (HeaderRefused, SourceUnreadable) as error:
            refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise FilesRefused(count=len(refused), problems="\n".join(_told(refused)))
    return signs


def _look(location: Location, source: Source, asked: Signs) -> Signs:
    contract = source.contract
    midnights, reader = MidnightLook(contract), SignReader(contract, asked)
    found = location.find(source.file_name)
    with CsvParts(found, expected=contract.names, chunk_bytes=FIRST_BYTES, signs=asked) as file:
        for records in file:
            if not midnights.see(reader.read(records)) and not reader.doubts:
                break
        file.skim()
    refusal = reader.refusal
    if refusal:
        raise SourceUnreadable(path=found.path, problem=refusal.problem, remedy=refusal.advice)
    sign = midnights.sign()
    return asked.with_sign("midnight", sign) if sign else asked


def _remembered(location: Location, source: Source) -> Signs:
    """Return what options said of the same bytes when they last agreed with the table."""
    last = last_agreement(source)
    said = Signs.from_json(last.signs).asked if last else Signs()
    if last is None or not said or location.find(source.file_name).unpacked_size not in (None, last.file_bytes):
        return Signs()
    if sha256_of(location.find(source.file_name)) != last.file_sha256:
        return Signs()
    when = f"{last.batch.started_at:%Y-%m-%d %H:%M} UTC"
    return Signs(
        {name: replace(sign, evidence=f"as for the same file on {when}") for name, sign in said.by_name.items()}
    )


def _told(refused: Iterable[DataForgeError]) -> Iterable[str]:
    """Write a line each; what the place holds is said with the first file that is not there, once."""
    listed = False
    for error in refused:
        if isinstance(error, SourceMissing) and error.facts["present"]:
            yield f"- {error.facts['path']}: is not there, either." if listed else f"- {error}"
            listed = True
        else:
            yield f"- {error}"
