"""What lies in a place, and what is said of what does not."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core.errors import SourceUnreadable
from ingest.readers.places.locations import Location


def content(location: Location, name: str) -> bytes:
    """Read a file whole."""
    return b"".join(location.find(name).blocks())


def message(action: Callable[[], object]) -> str:
    """Return why an action found its source unreadable."""
    with pytest.raises(SourceUnreadable) as refused:
        action()
    return str(refused.value)


def make_zip(folder: Path, members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack members into ``data.zip``."""
    path = folder / "data.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def lay_out(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files, some of them in folders, into a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder
