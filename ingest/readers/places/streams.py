"""An open file of a location, whose faults say which file it was."""

import zipfile
import zlib
from collections.abc import Callable, Iterable
from lzma import LZMAError
from types import TracebackType
from typing import Protocol, Self

from core.errors import SourceUnreadable

# What the streams of a file, a zip member and an S3 object raise when their bytes cannot be had.
FAULTS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, LZMAError)
_NAMES_SHOWN = 20


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


def missing(path: str, present: Iterable[str]) -> SourceUnreadable:
    """Say that a file is not there, and what is."""
    names = sorted(present)
    shown = ", ".join(names[:_NAMES_SHOWN]) + (f" and {len(names) - _NAMES_SHOWN} more" * (len(names) > _NAMES_SHOWN))
    return SourceUnreadable(
        path=path,
        problem=f"is not there; the files there are: {shown}" if names else "is not there, nor is any other file",
        remedy="Put the file there, or leave its table out with --table.",
    )
