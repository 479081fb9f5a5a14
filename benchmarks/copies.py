"""The peers of a load: PostgreSQL's own COPY, as its users would write it well.

They check nothing, reject nothing and keep no account. What a good file needs on its way they do in the plainest way:
the categories that products use and the translation lacks are known beforehand, and geolocation goes through a
temporary table, where repeated points and the white space behind a city are taken off by ``select distinct``.
"""

import csv
from collections.abc import Callable
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.postgres.drop_and_rebuild import drop_for_load, rebuild
from ingest.rules.contract import Contract
from ingest.rules.sources import Source, sources
from olist.sample.clean.words import UNTRANSLATED

READ_BYTES = 1 << 20
STAGE = sql.Identifier("copy_stage")


def copy_constrained(folder: str) -> None:
    """COPY into the tables with all their constraints and indexes, one transaction a file."""
    for source in sources():
        with transaction.atomic(), connection.cursor() as cursor:
            _copy_file(cursor, source, Path(folder))


def copy_then_constrain(folder: str) -> None:
    """COPY into the tables without keys, foreign keys and indexes, then add them all: the floor of a load."""
    tables = [source.contract.db_table for source in sources()]
    with transaction.atomic(), connection.cursor() as cursor:
        dropped = [drop_for_load(cursor, table) for table in tables]
        for source in sources():
            _copy_file(cursor, source, Path(folder))
        for parts in dropped:  # parents first: their keys must stand before the foreign keys that refer to them
            rebuild(cursor, parts)


def copy_and_compare(folder: str) -> None:
    """COPY into temporary tables and count, by one anti-join each, what the tables lack: the floor of a reload."""
    for source in sources():
        contract = source.contract
        with transaction.atomic(), connection.cursor() as cursor:
            _copy(cursor, _stage(cursor, contract), Path(folder) / source.file_name)
            cursor.execute(
                sql.SQL("select count(*) from {} s where not exists (select from {} t where {})").format(
                    STAGE,
                    sql.Identifier(contract.db_table),
                    sql.SQL(" and ").join(
                        sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in contract.natural_key
                    ),
                )
            )
            cursor.execute(sql.SQL("drop table {}").format(STAGE))


def _copy_file(cursor: CursorWrapper, source: Source, folder: Path) -> None:
    special: dict[str, Callable[[CursorWrapper, Source, Path], None]] = {
        "geolocation": _copy_distinct,
        "product_category_name_translation": _copy_categories,
    }
    special.get(source.table, _copy_plain)(cursor, source, folder)


def _copy_plain(cursor: CursorWrapper, source: Source, folder: Path) -> None:
    _copy(cursor, sql.Identifier(source.contract.db_table), folder / source.file_name)


def _copy_distinct(cursor: CursorWrapper, source: Source, folder: Path) -> None:
    contract = source.contract
    _copy(cursor, _stage(cursor, contract), folder / source.file_name)
    values = [
        sql.SQL("btrim({})" if name == "geolocation_city" else "{}").format(sql.Identifier(name))
        for name in contract.names
    ]
    cursor.execute(
        sql.SQL("insert into {} ({}) select distinct {} from {}").format(
            sql.Identifier(contract.db_table), _columns(contract.names), sql.SQL(", ").join(values), STAGE
        )
    )
    cursor.execute(sql.SQL("drop table {}").format(STAGE))


def _copy_categories(cursor: CursorWrapper, source: Source, folder: Path) -> None:
    _copy_plain(cursor, source, folder)
    key = sql.Identifier(source.contract.natural_key[0])
    cursor.execute(
        sql.SQL("insert into {} ({}) select unnest(%s)").format(sql.Identifier(source.contract.db_table), key),
        [list(UNTRANSLATED)],
    )


def _stage(cursor: CursorWrapper, contract: Contract) -> sql.Identifier:
    cursor.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} limit 0").format(
            STAGE, _columns(contract.names), sql.Identifier(contract.db_table)
        )
    )
    return STAGE


def _columns(names: tuple[str, ...]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _copy(cursor: CursorWrapper, table: sql.Identifier, path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as text:
        names = tuple(next(csv.reader(text)))
    statement = sql.SQL("copy {} ({}) from stdin (format csv, header)").format(table, _columns(names))
    with path.open("rb") as file:
        cursor.copy_expert(statement, file, READ_BYTES)
