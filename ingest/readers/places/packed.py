"""Files packed by gzip or Zstandard, unpacked while they are read: never whole in memory, and not on disk."""

import gzip
import io
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, cast

import pyarrow as pa

from core.errors import SourceUnreadable
from ingest.readers.places.streams import Allowance, SourceStream, damaged

# By their endings: what their files begin with.
PACKED = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
_SKIPPED_FRAME = b"\x2a\x4d\x18"  # of Zstandard, behind a byte from 0x50 on: some programs begin with one
_TOO_WIDE = "too much memory"  # Zstandard's own bound of what unpacking may take
_NAMES = {".gz": "gzip", ".zst": "Zstandard"}


def packing_of(name: str) -> str:
    """Return the ending that says how a file is packed; empty where it is not."""
    ending = PurePosixPath(name).suffix.lower()
    return ending if ending in PACKED else ""


class UnpackedStream(SourceStream):
    """What a packed stream holds; closing it closes that."""

    def __init__(self, packed: SourceStream, *, path: str, allowance: Allowance) -> None:
        self._packed = packed
        self._counted = _Peeked(packed)
        ending = packing_of(path)
        _assert_packed(self._counted.peek(4), ending, path)
        open_stream: Callable[[_Peeked], IO[bytes]] = {".gz": _gzip, ".zst": _zstandard}[ending]
        super().__init__(open_stream(self._counted), path=path, explain=_explain, allowance=allowance)

    @property
    def bytes_taken(self) -> int:
        """How many bytes of the packed file were read."""
        return self._packed.bytes_taken

    def close(self) -> None:
        """Close both."""
        super().close()
        self._packed.close()


class _Peeked(io.RawIOBase):
    """A stream whose first bytes were looked at."""

    def __init__(self, stream: SourceStream) -> None:
        self._stream = stream
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (block := self._stream.read(size - len(self._ahead))):
            self._ahead += block
        return self._ahead

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if self._ahead:
            block, self._ahead = self._ahead[:size], self._ahead[size:]
            return block
        return self._stream.read(size)


def _gzip(packed: _Peeked) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=packed, mode="rb"))


def _zstandard(packed: _Peeked) -> IO[bytes]:
    return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd"))


def _assert_packed(begins: bytes, ending: str, path: str) -> None:
    skipped = ending == ".zst" and begins[1:] == _SKIPPED_FRAME and begins[0] & 0xF0 == 0x50
    if skipped or begins.startswith(PACKED[ending]):
        return
    if not begins:
        raise SourceUnreadable(path=path, problem="is empty", remedy="Put the file there again.")
    problem = f"is not packed by {_NAMES[ending]}, though its name says so"
    remedy = f"If it is plain text, take {ending} off its name."
    raise SourceUnreadable(path=path, problem=problem, remedy=remedy)


def _explain(path: str, error: Exception) -> SourceUnreadable:
    if _TOO_WIDE in str(error):
        problem = "was packed with a window of more than 128 MiB"
        return SourceUnreadable(path=path, problem=problem, remedy="Pack it again with --long=27 at most.")
    return damaged(path, error, what="file")
