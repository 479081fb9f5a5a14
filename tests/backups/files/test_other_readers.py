"""A backup's file is plain Parquet: pandas, DuckDB and Polars read it with the right types."""

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import datafusion
import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as dataset
import pytest

from tests.support.backups.runs import backup_file
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")
NAMES = ("price", "at", "seen", "number", "id", "text", "key", "raw", "tags", "day")
KEY = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
AT, SEEN = datetime.datetime(2018, 2, 28, 12, 0, 0, 1), datetime.datetime(2018, 2, 28, 12, tzinfo=datetime.UTC)


@pytest.fixture
def path(store: Path) -> str:
    query(
        "insert into specimens (id, text, price, at, seen, day, flag, number, point, key, data, raw, tags) values"
        " (1, '', 12.50, '2018-02-28 12:00:00.000001', '2018-02-28 12:00:00+00', '2018-02-28', true, 7, 0.1,"
        f" '{KEY}', '{{\"a\": 1.50}}', '\\x0001', '{{a,NULL}}'), (2, null, null, null, null, null, null, null, null,"
        " null, null, null, null)"
    )
    return str(backup_file("specimens", store))


def test_pandas(path: str) -> None:
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    types = {name: str(frame[name].dtype) for name in ("price", "at", "seen", "number", "id", "text", "flag")}
    first, second = frame.to_dict("records")
    assert types == {
        "price": "decimal128(10, 2)[pyarrow]",
        "at": "timestamp[us][pyarrow]",
        "seen": "timestamp[us, tz=UTC][pyarrow]",
        "number": "int32[pyarrow]",
        "id": "int64[pyarrow]",
        "text": "string[pyarrow]",
        "flag": "bool[pyarrow]",
    }
    assert (first["text"], first["price"], first["at"], first["seen"]) == ("", Decimal("12.50"), AT, SEEN)
    assert pd.isna(second["text"])


def test_pandas_with_types_of_its_own(path: str) -> None:
    plain = pd.read_parquet(path)
    assert plain["price"][0] == Decimal("12.50")
    assert plain["seen"][0] == SEEN


def test_duckdb(path: str) -> None:
    with duckdb.connect() as database:
        read = database.sql(f"select * from read_parquet('{path}') order by id")
        types = dict(zip(read.columns, map(str, read.types), strict=True))
        first, second = database.sql("select * replace (epoch_us(seen) as seen) from read").fetchall()
    assert {name: types[name] for name in NAMES} == {
        "price": "DECIMAL(10,2)",
        "at": "TIMESTAMP",
        "seen": "TIMESTAMP WITH TIME ZONE",
        "number": "INTEGER",
        "id": "BIGINT",
        "text": "VARCHAR",
        "key": "VARCHAR",
        "raw": "BLOB",
        "tags": "VARCHAR[]",
        "day": "DATE",
    }  # fmt: skip
    row = dict(zip(types, first, strict=True))
    assert (row["text"], row["price"], row["at"], row["key"], row["tags"]) == (
        "",
        Decimal("12.50"),
        AT,
        str(KEY),
        ["a", None],
    )
    assert second[1:] == (None,) * (len(types) - 1)


def test_polars(path: str) -> None:
    frame = pl.read_parquet(path)
    assert {name: frame.schema[name] for name in ("price", "at", "seen", "number", "id", "text", "raw", "tags")} == {
        "price": pl.Decimal(10, 2),
        "at": pl.Datetime("us"),
        "seen": pl.Datetime("us", "UTC"),
        "number": pl.Int32(),
        "id": pl.Int64(),
        "text": pl.String(),
        "raw": pl.Binary(),
        "tags": pl.List(pl.String),
    }
    first, second = frame.to_dicts()
    assert (first["text"], first["price"], first["at"], first["seen"]) == ("", Decimal("12.50"), AT, SEEN)
    assert second["text"] is None


def rows_of_pandas(folder: str) -> int:
    return len(pd.read_parquet(folder))


def rows_of_polars(folder: str) -> int:
    return pl.read_parquet(folder).height


def rows_of_duckdb(folder: str) -> int:
    with duckdb.connect() as database:
        ((rows,),) = database.sql(f"select count(*) from read_parquet('{folder}/*')").fetchall()
    return int(rows)


def rows_of_pyarrow(folder: str) -> int:
    return int(dataset.dataset(folder).count_rows())


def rows_of_datafusion(folder: str) -> int:
    return int(datafusion.SessionContext().read_parquet(folder).count())


def rows_of_daft(folder: str) -> int:
    daft = pytest.importorskip("daft")
    return int(daft.read_parquet(folder).count_rows())


@pytest.mark.parametrize(
    "rows", [rows_of_pandas, rows_of_polars, rows_of_duckdb, rows_of_pyarrow, rows_of_datafusion, rows_of_daft]
)
def test_a_table_s_folder_opens_as_one_state(path: str, rows: Callable[[str], int]) -> None:
    assert rows(str(Path(path).parent)) == 2


def test_all_runs_of_a_table_open_by_one_pattern(path: str, store: Path) -> None:
    again = backup_file("specimens", store)
    assert again.parent.name == Path(path).parent.name == "specimens"
    with duckdb.connect() as database:
        ((rows, files),) = database.sql(
            f"select count(*), count(distinct filename) from read_parquet('{store}/*/specimens/*', filename=true)"
        ).fetchall()
    assert (rows, files) == (4, 2)
