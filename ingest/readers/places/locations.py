"""Where the files of a source lie: a folder, the dataset's ``.zip``, or a prefix on S3."""

import os
from functools import cached_property
from pathlib import Path
from typing import Protocol

from core.errors import SourceUnreadable
from ingest.readers.places.archive import ZipArchive
from ingest.readers.places.bucket import BucketPrefix
from ingest.readers.places.streams import SourceStream, missing, unreadable


class Location(Protocol):
    """A place that holds files by name. Its methods raise SourceUnreadable for a file that is not there."""

    def size(self, file_name: str) -> int:
        """Return its size in bytes, unpacked."""

    def open(self, file_name: str) -> SourceStream:
        """Open it for reading from its start; use it as a context manager. SourceUnreadable if that fails."""

    def describe(self, file_name: str) -> str:
        """Name it for messages, whether it is there or not."""


def open_location(source: str) -> Location:
    """Find out what ``source`` is, and that it can be read.

    Raises SourceUnreadable if it does not exist, is something else, is a broken archive or answers with an error.
    """
    if source.startswith("s3://"):
        return BucketPrefix(source)
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return Folder(path)
        if path.is_file() and path.suffix.lower() == ".zip":
            return ZipArchive(path)
        exists = path.exists()
    except OSError as error:
        raise unreadable(str(path), error) from error
    problem = "is neither a folder nor a .zip" if exists else "does not exist"
    remedy = "Name the folder of the CSV files, the dataset's .zip, or an s3:// prefix."
    raise SourceUnreadable(path=source, problem=problem, remedy=remedy)


class Folder:
    """The files of one folder, or else of one folder in it, in any case of their names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._here = _files_of(path)
        except OSError as error:
            raise unreadable(str(path), error) from error

    def size(self, file_name: str) -> int:
        path = self._file(file_name)
        try:
            return path.stat().st_size
        except OSError as error:
            raise unreadable(str(path), error) from error

    def open(self, file_name: str) -> SourceStream:
        path = self._file(file_name)
        try:
            return SourceStream(path.open("rb", buffering=0), path=str(path))
        except OSError as error:
            raise unreadable(str(path), error) from error

    def describe(self, file_name: str) -> str:
        found = self._found(file_name)
        return str(found[0] if len(found) == 1 else self._path / file_name)

    def _file(self, file_name: str) -> Path:
        found = self._found(file_name)
        path = str(self._path / file_name)
        if not found:
            present = [entry.name for paths in self._here.values() for entry in paths]
            raise missing(path, present, part_files=self._part_files())
        if len(found) > 1:
            names = ", ".join(str(entry.relative_to(self._path)) for entry in sorted(found))
            raise SourceUnreadable(path=path, problem=f"could be {names}", remedy="Leave one of them there.")
        return found[0]

    def _found(self, file_name: str) -> list[Path]:
        name = file_name.casefold()
        return self._here.get(name) or [path for files in self._below.values() for path in files.get(name, [])]

    @cached_property
    def _below(self) -> dict[str, dict[str, list[Path]]]:
        """The files of each folder in this one, but for those that nobody made by hand or that may not be read."""
        found = {}
        for folder in sorted(self._path.iterdir()):
            if folder.is_dir() and not folder.name.startswith((".", "__")) and os.access(folder, os.R_OK | os.X_OK):
                found[folder.name] = _files_of(folder)
        return found

    def _part_files(self) -> dict[str, int]:
        return {folder: sum(not name.startswith((".", "_")) for name in files) for folder, files in self._below.items()}


def _files_of(folder: Path) -> dict[str, list[Path]]:
    """Return the files of a folder by their names in lower case."""
    found: dict[str, list[Path]] = {}
    for entry in folder.iterdir():
        if entry.is_file():
            found.setdefault(entry.name.casefold(), []).append(entry)
    return found
