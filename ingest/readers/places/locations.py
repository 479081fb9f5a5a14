"""Where the files of a source lie: a folder, the dataset's ``.zip``, or either of them on S3."""

from pathlib import Path

from core.errors import SourceUnreadable
from ingest.readers.places.archive import ZipArchive
from ingest.readers.places.bucket import open_address
from ingest.readers.places.find import find
from ingest.readers.places.folder import Folder
from ingest.readers.places.stored import FilePlace, StoredFile
from ingest.readers.places.streams import unreadable


class Location:
    """A place that holds tables' files by their names."""

    def __init__(self, place: FilePlace) -> None:
        self._place = place
        self._found: dict[str, StoredFile] = {}

    def find(self, file_name: str) -> StoredFile:
        """Return what lies there under a name: always the same, whatever comes there later.

        SourceUnreadable where nothing does, or more than one thing.
        """
        if file_name not in self._found:
            self._found[file_name] = find(self._place, file_name)
        return self._found[file_name]


def open_location(source: str) -> Location:
    """Find out what ``source`` is, and that it can be read.

    Raises SourceUnreadable if it does not exist, is something else, is a broken archive or answers with an error.
    """
    if source.startswith("s3://"):
        return Location(open_address(source))
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return Location(Folder(path))
        if path.is_file() and path.suffix.lower() == ".zip":
            return Location(ZipArchive(str(path), lambda: path.open("rb")))
        exists = path.exists()
    except OSError as error:
        raise unreadable(str(path), error) from error
    problem = "is neither a folder nor a .zip" if exists else "does not exist"
    remedy = "Name the folder of the CSV files, the dataset's .zip, or an s3:// prefix."
    raise SourceUnreadable(path=source, problem=problem, remedy=remedy)
