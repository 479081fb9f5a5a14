"""An object on S3 as a file in which one can seek: read by ranges, so that nothing is fetched that nobody asks for."""

import io
from typing import IO

import pyarrow as pa

TAIL_BYTES = 64 * 1024  # of a usual archive, the whole directory
RANGE_BYTES = 4 * 1024 * 1024


class RangedObject:
    """An object of which readers are opened; its end is fetched once, for all of them."""

    def __init__(self, handle: pa.NativeFile) -> None:
        self._handle = handle
        self.size = handle.size()
        self._tail_at = max(self.size - TAIL_BYTES, 0)
        self._tail = self._fetch(self.size - self._tail_at, self._tail_at)

    def open(self) -> IO[bytes]:
        """Return a reader from the object's start; each may be used by another thread."""
        return io.BufferedReader(_Reader(self), RANGE_BYTES)

    def read_at(self, count: int, at: int) -> bytes:
        """Return so many bytes from an offset on, fewer at the end."""
        if at >= self._tail_at:
            return self._tail[at - self._tail_at :][:count]
        return self._fetch(min(count, self._tail_at - at), at)

    def _fetch(self, count: int, at: int) -> bytes:
        return self._handle.read_at(count, at)  # type: ignore[call-arg]  # the stubs know no arguments


class _Reader(io.RawIOBase):
    def __init__(self, whole: RangedObject) -> None:
        self._whole, self._at = whole, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # of what BufferedReader gives
        block = self._whole.read_at(len(buffer), self._at)
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._whole.size}[whence]
        if start + offset < 0:
            raise OSError(22, "Invalid argument")
        self._at = start + offset
        return self._at
