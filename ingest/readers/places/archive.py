"""A ``.zip`` as a place: its members are read as streams, nothing is unpacked to disk."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import IO

from core.errors import SourceUnreadable
from ingest.readers.places.stored import Entry
from ingest.readers.places.streams import FAULTS, Allowance, SourceStream, unreadable

type Explain = Callable[[str, Exception], SourceUnreadable]

_ENCRYPTED = 0x1  # bit 0 of a member's general purpose flags
# Of the others, Python's zipfile unpacks a block of any size at once: a few bytes can fill all memory.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OTHER_METHODS = {9: "deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 93: "Zstandard", 95: "XZ"}
_DEEPEST = 32  # folders in one another: more are no person's
_AGAIN = "Pack it again with the usual method (deflate)."


class ZipArchive:
    """The members of an archive, in whatever folder of it they lie. ``open_bytes``: opens it, for seeking."""

    def __init__(self, name: str, open_bytes: Callable[[], IO[bytes]], *, explain: Explain = unreadable) -> None:
        self._name, self._open_bytes, self._explain = name, open_bytes, explain
        self._folders: dict[str, list[Entry]] = {}
        self._members: dict[str, zipfile.ZipInfo] = {}
        try:
            with open_bytes() as octets, zipfile.ZipFile(octets) as archive:
                members = archive.infolist()
        except FAULTS as error:
            raise explain(name, error) from error
        for member in members:
            # A program for Windows may write backslashes; macOS adds a shadow of every file in a folder of its own.
            inside = PurePosixPath(member.filename.replace("\\", "/").lstrip("/"))
            if not member.is_dir() and "__MACOSX" not in inside.parts and len(inside.parts) <= _DEEPEST:
                self._add(inside, member)

    @property
    def name(self) -> str:
        """The archive's name."""
        return PurePosixPath(self._name).name

    def tiers(self) -> Iterator[Sequence[str]]:
        """Yield all folders of it at once."""
        yield list(self._folders)

    def entries(self, folder: str) -> Sequence[Entry]:
        """Return what lies directly in one folder of it."""
        return self._folders[folder]

    def open(self, entry: Entry, allowance: Allowance) -> SourceStream:
        """Open a member."""
        member = self._members[entry.path]
        path = self.describe(entry.path)
        if member.flag_bits & _ENCRYPTED:
            raise SourceUnreadable(path=path, problem="is encrypted", remedy="Pack it again without a password.")
        if member.compress_type not in _METHODS:
            method = _OTHER_METHODS.get(member.compress_type, f"method {member.compress_type}")
            raise SourceUnreadable(path=path, problem=f"cannot be unpacked ({method})", remedy=_AGAIN)
        allowance.expect(member.file_size, path=path)
        try:
            return SourceStream(
                _Member(self._open_bytes, member), path=path, explain=self._explain, allowance=allowance
            )
        except FAULTS as error:
            raise self._explain(path, error) from error
        except (RuntimeError, ValueError) as error:  # what zipfile does not know, or cannot make out
            raise SourceUnreadable(path=path, problem=f"cannot be unpacked ({error})", remedy=_AGAIN) from error

    def describe(self, path: str) -> str:
        """Return a path below the archive's own."""
        member = self._members.get(path)
        return f"{self._name}/{member.filename if member else path}"

    def _add(self, inside: PurePosixPath, member: zipfile.ZipInfo) -> None:
        self._members[str(inside)] = member
        entry = Entry(str(inside), member.file_size)
        for folder in ("" if parent == PurePosixPath() else str(parent) for parent in inside.parents):
            known = folder in self._folders
            self._folders.setdefault(folder, []).append(entry)
            if known:
                return
            entry = Entry(folder, 0, is_folder=True)


class _Member:
    """One open member; closing it closes the archive that was opened for it alone."""

    def __init__(self, open_bytes: Callable[[], IO[bytes]], member: zipfile.ZipInfo) -> None:
        self._octets = open_bytes()
        try:
            self._archive = zipfile.ZipFile(self._octets)
            self._stream = self._archive.open(member)
        except BaseException:
            self._octets.close()
            raise

    def read(self, size: int, /) -> bytes:
        return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()
        self._archive.close()
        self._octets.close()
