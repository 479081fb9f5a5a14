import datetime
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DatabaseFailed
from core.postgres.column_types import arrow_field, assert_matches, table_columns
from core.postgres.copy_encoder import SLICE_ROWS, encode
from core.postgres.copy_in import copy_encoded, copy_in
from core.postgres.copy_out import copy_out

DDL = """
create temp table if not exists samples (
    position integer not null, text text, code varchar(20), small smallint, number integer, big bigint,
    point double precision, price numeric(10,2), at timestamp, seen timestamptz, flag boolean, key uuid, data jsonb,
    raw bytea, tags text[], day date) on commit drop
"""
# What text COPY, CSV and careless readers get wrong.
TEXTS = st.sampled_from(
    ["", "\\.", "\\N", "NULL", '"', "a\nb", "\r", "\r\n", "\U0001f600", "\u00e9e\u0301", " ", "\t", ","]
)
ANY_TEXT = TEXTS | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
MOMENTS = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime.max)
PRICES = st.decimals(Decimal("-99999999.99"), Decimal("99999999.99"), places=2)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": ANY_TEXT,
    "code": ANY_TEXT,
    "small": st.integers(-(2**15), 2**15 - 1),
    "number": st.integers(-(2**31), 2**31 - 1),
    "big": st.integers(-(2**63), 2**63 - 1),
    "point": st.floats(allow_nan=False) | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308]),
    "price": PRICES,
    "at": MOMENTS,
    "seen": st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30), timezones=st.just(datetime.UTC)),
    "flag": st.booleans(),
    "key": st.uuids(),
    "data": st.sampled_from(["{}", '{"a": "\u00e9\\n"}', "[1.50]", "null", '""']),
    "raw": st.binary(max_size=20),
    "tags": st.lists(st.none() | ANY_TEXT, max_size=3),
    "day": st.dates(),
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}), max_size=12)


@pytest.fixture
def samples(cursor: CursorWrapper) -> CursorWrapper:
    cursor.execute(DDL)
    return cursor


def schema_of(cursor: CursorWrapper, table: str = "samples") -> pa.Schema:
    return pa.schema([arrow_field(column) for column in table_columns(cursor, table)])


def as_json(text: str | None) -> tuple[Any] | None:
    """Parse, keeping NULL apart from JSON's null, and numbers to the letter."""
    return None if text is None else (json.loads(text, parse_float=str),)


def one_text(*texts: str | None) -> pa.RecordBatch:
    positions = pa.array(range(len(texts)), pa.int32())
    return pa.record_batch([positions, pa.array(texts, pa.string())], names=["position", "text"])


@given(rows=ROWS, cut=st.integers(0, 12), first=st.integers(0, 3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_out_of_the_database_as_they_went_in(
    samples: CursorWrapper, rows: list[dict[str, Any]], cut: int, first: int
) -> None:
    samples.execute("truncate samples")
    schema = schema_of(samples)
    stored = [row | {"position": place} for place, row in enumerate(rows)]
    plain = [row | {"key": row["key"] and row["key"].bytes} for row in stored]
    # Sliced and chunked, so that values and null bitmaps begin at an offset.
    padded = pa.Table.from_pylist(plain[:first] + plain, schema=schema).slice(min(first, len(plain)))
    pieces: list[pa.RecordBatch | pa.Table] = [padded.slice(0, cut), *padded.slice(cut).to_batches()]

    assert copy_in(samples, "samples", pieces, schema=schema) == len(rows)

    samples.execute("select *, point::text, data::text from samples order by position")
    names = [*schema.names, "point_text", "data_text"]
    for row, arrived in zip(stored, samples.fetchall(), strict=True):
        read = dict(zip(names, arrived, strict=True))
        read["raw"] = None if read["raw"] is None else bytes(read["raw"])
        read["data"] = as_json(read.pop("data_text"))
        sign = (read.pop("point_text") or "")[:1] == "-"
        assert read == row | {"data": as_json(row["data"])}
        assert sign == str(row["point"]).startswith("-")
    arrived = copy_out(samples, "select * from samples order by position", schema=schema)
    sent = pa.Table.from_pylist(plain, schema=schema)
    assert arrived.drop_columns("data").equals(sent.drop_columns("data"))
    assert [as_json(text) for text in arrived["data"].to_pylist()] == [as_json(row["data"]) for row in rows]


def test_a_table_of_many_slices_arrives_whole_and_in_order(samples: CursorWrapper) -> None:
    rows = 3 * SLICE_ROWS + 1
    table = pa.table({"position": pa.array(range(rows), pa.int32()), "text": pa.array([str(n) for n in range(rows)])})
    assert copy_in(samples, "samples", [table.slice(0, 5), table.slice(5)], schema=table.schema) == rows
    samples.execute("select count(*), count(*) filter (where position::text = text), max(position) from samples")
    assert samples.fetchone() == (rows, rows, rows - 1)


def test_no_rows_are_none(samples: CursorWrapper) -> None:
    assert copy_in(samples, "samples", [], schema=one_text().schema) == 0
    assert copy_in(samples, "samples", [one_text()], schema=one_text().schema) == 0


def test_a_uuid_may_come_as_sixteen_bytes(samples: CursorWrapper) -> None:
    key = uuid.uuid4()
    batch = pa.record_batch(
        [pa.array([1, 2], pa.int32()), pa.array([key.bytes, None], pa.binary(16))], names=["position", "key"]
    )
    copy_in(samples, "samples", [batch], schema=batch.schema)
    samples.execute("select key from samples order by position")
    assert samples.fetchall() == [(key,), (None,)]


def test_blocks_encoded_elsewhere_are_written_and_empty_ones_passed_over(samples: CursorWrapper) -> None:
    schema = assert_matches(samples, "samples", one_text().schema)
    blocks = [b"", *(part for block in encode([one_text("x", None)], schema) for part in (block, b""))]
    assert copy_encoded(samples, "samples", schema.names, blocks) == 2


def test_a_stream_that_was_cut_off_is_refused(samples: CursorWrapper) -> None:
    (header, rest) = encode([one_text("x", "y")], one_text().schema)
    for blocks in ([header], [header, rest[:-2]], []):
        with pytest.raises(EOFError, match="without their trailer"), transaction.atomic():
            copy_encoded(samples, "samples", ["position", "text"], blocks)
    samples.execute("select count(*) from samples")
    assert samples.fetchone() == (0,)


class Unexpected(Exception):
    pass


@pytest.mark.parametrize("failure", [Unexpected("why"), KeyboardInterrupt(), GeneratorExit()])
def test_what_the_batches_raise_stops_the_copy_and_comes_through_unchanged(
    samples: CursorWrapper, failure: BaseException
) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield one_text("x")
        raise failure

    with pytest.raises(type(failure)) as caught, transaction.atomic():
        copy_in(samples, "samples", batches(), schema=one_text().schema)
    assert caught.value is failure
    samples.execute("select count(*) from samples")
    assert samples.fetchone() == (0,)


def test_a_row_that_the_table_refuses_raises_djangos_error_and_the_transaction_goes_on(samples: CursorWrapper) -> None:
    without_position = pa.record_batch([pa.array([None], pa.int32())], names=["position"])
    with pytest.raises(IntegrityError, match="null value in column"), transaction.atomic():
        copy_in(samples, "samples", [without_position], schema=without_position.schema)
    with pytest.raises(DatabaseError, match="0x00"), transaction.atomic():
        copy_in(samples, "samples", [one_text("a\0b")], schema=one_text().schema)
    assert copy_in(samples, "samples", [one_text("x")], schema=one_text().schema) == 1


def test_a_batch_of_another_schema_is_refused(samples: CursorWrapper) -> None:
    other = one_text("x").rename_columns(["position", "code"])
    with pytest.raises(TypeError, match="cannot be encoded as"), transaction.atomic():
        copy_in(samples, "samples", [other], schema=one_text().schema)


def test_a_schema_that_does_not_fit_is_refused_before_anything_is_sent(samples: CursorWrapper) -> None:
    schema = pa.schema([("point", pa.int64())])
    with pytest.raises(DatabaseFailed, match="column point is double precision"):
        copy_in(samples, "samples", iter(()), schema=schema)
    samples.execute("select 1")


def test_a_cursor_of_psycopg2_will_do(samples: CursorWrapper) -> None:
    assert connection.connection is not None
    with connection.connection.cursor() as plain:
        assert copy_in(plain, "samples", [one_text("x")], schema=one_text().schema) == 1
        assert copy_out(plain, "select text from samples", schema=pa.schema([("text", pa.string())])).to_pylist() == [
            {"text": "x"}
        ]
