"""Where the files of a source lie: a folder, the dataset's ``.zip``, or a prefix on S3."""

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
    """The files of one folder, not of those below it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._sizes = {entry.name: entry.stat().st_size for entry in path.iterdir() if entry.is_file()}
        except OSError as error:
            raise unreadable(str(path), error) from error

    def size(self, file_name: str) -> int:
        if file_name not in self._sizes:
            raise missing(self.describe(file_name), self._sizes)
        return self._sizes[file_name]

    def open(self, file_name: str) -> SourceStream:
        self.size(file_name)
        path = self.describe(file_name)
        try:
            return SourceStream((self._path / file_name).open("rb", buffering=0), path=path)
        except OSError as error:
            raise unreadable(path, error) from error

    def describe(self, file_name: str) -> str:
        return str(self._path / file_name)
