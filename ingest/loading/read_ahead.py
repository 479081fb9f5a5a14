"""The reading side of a load: a thread that reads, checks and encodes ahead of the database.

One thread prepares all files in order; the main thread feeds PostgreSQL. While PostgreSQL takes one chunk or builds an
index, the next chunks (and files) are already being checked. The queue between them is bounded.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from contextvars import copy_context

import pyarrow as pa
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from core.arrow import bools, indices
from core.postgres.copy_encoder import encode
from ingest.loading.file_plan import POSITION, FilePlan, FileResult
from ingest.loading.options import LoadOptions, Progress
from ingest.processing.duplicates import SeenRows, SeenVersions
from ingest.processing.fifteen_digits import Floats
from ingest.processing.near_keys import key_floats
from ingest.processing.process import Verdict, process
from ingest.readers.csv.parts import CsvParts
from ingest.readers.places.locations import Location
from ingest.readers.signs.reading import SignReader
from ingest.rejects.describe import rejects_of
from ingest.rejects.file_names import FileNames
from ingest.rules.contract import Contract
from ingest.tables.hashed_parents import LoadParents
from ingest.tables.near_stored import NearStored
from ingest.tables.seen_beside_stored import AskedRows, SeenBesideStored
from ingest.tables.seen_rounded import SeenRounded
from ingest.tables.stored_hashes import StoredHashes, worth_reading

QUEUED_BLOCKS = 64  # encoded chunks of a MiB or two between the two threads


class Reading:
    """Reads ``plans`` in their order, ahead of the caller, who takes every file's blocks in the same order."""

    def __init__(self, location: Location, plans: list[FilePlan], parents: LoadParents, options: LoadOptions) -> None:
        self._location, self._plans, self._parents, self._options = location, plans, parents, options
        self._queue: queue.Queue[bytes | FileResult | BaseException] = queue.Queue(QUEUED_BLOCKS)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=copy_context().run, args=[self._run], name="load-reading", daemon=True)
        self._thread.start()

    def blocks(self) -> "FileBlocks":
        """Return the next file's rows; the file before it must have been taken to its end."""
        return FileBlocks(self._queue)

    def abort(self) -> None:
        """Make whoever takes blocks stop too; from any thread."""
        self._stopped.set()
        while True:
            try:
                return self._queue.put_nowait(_Stopped())
            except queue.Full:
                with suppress(queue.Empty):
                    _close(self._queue.get_nowait())

    def stop(self) -> None:
        """End the thread, whatever it is doing, and drop what it prepared."""
        self._stopped.set()
        while self._thread.is_alive() or not self._queue.empty():
            try:
                item = self._queue.get(timeout=0.05)
            except queue.Empty:
                continue
            _close(item)
        self._thread.join()

    def _run(self) -> None:
        try:
            for plan in self._plans:
                result = self._read(plan)
                try:
                    self._hand_over(result)
                except _Stopped:
                    result.rejects.close()
                    raise
        except _Stopped:
            return
        except BaseException as error:
            self._queue.put(error)
        finally:
            connection.close()  # this thread's own

    def _hand_over(self, item: bytes | FileResult) -> None:
        while not self._stopped.is_set():
            try:
                return self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
        raise _Stopped

    def _read(self, plan: FilePlan) -> FileResult:
        result = FileResult()
        try:
            for block in encode(self._rows(plan, result), plan.schema):
                self._hand_over(block)
        except BaseException:
            result.rejects.close()
            raise
        return result

    def _rows(self, plan: FilePlan, result: FileResult) -> Iterator[pa.Table]:
        """Yield the accepted rows of one file, and keep everything else in ``result``."""
        source, contract = plan.source, plan.source.contract
        found = self._location.find(source.file_name)
        versions, seen, stored, near = SeenVersions(), SeenRows(), None, None
        if plan.staged:
            cursor = connection.cursor()  # it ends with this thread's connection
            stored = _stored_hashes(cursor, contract, file_bytes=found.expected_size)
            near = NearStored(cursor, contract)
            if _has_content(contract):
                seen = SeenBesideStored(stored or AskedRows(cursor, contract))
        if self._options.on_conflict == "update":
            seen = versions
        rounded = SeenRounded(seen, contract, hashes=stored, near=near, watch=plan.watch)
        with CsvParts(found, expected=contract.names, signs=plan.signs) as file:
            reader = SignReader(contract, plan.signs)
            for records in file:
                processed = process(
                    reader.read(records),
                    contract,
                    lookups=self._parents,
                    seen=rounded if key_floats(contract) else seen,
                    adopts=source.adds_parents,
                    null_word=plan.signs.null_word,
                    known=plan.known,
                )
                if versions.contested and not plan.staged:
                    raise StageNeeded
                result.add(processed)
                if processed.rejected:
                    result.rejects.add(rejects_of(processed, contract))
                self._parents.remember(source, processed)
                yield self._changed(processed, stored, result) if plan.staged else processed.rows
                self._options.on_progress(
                    Progress(
                        table=source.table, records=result.read, bytes_read=file.bytes_taken, bytes_total=found.size
                    )
                )
        if close := rounded.close():
            raise CloseKeys(close)
        result.superseded = versions.superseded()
        result.sha256, result.size, result.columns = file.sha256, file.bytes_read, tuple(file.names)
        result.files = FileNames(tuple(file.files), tuple(file.starts[1:]))
        result.skipped, result.refusal, result.signs = file.skipped, str(reader.refusal or ""), reader.told

    def _changed(self, processed: Verdict, stored: StoredHashes | None, result: FileResult) -> pa.Table:
        """Return the rows to be staged, with the positions of their records, without those that are there already."""
        positions = processed.records.position.take(indices(processed.source))
        rows = processed.rows.append_column(POSITION, positions)
        if stored is None:
            return rows
        there = stored.hold(processed.hashes) if processed.held is None else processed.held
        result.unchanged += int(there.sum())
        return rows.filter(bools(~there)) if there.any() else rows


class FileBlocks:
    """One file's rows, encoded for COPY, in order: iterate, then ask for the ``result``."""

    def __init__(self, blocks: "queue.Queue[bytes | FileResult | BaseException]") -> None:
        self._queue = blocks
        self._result: FileResult | None = None

    def __iter__(self) -> Iterator[bytes]:
        while self._result is None:
            item = self._queue.get()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, FileResult):
                self._result = item
            else:
                yield item

    def close(self) -> None:
        """Return back what the file's result holds, if it has come."""
        if self._result is not None:
            self._result.rejects.close()

    @property
    def result(self) -> FileResult:
        """Return what the file came to, passing over the rows that were not taken."""
        for _ in self:
            pass
        if self._result is None:
            raise RuntimeError("a file ended without its result")
        return self._result


def _close(item: "bytes | FileResult | BaseException") -> None:
    if isinstance(item, FileResult):
        item.rejects.close()


class StageNeeded(Exception):
    """A key came twice, and the last record of it counts: what was handed on before cannot be told apart without a
    stage."""


class CloseKeys(Exception):
    """Two keys of the file may be the same at fifteen digits: it is to be read again with ``watch`` on these floats, by
    column, and what was handed on before is not to be kept."""

    def __init__(self, watch: tuple[Floats, ...]) -> None:
        super().__init__()
        self.watch = watch


class _Stopped(Exception):
    """The caller wants no more."""


def _has_content(contract: Contract) -> bool:
    return len(contract.names) > len(contract.natural_key)


def _stored_hashes(cursor: CursorWrapper, contract: Contract, *, file_bytes: int) -> StoredHashes | None:
    with transaction.atomic():
        return StoredHashes(cursor, contract) if worth_reading(cursor, contract, file_bytes=file_bytes) else None
