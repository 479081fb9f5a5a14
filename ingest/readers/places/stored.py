"""What lies in a place under a name: a file, packed or not, or its parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from ingest.readers.places.packed import UnpackedStream, packing_of
from ingest.readers.places.streams import Allowance, SourceStream

_READ_BYTES = 1024 * 1024
_USUAL_RATIO = 2  # of unpacked to packed bytes: the published files have 1.9 to 4.0


class Entry(NamedTuple):
    """A file or folder of a place. ``path``: below the place, with slashes; ``size``: bytes as it lies there."""

    path: str
    size: int
    is_folder: bool = False

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name


class FilePlace(Protocol):
    """A folder, an archive or a prefix on S3. Its methods raise SourceUnreadable."""

    @property
    def name(self) -> str:
        """The last part of its own path."""

    def tiers(self) -> Iterator[Sequence[str]]:
        """Yield the folders of it in which files may lie, those first that go before; ``""`` is the place itself."""

    def entries(self, folder: str) -> Sequence[Entry]:
        """Return what lies directly in one folder of it."""

    def open(self, entry: Entry, allowance: Allowance) -> SourceStream:
        """Open a file of it for reading from its start."""

    def describe(self, path: str) -> str:
        """Name for messages what lies under a path of it."""


@dataclass(frozen=True)
class StoredPart:
    """One file that holds a table's records, or some of them. ``name``: as its rejects say where they lie."""

    name: str
    place: FilePlace
    entry: Entry

    @property
    def path(self) -> str:
        """Name it for messages."""
        return self.place.describe(self.entry.path)

    @property
    def packed(self) -> bool:
        """Tell that more bytes come out of it than lie there."""
        return bool(packing_of(self.entry.name))

    def open(self, allowance: Allowance) -> SourceStream:
        """Open it for reading from its start, unpacked; use it as a context manager. SourceUnreadable if that fails."""
        stream = self.place.open(self.entry, allowance)
        if not self.packed:
            return stream
        try:
            return UnpackedStream(stream, path=self.path, allowance=allowance)
        except BaseException:
            stream.close()
            raise


@dataclass(frozen=True)
class StoredFile:
    """A table's file as it lies in a place: ``parts`` in order, mostly one. ``path`` names the whole for messages."""

    path: str
    parts: tuple[StoredPart, ...]

    @property
    def size(self) -> int:
        """Bytes as they lie there, of all parts."""
        return sum(part.entry.size for part in self.parts)

    @property
    def unpacked_size(self) -> int | None:
        """Bytes that it holds; None where only unpacking it would tell."""
        return None if any(part.packed for part in self.parts) else self.size

    @property
    def expected_size(self) -> int:
        """About how many bytes it holds."""
        return sum(part.entry.size * (_USUAL_RATIO if part.packed else 1) for part in self.parts)

    def blocks(self) -> Iterator[bytes]:
        """Yield all that it holds, unpacked, part after part."""
        allowance = Allowance()
        for part in self.parts:
            with part.open(allowance) as stream:
                while block := stream.read(_READ_BYTES):
                    yield block
