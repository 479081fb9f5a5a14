"""What all files of a load are, before anything is written: there, of the right header, and with which signs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from core.errors import DataForgeError, FilesRefused, HeaderRefused, SourceMissing, SourceUnreadable
from ingest.loading.find_null_word import find_null_word
from ingest.loading.resume import agreements, sha256_of
from ingest.processing.records import Records
from ingest.readers.csv.parts import CsvParts
from ingest.readers.csv.signs import Signs
from ingest.readers.places.locations import Location
from ingest.readers.signs.fitting import fitting
from ingest.readers.signs.midnights import MidnightLook
from ingest.readers.signs.reading import SignReader
from ingest.rules.sources import Source

FIRST_BYTES = 1024 * 1024  # of each file; more of it is read only where these leave a question open
REFUSALS = (HeaderRefused, SourceUnreadable)


def find_signs(location: Location, chosen: Iterable[Source], asked: Signs) -> Mapping[str, Signs]:
    """Look at the beginning of every file; return the signs by table.

    Raises SourceUnreadable (also where it shows that it is not what it was read as) or HeaderRefused for one file,
    FilesRefused for several.
    """
    files, listed = _Files(location), list(chosen)
    signs = {source.table: files.named(source, asked) for source in listed}
    open_ones = [source for source in listed if not signs[source.table].has("null")]
    word = find_null_word(open_ones, signs, files.show)
    if word:
        for source in open_ones:
            signs[source.table] = fitting(signs[source.table].with_sign("null", word), source.contract)
    for source in listed:
        signs[source.table] = files.look(source, signs[source.table])
    refused = [files.refused[source.table] for source in listed if source.table in files.refused]
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise FilesRefused(count=len(refused), problems="\n".join(_told(refused)))
    return signs


class _Files:
    """The files of a load; ``refused``: by table why one cannot be read as it is. Such a file is not opened again."""

    def __init__(self, location: Location) -> None:
        self.refused: dict[str, DataForgeError] = {}
        self._location = location

    def named(self, source: Source, asked: Signs) -> Signs:
        """Return what somebody says of a file: now, or else when it last agreed with its table, sign by sign."""
        try:
            remembered = _remembered(self._location, source).by_name
            return fitting(Signs({**remembered, **asked.by_name}), source.contract)
        except REFUSALS as error:
            self.refused[source.table] = error
            return Signs()

    def show(self, source: Source, signs: Signs, see: Callable[[Records], bool]) -> None:
        """Read a file until ``see`` tells that it saw enough: its beginning, in two stretches, and what it asks for."""
        if source.table in self.refused:
            return
        names = source.contract.names
        try:
            found = self._location.find(source.file_name)
            with CsvParts(found, expected=names, chunk_bytes=FIRST_BYTES // 2, signs=signs) as file:
                for records in file:
                    if not see(records) and file.bytes_read >= FIRST_BYTES:
                        break
                file.skim()
        except REFUSALS as error:
            self.refused[source.table] = error

    def look(self, source: Source, signs: Signs) -> Signs:
        """Return the signs of a file with those that it shows by itself."""
        midnights, reader = MidnightLook(source.contract), SignReader(source.contract, signs)

        def see(records: Records) -> bool:
            open_question = midnights.see(reader.read(records))
            return reader.doubts or open_question

        self.show(source, signs, see)
        refusal = reader.refusal
        if refusal and source.table not in self.refused:
            path = self._location.find(source.file_name).path
            self.refused[source.table] = SourceUnreadable(path=path, problem=refusal.problem, remedy=refusal.advice)
        sign = midnights.sign()
        return signs.with_sign("midnight", sign) if sign else signs


def _remembered(location: Location, source: Source) -> Signs:
    """Return what options said of the same bytes when they last agreed with the table."""
    found = location.find(source.file_name)
    signed = agreements(source).exclude(signs={})
    if found.unpacked_size is not None:
        signed = signed.filter(file_bytes=found.unpacked_size)
    if not signed.exists():
        return Signs()
    last = agreements(source).filter(file_sha256=sha256_of(found)).first()
    if last is None:
        return Signs()
    said = Signs.from_json(last.signs).asked
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
