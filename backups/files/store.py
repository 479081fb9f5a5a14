"""Where backups lie: a folder, or a prefix on S3. Names are relative, with ``/`` between their parts: see ``layout``.

On S3 an object is there only when it is whole, so it gets its name at once. Credentials come by the usual chain of the
AWS SDK, and S3 encrypts what it stores: by its own key, or by KMS where the bucket's default says so (pyarrow's
``S3FileSystem`` sends no header for that, and takes ``default_metadata`` for the user's own).
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from backups.files.layout import MANIFESTS, PART, SAFETY, parted
from core.errors import SourceUnreadable
from core.s3.connection import connect
from core.s3.endpoint import S3
from core.s3.faults import MISSING, Fault, fault
from core.s3.requests import Bucket

COPY_BYTES = 8 << 20
SMALL_BYTES = 16 << 20  # a manifest of 1,600 columns has one or two MiB
UNWRITABLE = ("cannot be written there", "Name a folder that can be made, or s3://bucket/prefix.")
_GONE = ("is not there", "Look for it with `manage.py list_backups`.")
_NOWHERE = ("is not there", "Name the folder in which backups lie, or s3://bucket/prefix.")
_NO_FILE = ("is a folder, not a file", "Name a .parquet file: `manage.py list_backups` shows them.")
_SCHEME = re.compile(r"[^/]*://")


class Store:
    """The files under one folder or ``s3://bucket/prefix``. All methods raise SourceUnreadable."""

    def __init__(self, url: str) -> None:
        """Take note of the place; nothing is made there yet."""
        self.url = full_address(url)
        self.remote = self.url.startswith(S3)
        self._root = self.url.removeprefix(S3)
        with self.explained(""):
            self._files: fs.FileSystem = connect() if self.remote else fs.LocalFileSystem()

    def path(self, name: str) -> str:
        """Return the full path or address of a file."""
        return f"{self.url}/{name}"

    @contextmanager
    def draft(self, name: str) -> Iterator["Draft"]:
        """Write a file that does not count before ``Draft.publish``; one that is not published is removed."""
        at = PurePosixPath(self._place(name))
        working = str(at) if self.remote else str(at.with_name(f".{at.name}{PART}"))
        with self.explained(name, missing=UNWRITABLE):
            if not self.remote:
                _make_folder(Path(at.parent))
            sink = self._files.open_output_stream(working)
            draft = Draft(self._files, working, str(at), sink=sink, remove=self._delete)
        try:
            with self.explained(name, missing=UNWRITABLE):
                yield draft
        finally:
            if not draft.published:
                draft.discard()
                self._drop_empty_folders(name)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file: wholly there, and on disk, or not there."""
        with self.draft(name) as draft:
            draft.sink.write(content)
            draft.seal()
            if self.remote and self.read(name) != content:
                raise _garbled(self.path(name))
            draft.publish()

    def read(self, name: str) -> bytes:
        """Read a small file; one that is not small is no file of ours."""
        with self.explained(name), self._files.open_input_stream(self._place(name)) as stream:
            content = stream.read(SMALL_BYTES + 1)
        if len(content) > SMALL_BYTES:
            problem = f"it has more than {SMALL_BYTES >> 20} MiB, so it is no manifest"
            raise SourceUnreadable(path=self.path(name), problem=problem, remedy="Move it elsewhere.")
        return content

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Return the file on this machine: itself, or a temporary copy of an object, fetched once."""
        if not self.remote:
            with self.explained(name):
                Path(self._place(name)).stat()
            yield Path(self._place(name))
            return
        with tempfile.NamedTemporaryFile(prefix="dataforge-") as copy:
            with self.explained(name), self._files.open_input_stream(self._place(name)) as stream:
                while block := stream.read(COPY_BYTES):
                    copy.write(block)
            copy.flush()
            yield Path(copy.name)

    def names(self, *, needed: bool = False) -> list[str]:
        """List all files, sorted; none where the place itself is missing, unless it is ``needed``."""
        with self.explained("", missing=_NOWHERE):
            infos = self._files.get_file_info(fs.FileSelector(self._root, recursive=True, allow_not_found=not needed))
        paths = [path for info in infos if info.type == fs.FileType.File and (path := _path(info)) is not None]
        return sorted(path.removeprefix(self._root).lstrip("/") for path in paths)

    def age_seconds(self, name: str, *, now: float) -> float:
        """Tell how long before ``now`` (seconds since 1970) the file was last written."""
        with self.explained(name):
            info = self._files.get_file_info(self._place(name))
        return now - (info.mtime_ns or 0) / 1e9

    def remove(self, name: str) -> None:
        """Remove a file, if it is there, and the folders of its run that it leaves empty."""
        with self.explained(name):
            self._delete(self._place(name))
        self._drop_empty_folders(name)

    @cached_property
    def bucket(self) -> Bucket:
        """The bucket in which the files lie, of a store on S3."""
        return Bucket(self._root.partition("/")[0])

    @property
    def prefix(self) -> str:
        """What all keys in that bucket begin with: empty, or with a slash at its end."""
        prefix = self._root.partition("/")[2]
        return prefix and f"{prefix}/"

    @contextmanager
    def given_back(self, name: str) -> Iterator[None]:
        """Say that a store does not give back what was written where the block cannot make sense of what it reads."""
        try:
            yield
        except pa.ArrowException as error:
            raise _garbled(self.path(name)) from error
        except OSError as error:  # Parquet's own faults are without a number
            if error.errno or fault(error):
                raise
            raise _garbled(self.path(name)) from error

    def _drop_empty_folders(self, name: str) -> None:
        for folder in PurePosixPath(name).parents[:-1] if not self.remote else ():
            if folder.name in (MANIFESTS, SAFETY):
                return
            try:
                Path(self._place(str(folder))).rmdir()
            except OSError:  # it holds something, or is gone
                return

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _delete(self, place: str) -> None:
        if self.remote:
            self.bucket.delete(place.partition("/")[2])
        else:
            Path(place).unlink(missing_ok=True)

    @contextmanager
    def explained(self, name: str, *, missing: Fault = _GONE) -> Iterator[None]:
        """Say what is wrong with a file where the block fails to read or write it; ``missing``: if it is not there."""
        try:
            yield
        except OSError as error:
            raise _explain(f"{self.url}/{name}".rstrip("/"), error, missing) from error


class Draft:
    """A file that is being written: write to ``sink``, ``seal``, look at it, ``publish``."""

    def __init__(
        self, files: fs.FileSystem, working: str, final: str, *, sink: pa.NativeFile, remove: Callable[[str], None]
    ) -> None:
        self._files, self._working, self._final, self.sink, self._remove = files, working, final, sink, remove
        self._local = isinstance(files, fs.LocalFileSystem)
        self.published = False

    def seal(self) -> None:
        """End the writing, and wait until it is on disk."""
        self.sink.close()
        if self._local:
            _sync(self._working)

    def open(self) -> pa.NativeFile:
        """Read what was written, from where it was written to."""
        return self._files.open_input_file(self._working)

    def publish(self) -> None:
        """Let the file have its name, for good."""
        if self._local:
            Path(self._working).replace(self._final)
            _sync(str(Path(self._final).parent))
        self.published = True

    def discard(self) -> None:
        """Remove the file, which was not published."""
        with suppress(OSError):
            self.sink.close()
        with suppress(OSError):
            self._remove(self._working)


def full_address(url: str) -> str:
    """Write a folder as its absolute path, and ``s3://bucket/prefix`` without a slash at its end; SourceUnreadable."""
    _refuse_other_schemes(url)
    if not url.startswith(S3):
        return str(Path(url).expanduser().absolute())
    if not (root := url.removeprefix(S3).strip("/")):
        raise SourceUnreadable(path=url, problem="names no bucket", remedy="Write s3://bucket/prefix.")
    return f"{S3}{root}"


def split(path: str) -> tuple[Store, str]:
    """Return the root below which a file lies as ``layout`` has it, and its name there."""
    _refuse_other_schemes(path)
    root, name = parted(path)
    if path.startswith(S3) and not root.removeprefix(S3).strip("/"):
        raise SourceUnreadable(path=path, problem="names no object", remedy="Write s3://bucket/prefix/file.parquet.")
    if not name:
        raise SourceUnreadable(path=path, problem=_NO_FILE[0], remedy=_NO_FILE[1])
    return Store(root or ("/" if path.startswith("/") else ".")), name


def _make_folder(folder: Path) -> None:
    """Make a folder where it is missing, and wait until that is on disk."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(str(folder.parent))


def _path(info: fs.FileInfo) -> str | None:
    """Return the path of a file; None where it is no UTF-8, as of no file of ours: pyarrow can open none such."""
    try:
        return info.path
    except UnicodeDecodeError:
        return None


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_other_schemes(url: str) -> None:
    """Refuse what would become a folder of that name: backups in it would count, and be lost with this machine."""
    if not url.startswith(S3) and (scheme := _SCHEME.match(url)):
        raise SourceUnreadable(
            path=url,
            problem=f"backups cannot lie at {scheme[0]}",
            remedy="Write a folder's path or s3://bucket/prefix.",
        )


def _garbled(path: str) -> SourceUnreadable:
    remote = path.startswith(S3)
    return SourceUnreadable(
        path=path,
        problem=f"{'the server' if remote else 'the disk'} gives back other bytes than were written",
        remedy="Set AWS_REQUEST_CHECKSUM_CALCULATION=when_required if the server does not know the chunks in which the"
        " AWS SDK sends; else use another server."
        if remote
        else "Use another one.",
    )


def _explain(path: str, error: OSError, missing: Fault) -> SourceUnreadable:
    known = fault(error, path, **{MISSING: missing})
    if known is None and isinstance(error, FileNotFoundError):
        known = missing
    problem, remedy = known or (error.strerror or str(error).splitlines()[0], "Mend that, then run it again.")
    return SourceUnreadable(path=path, problem=problem, remedy=remedy)
