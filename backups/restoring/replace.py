"""Replace: constraints off, TRUNCATE, COPY, constraints back under their names."""

from collections.abc import Collection, Sequence
from dataclasses import replace as changed

from django.db import IntegrityError
from psycopg2 import sql

from backups.foreign_keys import ForeignKey, border, orphans_now
from backups.restoring.fit import FileMatch
from core.errors import BackupRefused
from core.postgres.copy_in import copy_in
from core.postgres.drop_and_rebuild import DroppedParts, drop_for_load, rebuild
from core.postgres.tables import Cursor


def replace(cursor: Cursor, fits: Sequence[FileMatch], keys: Collection[ForeignKey]) -> dict[str, tuple[str, ...]]:
    """Put the rows of their files into the tables of ``fits`` (parents first), which are locked already.

    Returns, by table, what stayed in place meanwhile, and why. BackupRefused lists the rows, there or in a file, that
    would have no parent.
    """
    dropped = [drop_for_load(cursor, fit.shape.name) for fit in fits]
    cursor.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(fit.shape.identifier for fit in fits)))
    for fit in fits:
        rows = map(fit.complete, fit.file.groups())
        copy_in(cursor, fit.shape.name, rows, schema=fit.complete_schema, ahead_of_server=True)
    refuse_orphans(fits, orphans_now(cursor, border(keys, [fit.shape for fit in fits])))
    try:
        for parts in _keys_before_references(dropped):
            rebuild(cursor, parts)
    except IntegrityError as error:
        raise BackupRefused(
            what=", ".join(fit.shape.name for fit in fits),
            problem=str(error).strip().replace("\n", " "),
            remedy="The rows of the file break a rule of the table as it is now; use a backup that was made since.",
        ) from error
    return {parts.table.name: parts.notes for parts in dropped}


def refuse_orphans(fits: Sequence[FileMatch], orphans: Sequence[object]) -> None:
    """Raise BackupRefused with the list where there are orphans."""
    if orphans:
        raise BackupRefused(
            what=", ".join(fit.shape.name for fit in fits),
            problem="rows would be left without their parent: " + "; ".join(map(str, orphans)),
            remedy="Restore the children too (--with-children), or first the parents that are missing.",
        )


def _keys_before_references(dropped: Sequence[DroppedParts]) -> list[DroppedParts]:
    """Split what was dropped, so that every key stands again before a foreign key refers to it."""
    keys = [changed(of_table, parts=tuple(part for part in of_table.parts if part.kind != "f")) for of_table in dropped]
    references = [
        changed(of_table, parts=tuple(part for part in of_table.parts if part.kind == "f")) for of_table in dropped
    ]
    return [*keys, *references]
