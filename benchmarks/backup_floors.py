"""The floor of a backup and of a restore: PostgreSQL's own COPY, with nothing checked, hashed or read back."""

from pathlib import Path

from django.db import connection, transaction
from psycopg2 import sql

from core.postgres.drop_and_rebuild import drop_for_load, rebuild

CHUNK_BYTES = 1 << 20


class _Nowhere:
    """Takes what COPY sends, and counts its bytes."""

    size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)


def copy_to_nowhere(*tables: str) -> None:
    """COPY each table out and drop what comes; without ``tables``, every table there is."""
    with connection.cursor() as cursor:
        if not tables:
            cursor.execute("select tablename from pg_tables where schemaname = 'public'")
            tables = tuple(name for (name,) in cursor.fetchall())
        sink = _Nowhere()
        for table in tables:
            cursor.copy_expert(sql.SQL("copy {} to stdout (format binary)").format(sql.Identifier(table)), sink)
    if not sink.size:
        raise RuntimeError("COPY sent nothing")


def copy_to_file(table: str, path: Path) -> None:
    """Keep what the floor of a restore reads."""
    with path.open("wb") as file, connection.cursor() as cursor:
        cursor.copy_expert(sql.SQL("copy {} to stdout (format binary)").format(sql.Identifier(table)), file)


def copy_back(table: str, path: str) -> None:
    """COPY the file into the emptied table without keys and indexes, then add them."""
    with Path(path).open("rb") as file, transaction.atomic(), connection.cursor() as cursor:
        dropped = drop_for_load(cursor, table)
        cursor.execute(sql.SQL("truncate {}").format(sql.Identifier(table)))
        statement = sql.SQL("copy {} from stdin (format binary)").format(sql.Identifier(table))
        cursor.copy_expert(statement, file, CHUNK_BYTES)
        rebuild(cursor, dropped)
