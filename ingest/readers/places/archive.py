"""A ``.zip`` as a location: its members are read as streams, nothing is unpacked to disk."""

import zipfile
from pathlib import Path, PurePosixPath

from core.errors import SourceUnreadable
from ingest.readers.places.streams import FAULTS, SourceStream, missing, unreadable

_ENCRYPTED = 0x1  # bit 0 of a member's general purpose flags


class ZipArchive:
    """The members of an archive by their file names (in any case), in whatever folder of it they lie."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: dict[str, list[zipfile.ZipInfo]] = {}
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except FAULTS as error:
            raise unreadable(str(path), error) from error
        for member in members:
            inside = _inside(member)
            # macOS adds a shadow of every file in a folder of its own.
            if not member.is_dir() and "__MACOSX" not in inside.parts:
                self._members.setdefault(inside.name.casefold(), []).append(member)

    def size(self, file_name: str) -> int:
        return self._member(file_name).file_size

    def open(self, file_name: str) -> SourceStream:
        member = self._member(file_name)
        path = self.describe(file_name)
        if member.flag_bits & _ENCRYPTED:
            raise SourceUnreadable(path=path, problem="is encrypted", remedy="Pack it again without a password.")
        try:
            return SourceStream(_Member(self._path, member), path=path)
        except FAULTS as error:
            raise unreadable(path, error) from error
        except NotImplementedError as error:
            remedy = "Pack it again with the usual method (deflate)."
            raise SourceUnreadable(path=path, problem=f"cannot be unpacked ({error})", remedy=remedy) from error

    def describe(self, file_name: str) -> str:
        members = self._members.get(file_name.casefold())
        return f"{self._path}/{members[0].filename if members else file_name}"

    def _member(self, file_name: str) -> zipfile.ZipInfo:
        members = self._members.get(file_name.casefold(), [])
        if not members:
            present = [_inside(member).name for members in self._members.values() for member in members]
            raise missing(self.describe(file_name), present)
        if len(members) > 1:
            problem = f"is there more than once: {', '.join(member.filename for member in members)}"
            remedy = "Pack it again with one of them."
            raise SourceUnreadable(path=f"{self._path}/{file_name}", problem=problem, remedy=remedy)
        return members[0]


def _inside(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return where a member lies in its archive, also where a program for Windows has written that."""
    return PurePosixPath(member.filename.replace("\\", "/"))


class _Member:
    """One open member; closing it closes the archive that was opened for it alone."""

    def __init__(self, path: Path, member: zipfile.ZipInfo) -> None:
        self._archive = zipfile.ZipFile(path)
        try:
            self._stream = self._archive.open(member)
        except BaseException:
            self._archive.close()
            raise

    def read(self, size: int, /) -> bytes:
        return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()
        self._archive.close()
