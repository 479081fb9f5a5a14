"""The same files in every reader: each value of each kind of column is PostgreSQL's. See docs/backups.md.

chdb (150 MB) and Spark (with Java) are not among the packages of the tests: where they are not installed, they are left
out by name.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.backups.every_kind import COLUMNS, every_kind
from tests.support.backups.runs import backup_file
from tests.support.loading.loads import query

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]

type Columns = dict[str, list[Any]]

# Each column as PostgreSQL gives it: moments as microseconds since 1970, uuid and jsonb as text, bytes as they are.
FORMS = {
    "at": "(extract(epoch from at) * 1000000)::bigint",
    "seen": "(extract(epoch from seen) * 1000000)::bigint",
    "day": "day - date '1970-01-01'",
    "key": "key::text",
    "data": "data::text",
}


def stored() -> Columns:
    names = ", ".join(FORMS.get(name, f'"{name}"') for name in COLUMNS)
    rows = query(f"select {names} from specimens order by id")
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    columns["raw"] = [None if value is None else bytes(value) for value in columns["raw"]]
    return columns


def of_arrow(rows: pa.Table) -> Columns:
    """Write moments and days as numbers; texts may have come as bytes."""
    rows = rows.sort_by("id")
    forms = {"at": pa.int64(), "seen": pa.int64(), "day": pa.int32()}
    return {
        name: (rows[name].cast(forms[name]) if name in forms else rows[name]).to_pylist() for name in rows.column_names
    }


def pandas_reads(path: Path) -> Columns:
    return of_arrow(pa.Table.from_pandas(pd.read_parquet(path, dtype_backend="pyarrow"), preserve_index=False))


def polars_reads(path: Path) -> Columns:
    return of_arrow(pl.read_parquet(path).to_arrow().cast(pa_schema(path)))


def pa_schema(path: Path) -> pa.Schema:
    return pq.read_schema(path).remove_metadata()


def duckdb_reads(path: Path) -> Columns:
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        return of_arrow(database.sql(f"from read_parquet('{path}')").to_arrow_table())


def datafusion_reads(path: Path) -> Columns:
    datafusion = pytest.importorskip("datafusion")
    return of_arrow(datafusion.SessionContext().read_parquet(str(path)).to_arrow_table().cast(pa_schema(path)))


def chdb_reads(path: Path) -> Columns:
    chdb = pytest.importorskip("chdb")
    forms = {"at": "toUnixTimestamp64Micro(at)", "seen": "toUnixTimestamp64Micro(seen)", "day": "toInt32(day)"}
    forms["raw"] = "lower(hex(raw))"
    names = ", ".join(f"{forms[name]} as n_{name}" if name in forms else f"{name} as n_{name}" for name in COLUMNS)
    answer = chdb.query(f"select {names} from file('{path}', Parquet) order by id", "Arrow")
    rows = pa.ipc.open_file(io.BytesIO(answer.bytes())).read_all()
    columns = {name: rows[f"n_{name}"].to_pylist() for name in COLUMNS}
    return {**columns, "raw": [None if value is None else bytes.fromhex(value) for value in columns["raw"]]}


def fastparquet_reads(path: Path) -> Columns:
    fastparquet = pytest.importorskip("fastparquet")
    frame = fastparquet.ParquetFile(str(path)).to_pandas().sort_values("id")
    return {name: [None if _is_null(value) else value for value in frame[name].tolist()] for name in COLUMNS}


def spark_reads(path: Path) -> Columns:
    sql = pytest.importorskip("pyspark.sql")
    builder = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    forms = {"at": "unix_micros(cast(at as timestamp))", "seen": "unix_micros(seen)", "day": "unix_date(day)"}
    names = [f"{forms[name]} as {name}" if name in forms else name for name in COLUMNS]
    rows = session.read.parquet(str(path.parent)).selectExpr(*names).orderBy("id").collect()
    return {name: [_bytes(row[name]) for row in rows] for name in COLUMNS}


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytearray) else value


def _is_null(value: Any) -> bool:
    return value is None or (not isinstance(value, list) and bool(pd.isna(value)))


EXACT: list[Callable[[Path], Columns]] = [pandas_reads, polars_reads, duckdb_reads, datafusion_reads, spark_reads]


@pytest.fixture
def specimens(store: Path) -> Path:
    every_kind()
    return backup_file("specimens", store)


@pytest.mark.parametrize("reads", EXACT)
def test_a_reader_gives_what_postgresql_holds(specimens: Path, reads: Callable[[Path], Columns]) -> None:
    found, wanted = reads(specimens), stored()
    assert {name: found[name] for name in COLUMNS if found[name] != wanted[name]} == {}


PLAIN = ("id", "text", "code", "data", "key", "raw", "tags")  # what neither of the two below turns into something else


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fastparquet's use of NumPy
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves its file open
def test_fastparquet_gives_texts_bytes_and_lists_exactly_and_decimals_as_floats(specimens: Path) -> None:
    found, wanted = fastparquet_reads(specimens), stored()
    assert {name: found[name] for name in PLAIN if found[name] != wanted[name]} == {}
    assert found["price"] == [None if value is None else float(value) for value in wanted["price"]]


def test_chdb_gives_the_same_without_null_for_a_list(specimens: Path) -> None:
    found, wanted = chdb_reads(specimens), stored()
    exact = [name for name in COLUMNS if name not in ("tags", "at", "seen", "day")]
    assert {name: found[name] for name in exact if found[name] != wanted[name]} == {}
    assert found["tags"] == [value or [] for value in wanted["tags"]]
