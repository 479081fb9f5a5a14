"""Tools that read a CSV file and write it again, each as its users call it."""

import csv
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.csv as arrow_csv
import pytest

from olist.sample.layout import TABLES, CellKind, FileLayout

type Rewriter = Callable[[FileLayout, Path, Path], None]  # the table, its file, and where the new one is to lie


def rewritten(rewriter: Rewriter, folder: Path, into: Path) -> Path:
    """Rewrite all nine files of ``folder``."""
    into.mkdir()
    for table in TABLES:
        rewriter(table, folder / table.file_name, into / table.file_name)
    return into


def duckdb_copy(_: FileLayout, read: Path, written: Path) -> None:
    with duckdb.connect() as database:
        database.execute(f"copy (from read_csv('{read}')) to '{written}' (header)")


def duckdb_timestamptz(table: FileLayout, read: Path, written: Path) -> None:
    """Take the times for instants in UTC, as a column of type ``timestamptz`` does there."""
    times = ", ".join(f"{name}::timestamptz as {name}" for name in moments(table))
    chosen = f"* replace ({times})" if times else "*"
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        database.execute(f"copy (select {chosen} from read_csv('{read}')) to '{written}' (header)")


def polars_dates(_: FileLayout, read: Path, written: Path) -> None:
    pl.read_csv(read, try_parse_dates=True).write_csv(written)


def polars_as_text(_: FileLayout, read: Path, written: Path) -> None:
    pl.read_csv(read, infer_schema=False).write_csv(written, quote_style="always")


def pandas_plain(_: FileLayout, read: Path, written: Path) -> None:
    pd.read_csv(read).to_csv(written, index=False)


def pandas_index(_: FileLayout, read: Path, written: Path) -> None:
    pd.read_csv(read).to_csv(written)


def pandas_as_text(_: FileLayout, read: Path, written: Path) -> None:
    pd.read_csv(read, dtype=str, keep_default_na=False).to_csv(written, index=False)


def pandas_times(table: FileLayout, read: Path, written: Path) -> None:
    pandas_to_datetime(table, read, written, utc=False)


def pandas_utc(table: FileLayout, read: Path, written: Path) -> None:
    pandas_to_datetime(table, read, written, utc=True)


def pandas_to_datetime(table: FileLayout, read: Path, written: Path, *, utc: bool) -> None:
    frame = pd.read_csv(read, dtype=str, keep_default_na=False)
    for name in moments(table):
        frame[name] = pd.to_datetime(frame[name], utc=utc)
    frame.to_csv(written, index=False)


def pyarrow_plain(_: FileLayout, read: Path, written: Path) -> None:
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    arrow_csv.write_csv(arrow_csv.read_csv(read, parse_options=parse), written)


def python_csv(_: FileLayout, read: Path, written: Path) -> None:
    with read.open(encoding="utf-8", newline="") as file, written.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(csv.reader(file))


def python_csv_backslash(_: FileLayout, read: Path, written: Path) -> None:
    with read.open(encoding="utf-8", newline="") as file, written.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, quoting=csv.QUOTE_ALL, doublequote=False, escapechar="\\").writerows(csv.reader(file))


def sqlite_python(table: FileLayout, read: Path, written: Path) -> None:
    """Take the file through a table of SQLite, as text."""
    with (
        read.open(encoding="utf-8", newline="") as file,
        written.open("w", encoding="utf-8", newline="") as out,
        closing(sqlite3.connect(":memory:")) as database,
    ):
        header, *rows = csv.reader(file)
        database.execute(f"create table t ({', '.join(f'{name} text' for name in header)})")
        database.executemany(f"insert into t values ({', '.join('?' * len(header))})", rows)
        csv.writer(out).writerows([header, *database.execute("select * from t order by rowid")])


def sqlite_shell(_: FileLayout, read: Path, written: Path) -> None:
    lines = [f".import --csv '{read}' t", ".headers on", ".mode csv", f".once '{written}'", "select * from t;"]
    _run(["sqlite3", ":memory:"], given="\n".join(lines))


def chdb_with_names(_: FileLayout, read: Path, written: Path) -> None:
    chdb = pytest.importorskip("chdb", reason="chdb (150 MB) is not among the packages of the tests")
    settings = "session_timezone = 'UTC'"  # else it is the machine's, and moves midnights that its clocks skipped
    answer = chdb.query(f"select * from file('{read}', CSVWithNames) settings {settings}", "CSVWithNames")
    written.write_bytes(answer.bytes())


def moments(table: FileLayout) -> list[str]:
    """Name the table's columns of moments."""
    return [column.name for column in table.columns if column.kind is CellKind.MOMENT]


def _run(command: list[str], *, given: str = "") -> bytes:
    ran: Any = subprocess.run(command, input=given.encode(), capture_output=True, check=True, timeout=60)
    assert ran.stderr == b"", ran.stderr
    return bytes(ran.stdout)
