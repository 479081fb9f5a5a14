"""The natural key as text: Arrow and PostgreSQL write the same, whatever its kind and whatever the session has set."""

import datetime
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from core.postgres.copy_in import copy_in
from ingest.rules.key_text import KEY_LENGTH, kept_part, kept_part_sql, key_sql, key_texts, value_texts
from tests.support.rules.other_team import KEYED, keyed, made

type Key = dict[str, Any]

SESSIONS = {
    "as they come": "select 1",
    "odd": "set local datestyle = 'SQL, DMY'; set local extra_float_digits = -15; set local lc_numeric = 'C'",
}
FLOATS = (1e-05, 1e22, 1e23, -0.0, 0.1, 0.30000000000000004, 5e-324, -2.5, 1e15, 1e16, 9007199254740993.0, 1e30, 1e-30)
EDGES = (*FLOATS, math.nextafter(1e30, 0), math.nextafter(1e-30, 0), 1.7976931348623157e308, 2.2250738585072014e-308)
MOMENTS = (
    datetime.datetime(1, 1, 1),
    datetime.datetime(2018, 3, 1, 10),
    datetime.datetime(2018, 3, 1, 10, 0, 0, 120_000),
    datetime.datetime(2018, 3, 1, 10, 0, 0, 1),
    datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999),
)
KEYS = st.fixed_dictionaries(
    {
        "word": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "share": st.none() | st.decimals(Decimal(-(10**10) + 1), 10**10 - 1, places=10),
        "size": st.none() | st.sampled_from(EDGES) | st.floats(allow_nan=False, allow_infinity=False),
        "moment": st.none() | st.sampled_from(MOMENTS) | st.datetimes(),
    }
)


@pytest.fixture
def table(db: None) -> Iterator[None]:
    with made(KEYED):
        yield


def by_postgres(rows: pa.Table, text: sql.Composable, session: str) -> list[str]:
    """Store ``rows``, and read the ``text`` of each."""
    contract = keyed()
    with connection.cursor() as cursor:
        cursor.execute(f"delete from {contract.db_table}")
        copy_in(cursor, contract.db_table, [rows], schema=contract.schema)
        cursor.execute(f"savepoint session; {session}")
        cursor.execute(sql.SQL("select {} from {} as t order by id").format(text, sql.Identifier(contract.db_table)))
        texts = [row[0] for row in cursor.fetchall()]
        cursor.execute("rollback to savepoint session")
    return texts


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
@given(keys=st.lists(KEYS, min_size=1, max_size=6, unique_by=lambda key: tuple(map(str, key.values()))))
@example(keys=[dict.fromkeys(("word", "number", "share", "size", "moment"))])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrow_and_postgresql_write_the_same_key(table: None, session: str, keys: list[Key]) -> None:
    contract = keyed()
    rows = pa.Table.from_pylist([{**key, "size": _unsigned(key["size"])} for key in keys], schema=contract.schema)
    assert key_texts(rows, contract).to_pylist() == by_postgres(rows, key_sql(contract, "t"), session)


def _unsigned(size: float | None) -> float | None:
    """Take zero's sign away: the rows of two zeros are one key to PostgreSQL, and to ``process``."""
    return None if size is None else size + 0.0


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
def test_they_write_the_edges_of_each_kind_alike(table: None, session: str) -> None:
    contract = keyed()
    shares = (Decimal(0), Decimal("1E-10"), Decimal("-0.0000001"), Decimal("1.5"))
    rows = [{"word": f"f{place}", "size": size} for place, size in enumerate(EDGES)]
    rows += [{"word": f"m{place}", "moment": moment} for place, moment in enumerate(MOMENTS)]
    rows += [{"word": f"d{place}", "share": share} for place, share in enumerate(shares)]
    stored = pa.Table.from_pylist(rows, schema=contract.schema)
    assert key_texts(stored, contract).to_pylist() == by_postgres(stored, key_sql(contract, "t"), session)


def test_a_long_key_is_cut_alike(table: None) -> None:
    contract = keyed()
    rows = pa.Table.from_pylist([{"word": "🚚e\u0301" * KEY_LENGTH, "number": 1}], schema=contract.schema)
    (cut,) = kept_part(key_texts(rows, contract)).to_pylist()
    assert [cut] == by_postgres(rows, kept_part_sql(contract, "t"), "select 1")
    assert len(str(cut)) == KEY_LENGTH


@given(size=st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(EDGES))
def test_the_text_of_a_float_means_that_float(size: float) -> None:
    assert float(str(value_texts(pa.array([size]))[0])) == size


def test_keys_are_written_as_people_do() -> None:
    contract = keyed()
    key = {
        "word": "a b",
        "number": -5,
        "share": Decimal("0.0000001"),
        "size": 1e-05,
        "moment": datetime.datetime(2018, 3, 1, 10),
    }
    rows = pa.Table.from_pylist([key, {"word": "alone"}], schema=contract.schema)
    assert key_texts(rows, contract).to_pylist() == ["a b -5 0.0000001000 0.00001 2018-03-01 10:00:00", "alone    "]


def test_a_refused_part_of_a_key_is_shown_as_it_came() -> None:
    contract = keyed()
    rows = pa.Table.from_pylist([{"word": None, "number": 7}], schema=contract.schema)
    came = pa.table({"word": ["a\0b"], "number": ["7"]})
    assert key_texts(rows, contract, refused=came).to_pylist() == ["a\ufffdb 7   "]
