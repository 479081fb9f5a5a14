"""Which of the files that lie in a place is meant by a name: it, packed or not, or a folder of its parts."""

from collections import defaultdict
from collections.abc import Sequence

from core.errors import SourceUnreadable
from ingest.readers.places.missing import missing
from ingest.readers.places.packed import PACKED, packing_of
from ingest.readers.places.stored import Entry, FilePlace, StoredFile, StoredPart

# Spark's codecs, and others: files of these are in a folder of parts by intention, and are not read.
_OTHER_PACKING = (".bz2", ".lz4", ".snappy", ".deflate", ".xz", ".br", ".zip")


def find(place: FilePlace, file_name: str) -> StoredFile:
    """Return what is meant by ``file_name``, in any case of it.

    Raises SourceMissing where nothing is, SourceUnreadable where two things could be, or parts may be lacking.
    """
    names = {file_name.casefold() + ending for ending in ("", *PACKED)}
    for folders in place.tiers():
        found = [
            entry
            for folder in folders
            for entry in place.entries(folder)
            if entry.name.casefold() in names and not (entry.is_folder and packing_of(entry.name))
        ]
        if len(found) > 1:
            raise _ambiguous(place.describe(file_name), [_shown(entry) for entry in found])
        for entry in found:
            parts = _parts(place, entry, file_name) if entry.is_folder else [StoredPart(file_name, place, entry)]
            return StoredFile(place.describe(entry.path), tuple(parts))
    if place.name.casefold() == file_name.casefold() and any(map(_is_part, place.entries(""))):
        remedy = "Name the folder that it lies in."
        raise SourceUnreadable(path=place.describe(""), problem="is one file's folder of parts", remedy=remedy)
    raise missing(place.describe(file_name), [_present(place, folders) for folders in place.tiers()])


def _parts(place: FilePlace, folder: Entry, file_name: str) -> Sequence[StoredPart]:
    """Return the part files of a folder by their names as text, but for those by which programs keep its books."""
    entries = place.entries(folder.path)
    if any(entry.name == "_temporary" for entry in entries):
        raise _refused(place, folder, "is a folder that is still being written (_temporary)", "Write it again.")
    shown = sorted((entry for entry in entries if _is_part(entry)), key=lambda entry: entry.name)
    if folders := [entry.name for entry in shown if entry.is_folder]:
        problem = f"is a folder of part files that holds folders too: {', '.join(folders)}"
        raise _refused(place, folder, problem, "Write it without partitions (Spark: without partitionBy).")
    if not shown:
        remedy = "Put the part files there, or one file in its place."
        raise _refused(place, folder, "is a folder without part files", remedy)
    if packed := [entry.name for entry in shown if entry.name.lower().endswith(_OTHER_PACKING)]:
        problem = f"holds part files whose packing is not read here: {', '.join(packed[:3])}"
        raise _refused(place, folder, problem, "Write them with gzip or Zstandard, or unpacked.")
    twins = defaultdict(list)
    for entry in shown:
        twins[entry.name.casefold().removesuffix(packing_of(entry.name))].append(entry)
    for same in twins.values():
        if len(same) > 1:
            raise _ambiguous(place.describe(f"{folder.path}/{same[0].name}"), [entry.name for entry in same])
    return [StoredPart(f"{file_name}/{entry.name}", place, entry) for entry in shown]


def _is_part(entry: Entry) -> bool:
    return not entry.name.startswith((".", "_")) and not entry.name.endswith(".crc")


def _present(place: FilePlace, folders: Sequence[str]) -> list[str]:
    """Return what lies in some folders of a place, but for what no person sees there."""
    entries = [entry for folder in folders for entry in place.entries(folder)]
    return [_shown(entry) for entry in entries if not entry.name.startswith((".", "__"))]


def _shown(entry: Entry) -> str:
    return f"{entry.path}/" if entry.is_folder else entry.path


def _ambiguous(path: str, candidates: Sequence[str]) -> SourceUnreadable:
    problem = f"could be {', '.join(sorted(candidates))}"
    return SourceUnreadable(path=path, problem=problem, remedy="Leave one of them there.")


def _refused(place: FilePlace, folder: Entry, problem: str, remedy: str) -> SourceUnreadable:
    return SourceUnreadable(path=place.describe(folder.path), problem=problem, remedy=remedy)
