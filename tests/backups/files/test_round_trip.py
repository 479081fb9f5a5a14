"""What goes into a file comes out of it, and PostgreSQL and the file reader agree on what it is."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from backups.backing_up.backup import backup
from backups.backing_up.verify import verify
from backups.hashing.row_hashes import FileFingerprint, hash_expression, row_hashes, server_fingerprint
from backups.restoring.restore import RestoreOrder, restore
from backups.tables import shape
from core.postgres.copy_in import copy_in
from core.postgres.copy_out import copy_out
from tests.support.backups.runs import content
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")

# What text COPY, CSV and careless readers get wrong.
TEXTS = st.sampled_from(
    ["", "\\.", "\\N", "NULL", '"', "a\nb", "\r\n", "\U0001f600", "e\u0301", " ", "\t", ",", "x" * 50]
)
ANY_TEXT = TEXTS | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
MOMENTS = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime.max)
FLOATS = st.floats(allow_infinity=True) | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": ANY_TEXT,
    "code": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    "small": st.integers(-(2**15), 2**15 - 1),
    "number": st.integers(-(2**31), 2**31 - 1),
    "big": st.integers(-(2**63), 2**63 - 1),
    "point": FLOATS,
    "ratio": st.floats(width=32, allow_infinity=True),
    "price": st.decimals(Decimal("-99999999.99"), Decimal("99999999.99"), places=2),
    "fine": st.decimals(Decimal(-(10**25)), Decimal(10**25), places=12) | st.just(Decimal("0.000000000001")),
    "at": MOMENTS,
    "seen": st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30), timezones=st.just(datetime.UTC)),
    "day": st.dates(),
    "flag": st.booleans(),
    "key": st.uuids().map(lambda key: key.bytes),
    "data": st.sampled_from(["{}", '{"a": "\u00e9\\n", "b": [1.50, null]}', "null", '""', "1e5"]),
    "raw": st.binary(max_size=20),
    "tags": st.lists(
        st.none() | ANY_TEXT | st.text(st.characters(max_codepoint=40, exclude_characters="\0")), max_size=3
    ),
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}), max_size=12)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def put(rows: list[dict[str, Any]]) -> None:
    """Store specimens numbered from 2**31 + 1."""
    query("truncate specimens")
    numbered = [{"id": 2**31 + number, **row} for number, row in enumerate(rows, 1)]
    with transaction.atomic(), connection.cursor() as cursor:
        schema = shape(cursor, "specimens").schema
        copy_in(cursor, "specimens", [pa.Table.from_pylist(numbered, schema=schema)], schema=schema)


@given(rows=ROWS)
@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
def test_postgresql_and_the_reader_of_a_file_hash_every_row_alike(rows: list[dict[str, Any]]) -> None:
    put(rows)
    with transaction.atomic(), connection.cursor() as cursor:
        schema = shape(cursor, "specimens").schema
        table = copy_out(cursor, "select * from specimens order by id", schema=schema)
        hashes = sql.SQL("select {} as hash from specimens order by id").format(hash_expression(schema))
        there = copy_out(cursor, hashes, schema=pa.schema({"hash": pa.int64()}))
        total = server_fingerprint(cursor, sql.Identifier("specimens"), schema)
    assert row_hashes(table).tolist() == there["hash"].to_pylist()
    here = FileFingerprint()
    for start in range(0, len(rows), 5):  # sliced, so that values begin at an offset
        here.add(table.slice(start, 5))
    assert here.value() == total


def test_columns_of_few_texts_of_none_and_of_many_hash_alike_too() -> None:
    query(
        "insert into specimens (id, text, code, data, fine, number, tags, big) select n, case when n %% 3 > 0 then"
        " 'state ' || n %% 5 end, null, '{}', n %% 2, 1, '{same}', n << 40 from generate_series(1, 2000) n"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        schema = shape(cursor, "specimens").schema
        table = copy_out(cursor, "select * from specimens", schema=schema)
        total = server_fingerprint(cursor, sql.Identifier("specimens"), schema)
    here = FileFingerprint()
    here.add(table)
    assert here.value() == total


EDGES: dict[str, list[Any]] = {
    "text": ["", "\\.", "\r\n\U0001f600"],
    "code": ["\\N", "", "e\u0301"],
    "small": [-(2**15), 0, 2**15 - 1],
    "number": [-(2**31), 0, 2**31 - 1],
    "big": [-(2**63), 0, 2**63 - 1],
    "point": [-0.0, 5e-324, float("nan")],
    "ratio": [-0.0, 1.5, float("inf")],
    "price": [Decimal("-99999999.99"), Decimal("0.00"), Decimal("99999999.99")],
    "fine": [Decimal(-(10**25)), Decimal("0.000000000001"), Decimal(10**25)],
    "at": [datetime.datetime(1, 1, 1), datetime.datetime(2018, 11, 4), datetime.datetime.max],
    "seen": [datetime.datetime(year, 6, 1, tzinfo=datetime.UTC) for year in (1, 1970, 9999)],
    "day": [datetime.date.min, datetime.date(1970, 1, 1), datetime.date.max],
    "flag": [True, False, None],
    "key": [bytes(16), b"\xff" * 16, None],
    "data": ["{}", '{"a": [1.50, null]}', "null"],
    "raw": [b"", b"\x00", b"\\x00"],
    "tags": [[], [None, "", "NULL"], ['"', "a,b"]],
}


def test_the_edges_of_every_type_come_back_as_they_were(store: Path) -> None:
    rows = [{name: values[number] for name, values in EDGES.items()} for number in range(3)]
    comes_back([*rows, dict.fromkeys(EDGES)])


@pytest.mark.slow
@given(rows=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
def test_rows_come_back_as_they_were(rows: list[dict[str, Any]], store: Path) -> None:
    comes_back(rows)


def comes_back(rows: list[dict[str, Any]]) -> None:
    """Store rows, back them up, lose them, restore them."""
    put(rows)
    before, signs = content("specimens"), query("select point::text, data::text from specimens order by id")
    (kept,) = backup(["specimens"])
    assert (kept.rows, verify(kept.path, drill=True).rows) == (len(rows), len(rows))
    query("truncate specimens")
    restore(RestoreOrder("specimens", path=kept.path))
    assert content("specimens") == before
    assert query("select point::text, data::text from specimens order by id") == signs


@pytest.mark.parametrize(
    "change",
    [
        "update specimens set text = case id when 1 then 'b' else 'a' end",
        "update specimens set number = number + 1 where id = 1",
        "update specimens set number = null where id = 1",
        "update specimens set text = '' where id = 3",
        "update specimens set text = null where id = 4",
        "update specimens set big = big + (1::bigint << 32) + 1",
        "update specimens set at = at + interval '1 microsecond' where id = 2",
        "delete from specimens where id = 2",
        "insert into specimens (id, text) values (9, 'a')",
    ],
)
def test_a_fingerprint_sees_any_change_but_not_the_order(change: str) -> None:
    query(
        "insert into specimens (id, text, number, big, at) values (1, 'a', 1, 1, '2018-01-01'),"
        " (2, 'b', 1, 1, '2018-01-01'), (3, null, 1, 1, '2018-01-01'), (4, '', 1, 1, '2018-01-01')"
    )

    def fingerprint() -> object:
        with connection.cursor() as cursor:
            return server_fingerprint(cursor, sql.Identifier("specimens"), shape(cursor, "specimens").schema)

    before = fingerprint()
    query("update specimens set code = null where id = 1")  # moves the row to the end
    assert fingerprint() == before
    query(change)
    assert fingerprint() != before
