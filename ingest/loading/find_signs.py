"""What all files of a load are, before anything is written: there, of the right header, and with which signs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.errors import DataForgeError, FilesRefused, HeaderRefused, SourceMissing, SourceUnreadable
from ingest.loading.resume import agreements, sha256_of
from ingest.readers.csv.file import CsvFile
from ingest.readers.places.locations import Location
from ingest.readers.signs.midnights import MidnightLook
from ingest.readers.signs.signs import Signs
from ingest.readers.signs.times import ASK, TimesLook, fitting
from ingest.rules.sources import Source

FIRST_BYTES = 1024 * 1024  # of each file; more of it is read only where these leave a question open


def find_signs(location: Location, chosen: Iterable[Source], asked: Signs) -> Mapping[str, Signs]:
    """Look at the beginning of every file; return the signs by table.

    Raises SourceUnreadable or HeaderRefused for one file, FilesRefused for several.
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
    midnights, times = MidnightLook(contract), TimesLook(contract)
    looks: list[MidnightLook | TimesLook] = [midnights] if asked.has("times") else [midnights, times]
    with location.open(source.file_name) as stream:
        path = location.describe(source.file_name)
        file = CsvFile(stream, path=path, expected=contract.names, chunk_bytes=FIRST_BYTES, signs=asked)
        for records in file:
            open_ones = [look for look in looks if look.see(records)]
            if file.bytes_read >= FIRST_BYTES:
                looks = open_ones
            if not looks:
                break
    if times.question:
        raise SourceUnreadable(path=path, problem=times.question, remedy=f"{ASK}.")
    sign = midnights.sign()
    return asked.with_sign("midnight", sign) if sign else asked


def _remembered(location: Location, source: Source) -> Signs:
    """Return what options said of the same bytes when they last agreed with the table."""
    signed = agreements(source).exclude(signs={})
    if not signed.filter(file_bytes=location.size(source.file_name)).exists():
        return Signs()
    last = agreements(source).filter(file_sha256=sha256_of(location, source.file_name)).first()
    if last is None:
        return Signs()
    said, when = Signs.from_json(last.signs).asked, f"{last.batch.started_at:%Y-%m-%d %H:%M} UTC"
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
