"""An open file of a place, whose faults say which file it was, and which gives no more than is allowed."""

import zipfile
import zlib
from collections.abc import Callable
from lzma import LZMAError
from types import TracebackType
from typing import Protocol, Self

from django.conf import settings

from core.errors import SourceUnreadable

# What the streams of a file, a zip member and an S3 object raise when their bytes cannot be had.
FAULTS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, LZMAError)


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes | None: ...

    def close(self) -> None: ...


class Allowance:
    """How many bytes may still come out of what is packed: of one table's file, all its parts together."""

    def __init__(self) -> None:
        self._limit = self._left = settings.LOAD_MAX_UNPACKED_BYTES

    def take(self, count: int, *, path: str) -> None:
        """Count bytes; raises SourceUnreadable where they are too many."""
        self.expect(count, path=path)
        self._left -= count

    def expect(self, count: int, *, path: str) -> None:
        """Raise SourceUnreadable where so many bytes would be too many."""
        if count > self._left:
            problem = f"holds more than {self._limit:,} bytes unpacked"
            remedy = "If that is right, raise the setting LOAD_MAX_UNPACKED_BYTES."
            raise SourceUnreadable(path=path, problem=problem, remedy=remedy)


class SourceStream:
    """The bytes of a file, from its start; a context manager that closes it. ``allowance``: of what is unpacked."""

    def __init__(
        self,
        stream: _Bytes,
        *,
        path: str,
        explain: Callable[[str, Exception], SourceUnreadable] | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        self._stream = stream
        self._path = path
        self._explain = explain or unreadable
        self._allowance = allowance
        self._given = 0

    @property
    def bytes_taken(self) -> int:
        """How many bytes of what lies there were read: the measure of progress."""
        return self._given

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end; raises SourceUnreadable."""
        try:
            block = self._stream.read(size) or b""
        except FAULTS as error:
            raise self._explain(self._path, error) from error
        self._given += len(block)
        if self._allowance is not None:
            self._allowance.take(len(block), path=self._path)
        return block

    def close(self) -> None:
        """Close it; a second time does nothing."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def unreadable(path: str, error: Exception) -> SourceUnreadable:
    """Say what is wrong with a file, or with an archive, that could not be read."""
    if isinstance(error, PermissionError):
        return SourceUnreadable(path=path, problem="may not be read", remedy="Give this user the right to read it.")
    if isinstance(error, OSError):
        problem = f"cannot be read ({error.strerror or error})"
        return SourceUnreadable(path=path, problem=problem, remedy="Check the disk or the connection, and run again.")
    return damaged(path, error, what="archive")


def damaged(path: str, error: Exception, *, what: str) -> SourceUnreadable:
    """Say that a packed file does not give back what was packed."""
    problem = f"is damaged or cut short ({error or type(error).__name__})"
    return SourceUnreadable(path=path, problem=problem, remedy=f"Fetch the {what} again.")
