import datetime

import pyarrow as pa
import pytest
from django.db import DataError, InternalError, ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.postgres import copy_out as reading_module
from core.postgres.copy_out import copy_out, copy_out_batches

TEXT = pa.schema([("text", pa.string())])
NUMBER = pa.schema([("n", pa.int64())])


def test_null_and_the_empty_text_stay_apart_also_alone_in_a_row(cursor: CursorWrapper) -> None:
    table = copy_out(
        cursor, "values (null), (''), (null), ('x'), (E'a\\n\\nb')", schema=pa.schema([("column1", pa.string())])
    )
    assert table["column1"].to_pylist() == [None, "", None, "x", "a\n\nb"]


def test_no_rows_make_a_table_of_the_schema(cursor: CursorWrapper) -> None:
    table = copy_out(cursor, "select 'x'::text as text where false", schema=TEXT)
    assert (table.num_rows, table.schema) == (0, TEXT)


def test_literals_are_composed_safely(cursor: CursorWrapper) -> None:
    query = sql.SQL("select {} as text").format(sql.Literal('it\'s; 100 % "so"'))
    assert copy_out(cursor, query, schema=TEXT).to_pylist() == [{"text": 'it\'s; 100 % "so"'}]


def test_values_do_not_depend_on_the_sessions_settings(cursor: CursorWrapper) -> None:
    cursor.execute("set local TimeZone = 'America/Sao_Paulo'")
    cursor.execute("set local bytea_output = 'escape'")
    types: dict[str, pa.DataType] = {"seen": pa.timestamp("us", "UTC"), "raw": pa.binary()}
    query = r"select timestamptz '1900-01-01 00:00:00.000001+00' as seen, '\x00ff5c'::bytea as raw"
    moment = datetime.datetime(1900, 1, 1, 0, 0, 0, 1, tzinfo=datetime.UTC)
    assert copy_out(cursor, query, schema=pa.schema(types)).to_pylist() == [{"seen": moment, "raw": b"\x00\xff\\"}]


def test_batches_are_streamed_and_together_are_all_rows(cursor: CursorWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "BLOCK_BYTES", 100)
    batches = list(copy_out_batches(cursor, "select n::bigint from generate_series(1, 1000) n", schema=NUMBER))
    assert len(batches) > 10
    assert [n for batch in batches for n in batch["n"].to_pylist()] == list(range(1, 1001))


def test_a_row_longer_than_a_block_is_read(cursor: CursorWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "BLOCK_BYTES", 100)
    table = copy_out(cursor, "select repeat('x', 100000) as text from generate_series(1, 3)", schema=TEXT)
    assert table["text"].to_pylist() == ["x" * 100000] * 3


def test_a_wrong_query_raises_djangos_error(cursor: CursorWrapper) -> None:
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        copy_out(cursor, "select 1 / (n - 500) as n from generate_series(1, 1000) n", schema=NUMBER)
    with pytest.raises(ProgrammingError, match='column "n" does not exist'), transaction.atomic():
        copy_out(cursor, "select 1 as m", schema=NUMBER)


def test_a_value_without_a_place_in_its_type_is_an_error(cursor: CursorWrapper) -> None:
    with pytest.raises(pa.ArrowInvalid):
        copy_out(cursor, "select 'infinity'::timestamp as at", schema=pa.schema([("at", pa.timestamp("us"))]))


def test_leaving_off_early_cancels_the_query_and_leaves_the_connection_usable(
    cursor: CursorWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "BLOCK_BYTES", 1000)

    with transaction.atomic():
        batches = copy_out_batches(cursor, "select generate_series(1::bigint, 1000000000) as n", schema=NUMBER)
        assert next(batches)["n"][0].as_py() == 1
        batches.close()
        with pytest.raises(InternalError, match="aborted"):
            cursor.execute("select 1")
        transaction.set_rollback(True)
    cursor.execute("select 1")
    assert connection.is_usable()
