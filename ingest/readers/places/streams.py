"""An open file of a location, whose faults say which file it was."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from lzma import LZMAError
from pathlib import PurePosixPath
from types import TracebackType
from typing import Protocol, Self

from core.errors import SourceMissing, SourceUnreadable

# What the streams of a file, a zip member and an S3 object raise when their bytes cannot be had.
FAULTS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, LZMAError)
_NAMES_SHOWN = 20
_ADDED = re.compile(r"(?: ?\(\d+\)|\.(?:csv|tsv|txt|gz|zst|zip|bz2|xz|xlsx?|ods|parquet))*\Z")


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes | None: ...

    def close(self) -> None: ...


class SourceStream:
    """The bytes of a file, from its start; a context manager that closes it."""

    def __init__(
        self, stream: _Bytes, *, path: str, explain: Callable[[str, Exception], SourceUnreadable] | None = None
    ) -> None:
        self._stream = stream
        self._path = path
        self._explain = explain or unreadable

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end; raises SourceUnreadable."""
        try:
            return self._stream.read(size) or b""
        except FAULTS as error:
            raise self._explain(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()


def unreadable(path: str, error: Exception) -> SourceUnreadable:
    """Say what is wrong with a file, or with an archive, that could not be read."""
    if isinstance(error, PermissionError):
        return SourceUnreadable(path=path, problem="may not be read", remedy="Give this user the right to read it.")
    if isinstance(error, OSError):
        problem = f"cannot be read ({error.strerror or error})"
        return SourceUnreadable(path=path, problem=problem, remedy="Check the disk or the connection, and run again.")
    problem = f"is damaged or cut short ({error or type(error).__name__})"
    return SourceUnreadable(path=path, problem=problem, remedy="Fetch the archive again.")


def missing(path: str, present: Iterable[str], *, part_files: Mapping[str, int] | None = None) -> SourceMissing:
    """Say that a file is not there, and what is: one that could be it, or else all.

    ``part_files``: by folder, how many files it holds.
    """
    name, names = PurePosixPath(path).name, sorted(present)
    remedy = "Put the file there, or leave its table out with --table."
    if part_files and name in part_files:
        problem = f"is a folder of {part_files[name]} files"
        remedy = "Write one file (Spark: coalesce(1), Dask: single_file=True), and put it there under this name."
        return SourceMissing(path=path, problem=problem, remedy=remedy, present="")
    if near := [other for other in names if _stem(other) == _stem(name)]:
        problem = f"is not there, but {' and '.join(near)} {'are' if len(near) > 1 else 'is'}"
        return SourceMissing(path=path, problem=problem, remedy=_what_to_do(near, name), present="")
    shown = ", ".join(names[:_NAMES_SHOWN]) + (f" and {len(names) - _NAMES_SHOWN} more" * (len(names) > _NAMES_SHOWN))
    problem = f"is not there; the files there are: {shown}" if names else "is not there, nor is any other file"
    return SourceMissing(path=path, problem=problem, remedy=remedy, present=shown)


def _stem(name: str) -> str:
    """Take off what programs and people add to the name of a file that they save, download or pack."""
    return _ADDED.sub("", name.casefold())


def _what_to_do(near: Sequence[str], name: str) -> str:
    if len(near) > 1:
        return f"Leave one of them there, as {name}."
    (other,) = near
    if other.casefold().endswith((".gz", ".zst", ".zip", ".bz2", ".xz")):
        return f"Unpack it to {name}."
    if other.casefold().endswith((".tsv", ".xls", ".xlsx", ".ods", ".parquet")):
        return f"Save it as CSV with commas, named {name}."
    return f"Is it that file? Then rename it to {name}."
