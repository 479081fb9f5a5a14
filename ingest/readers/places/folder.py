"""A folder of this machine as a place."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.readers.places.stored import Entry
from ingest.readers.places.streams import Allowance, SourceStream, unreadable


class Folder:
    """The files of one folder, or else of the folders in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, list[Entry]] = {}
        self.entries("")

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._path.absolute().name

    def tiers(self) -> Iterator[Sequence[str]]:
        """Yield the folder, then those in it, but for such as nobody made by hand or that may not be read."""
        yield [""]
        below = [entry for entry in self.entries("") if entry.is_folder and not entry.name.startswith((".", "__"))]
        yield [entry.path for entry in below if os.access(self._path / entry.path, os.R_OK | os.X_OK)]

    def entries(self, folder: str) -> Sequence[Entry]:
        """Return what lies directly in one folder; a second time, what lay there the first."""
        if folder not in self._known:
            path = self._path / folder
            try:
                self._known[folder] = [entry for found in path.iterdir() if (entry := self._entry(found))]
            except OSError as error:
                raise unreadable(str(path), error) from error
        return self._known[folder]

    def open(self, entry: Entry, _allowance: Allowance) -> SourceStream:
        """Open a file."""
        path = self._path / entry.path
        try:
            return SourceStream(path.open("rb", buffering=0), path=str(path))
        except OSError as error:
            raise unreadable(str(path), error) from error

    def describe(self, path: str) -> str:
        """Return a path as the operating system knows it."""
        return str(self._path / path)

    def _entry(self, path: Path) -> Entry | None:
        """Return what a path is; None where that is neither a file nor a folder, or is gone."""
        name = path.relative_to(self._path).as_posix()
        try:
            if path.is_file():
                return Entry(name, path.stat().st_size)
            return Entry(name, 0, is_folder=True) if path.is_dir() else None
        except FileNotFoundError:
            return None
