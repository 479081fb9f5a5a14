"""A backup's Parquet file: written from Arrow batches, opened with its manifest checked, read back."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backups.files.encodings import writer_options
from backups.files.layout import described_by, manifest_name
from backups.files.manifest import FOOTER_KEY, Manifest, SignedManifest, parse, parse_beside
from backups.files.statistics import ColumnStatistics
from backups.files.store import Store, split
from backups.files.stored_form import stored_schema, table_schema, to_stored, to_table
from backups.hashing.row_hashes import FileFingerprint
from core.errors import BackupDamaged, BackupRefused, SourceUnreadable
from core.postgres.fingerprint import Fingerprint

ROW_GROUP_ROWS = 128 * 1024
ROW_GROUP_BYTES = 48 << 20  # also where rows are wide: what is held in memory depends on it

type Facts = list[dict[str, Any]]


def write_parquet(
    sink: pa.NativeFile, batches: Iterable[pa.RecordBatch], schema: pa.Schema, describe: Callable[[Facts], Manifest]
) -> Manifest:
    """Write ``batches`` and, in the footer, the manifest that ``describe`` makes of the facts of their columns.

    Row groups are compressed on a thread of their own while the next batches come in.
    """
    statistics = [ColumnStatistics(field) for field in schema]
    groups = _row_groups(batches, schema)
    first = next(groups, schema.empty_table())
    with (
        pq.ParquetWriter(sink, stored_schema(schema), **writer_options(to_stored(first))) as writer,
        ThreadPoolExecutor(1, thread_name_prefix="parquet") as thread,
    ):
        written: Future[None] | None = None
        for group in chain([first] if first.num_rows else [], groups):
            if written is not None:
                written.result()
            written = thread.submit(_write_group, writer, group, statistics)
        if written is not None:
            written.result()
        manifest = describe([column.facts() for column in statistics])
        writer.add_key_value_metadata({FOOTER_KEY: _footer_text(manifest)})
    return manifest


@dataclass(frozen=True)
class BackupFile:
    """An opened backup whose bytes are those that its manifest speaks of."""

    path: str
    beside: SignedManifest
    parquet: pq.ParquetFile

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return self.beside.manifest

    @property
    def schema(self) -> pa.Schema:
        """The columns, each marked with its PostgreSQL type."""
        return table_schema(self.parquet.schema_arrow).remove_metadata()

    def groups(self) -> Iterator[pa.Table]:
        """Read one row group after the other, the next while the caller works on one; BackupDamaged."""
        with ThreadPoolExecutor(1, thread_name_prefix="parquet") as thread:
            count = self.parquet.num_row_groups
            ahead = [thread.submit(self.group, 0)] if count else []
            for number in range(count):
                group = ahead.pop().result()
                if number + 1 < count:
                    ahead.append(thread.submit(self.group, number + 1))
                yield group

    def group(self, number: int) -> pa.Table:
        """Read one row group; BackupDamaged where that cannot be."""
        with damage(self.path):
            return to_table(self.parquet.read_row_group(number, use_threads=False))

    def check(self) -> None:
        """Read all of it and compare with the manifest: rows, statistics, fingerprint. BackupDamaged."""
        with damage(self.path):
            statistics = [ColumnStatistics(field) for field in self.schema]
            content = read_back(self.parquet, range(self.parquet.num_row_groups), statistics).value()
            facts = [column.facts() for column in statistics]
        manifest = self.manifest
        if content != Fingerprint(manifest.rows, manifest.fingerprint):
            raise BackupDamaged(path=self.path, problem=f"its content is {content}, and was {manifest.fingerprint}")
        for column, values in zip(manifest.columns, facts, strict=True):
            if any(getattr(column, name) != value for name, value in values.items()):
                raise BackupDamaged(path=self.path, problem=f"the values of column {column.name} are others: {values}")


@contextmanager
def opened(path: str) -> Iterator[BackupFile]:
    """Open a backup and compare size, SHA-256 and footer with its manifest.

    SourceUnreadable where there is no such file, BackupRefused where it is no backup or a newer release's,
    BackupDamaged where it is not what it was.
    """
    store, name = split(path)
    if of := described_by(name):
        raise BackupRefused(what=path, problem="it is a manifest", remedy=f"Name its file, {store.path(of)}.")
    with store.local(name) as local:
        beside = _beside(path, store, name)
        _check_bytes(path, local, beside, name)
        with damage(path), pq.ParquetFile(local, memory_map=False) as parquet:
            footer = (parquet.metadata.metadata or {}).get(FOOTER_KEY.encode(), b"")
            if parse(footer, path=path) != beside.manifest:
                raise BackupDamaged(path=path, problem="the manifest in it and its manifest's file differ")
            columns = [(field.name, field.type) for field in beside.manifest.schema]
            if [(field.name, field.type) for field in table_schema(parquet.schema_arrow)] != columns:
                raise BackupDamaged(path=path, problem="its columns are not those of its manifest")
            yield BackupFile(path=path, beside=beside, parquet=parquet)


def read_back(
    parquet: pq.ParquetFile, groups: Iterable[int], statistics: Sequence[ColumnStatistics] = ()
) -> FileFingerprint:
    """Compute the fingerprint of some row groups, and each column's ``statistics`` (if given), from what they hold.

    Not for two threads with one ``parquet``: pyarrow's reader keeps what it has buffered of the last row group.
    """
    total = FileFingerprint()
    for number in groups:
        group = to_table(parquet.read_row_group(number, use_threads=False))
        total.add(group)
        for values, column in zip(group.columns, statistics, strict=bool(statistics)):
            column.add(values)
    return total


@contextmanager
def damage(path: str) -> Iterator[None]:
    """Say that a file is damaged where reading it fails."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise BackupDamaged(path=path, problem=f"it cannot be read ({str(error).splitlines()[0]})") from error


def sha256_of(path: Path) -> str:
    """Hash a file: 64 hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _write_group(writer: pq.ParquetWriter, group: pa.Table, statistics: list[ColumnStatistics]) -> None:
    writer.write_table(to_stored(group), row_group_size=group.num_rows)
    for values, column in zip(group.columns, statistics, strict=True):
        column.add(values)


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            yield pa.Table.from_batches(held, schema)
            held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held, schema)


def _footer_text(manifest: Manifest) -> str:
    return json.dumps(manifest.as_json(), ensure_ascii=False)


def _beside(path: str, store: Store, name: str) -> SignedManifest:
    manifest = manifest_name(name)
    with suppress(SourceUnreadable):
        return parse_beside(store.read(manifest), path=path)
    raise BackupRefused(
        what=path,
        problem=f"there is no {store.path(manifest)}, so it is no backup that was finished",
        remedy="Use one that `manage.py list_backups` names.",
    )


def _check_bytes(path: str, local: Path, beside: SignedManifest, name: str) -> None:
    size = local.stat().st_size
    if beside.file != name:
        raise BackupDamaged(path=path, problem=f"its manifest is that of {beside.file}")
    if size != beside.bytes:
        raise BackupDamaged(path=path, problem=f"it has {size} bytes, and had {beside.bytes}")
    if sha256_of(local) != beside.sha256:
        raise BackupDamaged(path=path, problem="its SHA-256 is not the one in its manifest")
