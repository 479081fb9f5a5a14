"""A prefix on S3 as a place, or a ``.zip`` there. Credentials come by the usual chain of the AWS SDK, never from us."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pyarrow import fs

from core.errors import SourceUnreadable
from core.s3.connection import connect
from core.s3.faults import MISSING, fault
from ingest.readers.places.archive import ZipArchive
from ingest.readers.places.ranges import RangedObject
from ingest.readers.places.stored import Entry, FilePlace
from ingest.readers.places.streams import Allowance, SourceStream, unreadable

_GONE = ("is not there any more", "Put the file there again.")
_MAX_FOLDERS = 100  # each is a request; where there are more, they hold something else


def open_address(url: str) -> FilePlace:
    """Return the prefix or the archive ``s3://...``; which server is ``core.s3``'s to say."""
    path = url.removeprefix("s3://").strip("/")
    if not path:
        raise SourceUnreadable(path=url, problem="names no bucket", remedy="Write s3://bucket/prefix.")
    address = f"s3://{path}"
    try:
        files = connect()
        if path.lower().endswith(".zip") and files.get_file_info(path).type == fs.FileType.File:
            return ZipArchive(address, RangedObject(files.open_input_file(path)).open, explain=_explain)
        return BucketPrefix(files, path)
    except FileNotFoundError as error:
        problem, remedy = "there is nothing under this prefix", "Check bucket and prefix."
        raise SourceUnreadable(path=address, problem=problem, remedy=remedy) from error
    except (OSError, ValueError) as error:
        raise _explain(address, error) from error


class BucketPrefix:
    """The objects directly under a prefix, or else those one slash further."""

    def __init__(self, files: fs.S3FileSystem, path: str) -> None:
        self._files, self._path = files, path
        self._known = {"": self._list("")}

    @property
    def name(self) -> str:
        """The prefix's last part."""
        return PurePosixPath(self._path).name

    def tiers(self) -> Iterator[Sequence[str]]:
        """Yield the prefix, then those below it, where these are few."""
        yield [""]
        below = [entry.path for entry in self.entries("") if entry.is_folder and not entry.name.startswith((".", "_"))]
        yield below if len(below) <= _MAX_FOLDERS else []

    def entries(self, folder: str) -> Sequence[Entry]:
        """Return what lies directly under one prefix; a second time, what lay there the first."""
        if folder not in self._known:
            try:
                self._known[folder] = self._list(folder)
            except (OSError, ValueError) as error:
                raise _explain(self.describe(folder), error) from error
        return self._known[folder]

    def open(self, entry: Entry, _allowance: Allowance) -> SourceStream:
        """Open an object."""
        path = self.describe(entry.path)
        try:
            return SourceStream(self._files.open_input_stream(path.removeprefix("s3://")), path=path, explain=_explain)
        except OSError as error:
            raise _explain(path, error) from error

    def describe(self, path: str) -> str:
        """Return the address."""
        return f"s3://{PurePosixPath(self._path) / path}"

    def _list(self, folder: str) -> list[Entry]:
        infos = self._files.get_file_info(fs.FileSelector(f"{self._path}/{folder}".rstrip("/")))
        return [
            Entry(f"{folder}/{info.base_name}".lstrip("/"), info.size or 0, info.type == fs.FileType.Directory)
            for info in infos
        ]


def _explain(path: str, error: Exception) -> SourceUnreadable:
    if known := fault(error, path, **{MISSING: _GONE}):
        return SourceUnreadable(path=path, problem=known[0], remedy=known[1])
    return unreadable(path, error)
