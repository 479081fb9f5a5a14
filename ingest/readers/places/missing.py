"""A file that is not there: what lies there instead, and what to do."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.errors import SourceMissing
from ingest.readers.places.packed import PACKED, packing_of

_NAMES_SHOWN = 20
_ARCHIVES = (".zip", ".bz2", ".xz", ".lz4", ".7z", ".rar")
_OTHER_FORMATS = (".tsv", ".tab", ".xls", ".xlsx", ".ods", ".numbers", ".parquet", ".json", ".ndjson")
_ENDINGS = "|".join(map(re.escape, (".csv", ".txt", *PACKED, *_ARCHIVES, *_OTHER_FORMATS)))
_ADDED = re.compile(rf"(?: ?\(\d+\)| - copy| copy(?: \d+)?|{_ENDINGS})*\Z")


def missing(path: str, present: Sequence[Sequence[str]]) -> SourceMissing:
    """Say that a file is not there, and what is: one that could be it, or else all.

    ``present``: the paths that lie in the place, and in the folders below it; those of folders end with a slash.
    """
    name = PurePosixPath(path).name
    remedy = "Put the file there, or leave its table out with --table."
    if near := sorted(other for others in present for other in others if _could_be(other, name)):
        problem = f"is not there, but {' and '.join(near)} {'are' if len(near) > 1 else 'is'}"
        return SourceMissing(path=path, problem=problem, remedy=_what_to_do(near, name), present="")
    files = (sorted(other for other in others if not other.endswith("/")) for others in present)
    names = next(filter(None, files), [])
    shown = ", ".join(names[:_NAMES_SHOWN]) + (f" and {len(names) - _NAMES_SHOWN} more" * (len(names) > _NAMES_SHOWN))
    problem = f"is not there; the files there are: {shown}" if names else "is not there, nor is any other file"
    return SourceMissing(path=path, problem=problem, remedy=remedy, present=shown)


def _could_be(other: str, name: str) -> bool:
    """Tell whether ``other`` is ``name`` with something added, or one or more whole words of it."""
    short, long = _stem(PurePosixPath(other).name), _stem(name)
    return short == long or (len(short) > 3 and f"_{short}_" in f"_{long}_")


def _stem(name: str) -> str:
    """Take off what programs and people add to the name of a file that they save, download or pack."""
    return _ADDED.sub("", name.casefold().removeprefix("copy of "))


def _what_to_do(near: Sequence[str], name: str) -> str:
    if len(near) > 1:
        return f"Leave one of them there, as {name}."
    (other,) = near
    lower = other.casefold()
    if lower.endswith(_ARCHIVES):
        return f"Unpack it to {name}."
    if lower.removesuffix(packing_of(lower)).endswith(_OTHER_FORMATS):
        return f"Save it as CSV with commas, named {name}."
    if other.endswith("/"):
        return f"Are those its parts? Then rename the folder to {name}."
    return f"Is it that file? Then rename it to {name}{packing_of(lower)}."
