"""A prefix on S3 as a location. Credentials come by the usual chain of the AWS SDK, never from us."""

from pathlib import PurePosixPath

from pyarrow import fs

from core.errors import SourceUnreadable
from core.s3.connection import connect
from core.s3.faults import MISSING, fault
from ingest.readers.places.streams import SourceStream, missing, unreadable

_GONE = ("is not there any more", "Put the file there again.")


class BucketPrefix:
    """The objects directly under ``s3://bucket/prefix``; which server is ``core.s3``'s to say."""

    def __init__(self, url: str) -> None:
        self._path = url.removeprefix("s3://").strip("/")
        if not self._path:
            raise SourceUnreadable(path=url, problem="names no bucket", remedy="Write s3://bucket/prefix.")
        try:
            self._files = connect()
            infos = self._files.get_file_info(fs.FileSelector(self._path))
        except FileNotFoundError as error:
            problem, remedy = "there is nothing under this prefix", "Check bucket and prefix."
            raise SourceUnreadable(path=f"s3://{self._path}", problem=problem, remedy=remedy) from error
        except (OSError, ValueError) as error:
            raise _explain(f"s3://{self._path}", error) from error
        self._sizes = {info.base_name: info.size for info in infos if info.type == fs.FileType.File}

    def size(self, file_name: str) -> int:
        if file_name not in self._sizes:
            raise missing(self.describe(file_name), self._sizes)
        return self._sizes[file_name]

    def open(self, file_name: str) -> SourceStream:
        self.size(file_name)
        path = self.describe(file_name)
        try:
            return SourceStream(self._files.open_input_stream(path.removeprefix("s3://")), path=path, explain=_explain)
        except OSError as error:
            raise _explain(path, error) from error

    def describe(self, file_name: str) -> str:
        return f"s3://{PurePosixPath(self._path) / file_name}"


def _explain(path: str, error: Exception) -> SourceUnreadable:
    if known := fault(error, path, **{MISSING: _GONE}):
        return SourceUnreadable(path=path, problem=known[0], remedy=known[1])
    return unreadable(path, error)
