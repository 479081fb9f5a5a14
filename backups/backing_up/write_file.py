"""One table into one file: copied out, hashed by PostgreSQL, read back, and only then given its name."""

import hashlib
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
from django.db.backends.utils import CursorWrapper
from django.db.migrations.recorder import MigrationRecorder
from psycopg2 import sql

from backups.backing_up.snapshot import Snapshot
from backups.files.layout import backup_name, manifest_name, parted
from backups.files.manifest import ColumnFacts, Manifest, SignedManifest
from backups.files.parquet import Facts, read_back, write_parquet
from backups.files.store import UNWRITABLE, Store
from backups.hashing.row_hashes import FileFingerprint, server_fingerprint
from backups.models import Backup
from backups.tables import Shape
from core.errors import BackupDamaged, BackupRefused
from core.postgres.copy_out import copy_out_batches
from core.postgres.fingerprint import Fingerprint
from core.version import __version__

HASH_BLOCK_BYTES = 8 << 20
READERS = 2
_COLUMN = re.compile(r"In CSV column #([0-9]+): ")


@dataclass(frozen=True, kw_only=True)
class WrittenFile:
    """A finished file; without its manifest it is no backup yet (``publish``)."""

    store: Store
    name: str
    beside: SignedManifest

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.store.path(self.name)

    def publish(self) -> None:
        """Write the manifest: from here on it is a backup."""
        self.store.write(manifest_name(self.name), self.beside.as_text().encode())

    def discard(self) -> None:
        """Take both away again."""
        self.store.remove(manifest_name(self.name))
        self.store.remove(self.name)


def write_table(snapshot: Snapshot, shape: Shape, store: Store, row: Backup) -> WrittenFile:
    """Write all rows of a table, as ``snapshot`` has them, sorted by key, and prove the file; see ``drafted``."""
    with drafted(snapshot, shape, store, row) as prove:
        return prove()


@contextmanager
def drafted(snapshot: Snapshot, shape: Shape, store: Store, row: Backup) -> Iterator[Callable[[], WrittenFile]]:
    """Write all rows of a table; return the function that proves the file and gives it its name, on any thread.

    ``row`` is what the catalogue knows of it already: the file has its id and run.

    The file goes at the end of the block where that did not happen. BackupRefused names values that no file can hold;
    SourceUnreadable where the place cannot be written to; BackupDamaged (of the function) where the file, read back, is
    not what PostgreSQL says the table is.
    """
    name = backup_name(shape.name, snapshot.taken_at, row.run, safety=row.origin == Backup.Origin.SAFETY)
    query = sql.SQL("select {} from {} order by {}").format(
        _names(shape.schema.names), shape.identifier, _names(shape.key)
    )

    def describe(facts: Facts) -> Manifest:
        return _manifest(snapshot, shape, row, facts, fingerprint())

    with store.draft(name) as draft:
        with _fingerprint(snapshot, shape) as fingerprint:
            batches = copy_out_batches(snapshot.cursor, query, schema=shape.schema)
            try:
                manifest = write_parquet(draft.sink, batches, shape.schema, describe)
            except pa.ArrowInvalid as error:
                raise _refused(shape, str(error)) from error
        draft.seal()

        def prove() -> WrittenFile:
            with store.explained(name, missing=UNWRITABLE):
                with draft.open() as sealed:
                    beside = _proved(sealed, manifest, name=parted(name)[1])
                draft.publish()
            return WrittenFile(store=store, name=name, beside=beside)

        yield prove


@contextmanager
def _fingerprint(snapshot: Snapshot, shape: Shape) -> Iterator[Callable[[], Fingerprint]]:
    """Let the second session hash the table while the first one copies it; return the function that waits for that."""
    if snapshot.second is None:
        yield lambda: server_fingerprint(snapshot.cursor, shape.identifier, shape.schema)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as thread:
        future = thread.submit(server_fingerprint, snapshot.second, shape.identifier, shape.schema)
        try:
            yield future.result
        finally:
            if not future.done():
                with suppress(psycopg2.Error):  # the server is gone, which the block has said
                    snapshot.second.connection.cancel()


def _refused(shape: Shape, problem: str) -> BackupRefused:
    """Name the column, which Arrow only numbers."""
    if match := _COLUMN.search(problem):
        name = shape.schema.names[int(match[1])]
        problem = f"column {name} has one ({problem[match.end() :]})"
    return BackupRefused(
        what=shape.name,
        problem=f"it holds a value that no file can hold: {problem}",
        remedy="Dates and moments must be finite and of the years 1 to 9999, decimals no NaN.",
    )


def _proved(sealed: pa.NativeFile, manifest: Manifest, *, name: str) -> SignedManifest:
    def part(first: int) -> FileFingerprint:
        with pq.ParquetFile(sealed) as parquet:
            return read_back(parquet, range(first, parquet.num_row_groups, READERS))

    whole = FileFingerprint()
    with ThreadPoolExecutor(READERS, thread_name_prefix="proof") as threads:
        for fingerprint in threads.map(part, range(READERS)):
            whole.merge(fingerprint)
    content = whole.value()
    if (content.rows, content.digest) != (manifest.rows, manifest.fingerprint):
        raise BackupDamaged(path=name, problem=f"read back it holds {content}, PostgreSQL {manifest.fingerprint}")
    sealed.seek(0)
    digest = hashlib.sha256()
    while block := sealed.read_buffer(HASH_BLOCK_BYTES):
        digest.update(block)
    return SignedManifest(manifest=manifest, file=name, bytes=sealed.size(), sha256=digest.hexdigest())


def _manifest(snapshot: Snapshot, shape: Shape, row: Backup, facts: Facts, content: Fingerprint) -> Manifest:
    columns = [
        ColumnFacts(name=column.name, type=column.type, not_null=column.not_null, **values)
        for column, values in zip(shape.columns, facts, strict=True)
    ]
    snapshot.cursor.execute("select current_setting('server_version')")
    ((server,),) = snapshot.cursor.fetchall()
    return Manifest(
        id=row.id,
        run=row.run,
        table=shape.name,
        model=shape.model._meta.label,
        columns=tuple(columns),
        key=shape.key,
        migrations=_migrations(snapshot.cursor, shape.model._meta.app_label),
        rows=content.rows,
        fingerprint=content.digest,
        snapshot_at=snapshot.taken_at,
        server=f"PostgreSQL {server}",
        app_version=__version__,
    )


def _migrations(cursor: CursorWrapper, app: str) -> dict[str, str]:
    """Name the last migration of ``app`` that is in the database."""
    names = [name for label, name in MigrationRecorder(cursor.db).applied_migrations() if label == app]
    return {app: max(names)} if names else {}


def _names(names: tuple[str, ...] | list[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))
