"""``verify``: is a backup still what was written? ``drill``: does PostgreSQL make the same table of it?"""

from contextlib import ExitStack
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import sql

from backups.catalogue.places import doubted, entry
from backups.files.parquet import BackupFile, opened
from backups.files.store import split
from backups.hashing.row_hashes import assert_server_agrees, server_fingerprint
from backups.models import Backup
from core.errors import DatabaseFailed
from core.postgres.copy_in import copy_in
from core.postgres.engine.session_settings import without_timeouts
from core.postgres.explain_errors import explained
from core.postgres.fingerprint import Fingerprint
from core.postgres.tables import Cursor

SCRATCH = "restore_drill"


@dataclass(frozen=True, kw_only=True)
class VerifyResult:
    """A backup that is what was written."""

    path: str
    table: str
    rows: int
    bytes: int
    drilled: bool


@without_timeouts()
def verify(path: str, *, drill: bool = False, catalogue: bool = True) -> VerifyResult:
    """Read a backup whole and compare it with its manifest; with ``drill``, let PostgreSQL restore and hash it too.

    ``catalogue``: also compare with what the catalogue knows of it, and note there that it was verified (and drilled);
    without it, and without a drill, no database is needed. Raises SourceUnreadable, BackupRefused (no backup),
    BackupDamaged; with a database also DatabaseUnavailable and DatabaseFailed.
    """
    store, name = split(path)
    with ExitStack() as stack:
        if catalogue or drill:
            stack.enter_context(explained("the check of a backup"))
        if catalogue:
            stack.enter_context(doubted(store.path(name)))
        file = stack.enter_context(opened(store.path(name)))
        known = entry(file) if catalogue else None
        file.check()
        if drill:
            with transaction.atomic(), connection.cursor() as cursor:
                _drill(cursor, file)
        if known is not None:
            _note(known, drilled=drill)
    manifest = file.manifest
    return VerifyResult(
        path=file.path, table=manifest.table, rows=manifest.rows, bytes=file.beside.bytes, drilled=drill
    )


def _drill(cursor: Cursor, file: BackupFile) -> None:
    """Restore into a scratch table with the types of the manifest, compare fingerprints, drop it."""
    manifest = file.manifest
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name), sql.SQL(column.type), sql.SQL(" not null" if column.not_null else "")
        )
        for column in manifest.columns
    )
    assert_server_agrees(cursor)
    cursor.execute(sql.SQL("create temporary table {} ({}) on commit drop").format(sql.Identifier(SCRATCH), columns))
    copy_in(cursor, SCRATCH, file.groups(), schema=file.schema)
    cursor.execute(
        sql.SQL("alter table {} add primary key ({})").format(
            sql.Identifier(SCRATCH), sql.SQL(", ").join(map(sql.Identifier, manifest.key))
        )
    )
    content = server_fingerprint(cursor, sql.Identifier(SCRATCH), file.schema)
    cursor.execute(sql.SQL("drop table {}").format(sql.Identifier(SCRATCH)))
    if content != Fingerprint(manifest.rows, manifest.fingerprint):
        raise DatabaseFailed(
            work=f"the drill of {file.path}",
            problem=f"PostgreSQL made {content} of it, and its manifest says {manifest.fingerprint}",
            remedy="Report it with the manifest: the file is whole, so its way into the database is at fault.",
        )


def _note(known: Backup, *, drilled: bool) -> None:
    now = timezone.now()
    moments = {"verified_at": now, "drilled_at": now} if drilled else {"verified_at": now}
    Backup.objects.filter(pk=known.pk).update(error="", **moments)
