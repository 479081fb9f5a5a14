"""``pandas.DataFrame.to_sql`` through SQLAlchemy, a file at a time, into the tables with all their constraints.

Written well: types named, duplicates and white space seen to by the frame, one transaction, and COPY by the callable
that pandas' user guide gives for PostgreSQL (``method=psql_insert_copy``). It checks nothing but what PostgreSQL does;
the first row that it refuses ends the load.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from psycopg2 import sql
from sqlalchemy import create_engine

from olist.sample.clean.words import UNTRANSLATED
from olist.sample.layout import TABLES, CellKind, FileLayout

CHUNK_ROWS = 100_000
TYPES = {CellKind.INTEGER: "Int64", CellKind.LATITUDE: "float64", CellKind.LONGITUDE: "float64"}


def load(folder: str, url: str) -> None:
    """Load every file of ``folder``, parents first."""
    engine = create_engine(url.replace("postgres://", "postgresql+psycopg2://"))
    with engine.begin() as connection:
        for table in TABLES:
            frame = _frame(Path(folder), table)
            frame.to_sql(
                f"olist_{table.name}",
                connection,
                if_exists="append",
                index=False,
                chunksize=CHUNK_ROWS,
                method=psql_insert_copy,
            )


def psql_insert_copy(table: Any, connection: Any, names: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Send one chunk as CSV, in which NULL is nothing and empty text is quoted."""
    chunk = io.StringIO()
    csv.writer(chunk, quoting=csv.QUOTE_NOTNULL).writerows(rows)
    chunk.seek(0)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(table.name), columns)
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(statement, chunk)


def _frame(folder: Path, table: FileLayout) -> pd.DataFrame:
    moments = [column.name for column in table.columns if column.kind is CellKind.MOMENT]
    types = {column.name: TYPES.get(column.kind, "str") for column in table.columns if column.name not in moments}
    frame = pd.read_csv(folder / table.file_name, dtype=types, parse_dates=moments, encoding="utf-8-sig")
    if table.name == "geolocation":
        frame["geolocation_city"] = frame["geolocation_city"].str.strip()
        frame = frame.drop_duplicates()
    if table.name == "product_category_name_translation":
        frame = pd.concat([frame, pd.DataFrame({"product_category_name": list(UNTRANSLATED)})])
    return frame
