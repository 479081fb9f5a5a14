"""Sets of keys against Python's own sets, and duplicates whatever the chunks."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.processing import key_set
from ingest.processing.duplicates import SeenRows
from ingest.processing.key_set import KeySet
from ingest.processing.process import process
from ingest.processing.row_hashes import Words, row_hashes
from ingest.rules.contract import Column, Contract
from tests.support.rules.specimens import ITEM, ORDER, REVIEW
from tests.support.rules.verdicts import contract_of, records_of

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

COLUMNS = {
    "text": Column(name="k", kind="text", arrow_type=pa.string(), null=True),
    "fixed": Column(name="k", kind="text", arrow_type=pa.string(), null=True, width=5),
    "pair": Column(name="k", kind="text", arrow_type=pa.string(), null=True, width=2),
    "id": Column(name="k", kind="text", arrow_type=pa.string(), null=True, width=32),
    "small": Column(name="k", kind="integer", arrow_type=pa.int16(), null=True),
    "integer": Column(name="k", kind="integer", arrow_type=pa.int32(), null=True),
    "big": Column(name="k", kind="integer", arrow_type=pa.int64(), null=True),
    "decimal": Column(name="k", kind="decimal", arrow_type=pa.decimal128(10, 2), null=True),
    "float": Column(name="k", kind="float", arrow_type=pa.float64(), null=True),
    "moment": Column(name="k", kind="moment", arrow_type=pa.timestamp("us"), null=True),
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text("ab\x00é", max_size=3),
    "fixed": st.text("01", min_size=5, max_size=5),
    "pair": st.sampled_from(["SP", "RJ", "PS"]),
    "id": st.sampled_from(["0" * 32, "0" * 31 + "1", "1" + "0" * 31, "00000000" * 2 + "1" + "0" * 15]),
    "small": st.integers(-2, 2),
    "integer": st.integers(-2, 2) | st.sampled_from([2**31 - 1, -(2**31)]),
    "big": st.integers(-2, 2) | st.sampled_from([2**63 - 1, -(2**63)]),
    "decimal": st.integers(-2, 2).map(lambda n: Decimal(n) / 100) | st.just(Decimal("99999999.99")),
    "float": st.sampled_from([0.0, 1.5, -1.5, 5e-324, 90.0]),
    "moment": st.integers(-1, 1).map(lambda n: datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=n)),
}


@pytest.fixture(params=[2, 1 << 16], ids=["growing", "roomy"], autouse=True)
def first_slots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_set, "_FIRST_SLOTS", request.param)


def hashes(values: Sequence[Any], kind: str) -> tuple[Words, Words]:
    column = COLUMNS[kind]
    return row_hashes(pa.table({"k": pa.array(values, column.arrow_type)}), [column])


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_set_of_keys_gives_each_key_the_ordinal_of_its_first_like(kind: str) -> None:
    @settings(QUICK, max_examples=12)
    @given(chunks=st.lists(st.lists(st.none() | VALUES[kind], max_size=12), max_size=6), asked=st.lists(VALUES[kind]))
    def holds(chunks: list[list[Any]], asked: list[Any]) -> None:
        held, known = KeySet(), dict[Any, int]()
        for chunk in chunks:
            owners = held.add(hashes(chunk, kind))
            assert owners.tolist() == [known.setdefault(value, len(known)) for value in chunk]
            assert len(held) == len(known)
        assert held.find(hashes(asked, kind)).tolist() == [known.get(value, -1) for value in asked]
        assert held.contains(hashes(asked, kind)).tolist() == [value in known for value in asked]

    holds()


@given(chunks=st.lists(st.lists(st.integers(0, 400), max_size=200), max_size=8))
@QUICK
def test_a_set_of_keys_grows_without_forgetting(chunks: list[list[int]]) -> None:
    held, known = KeySet(), dict[int, int]()
    for chunk in chunks:
        assert held.add(hashes(chunk, "big")).tolist() == [known.setdefault(value, len(known)) for value in chunk]
    assert held.find(hashes(list(known), "big")).tolist() == list(known.values())


def test_many_keys_in_many_chunks() -> None:
    held = KeySet()
    numbers = np.random.default_rng(1).integers(0, 30_000, 60_000)
    for chunk in np.array_split(numbers, 13):
        held.add(hashes(list(chunk), "integer"))
    assert len(held) == len(np.unique(numbers))
    assert held.contains(hashes(range(30_000), "integer")).sum() == len(held)


def test_keys_that_collide_in_one_lane_are_told_apart() -> None:
    held, same = KeySet(), np.zeros(4, np.uint64)
    assert held.add((same, np.arange(4, dtype=np.uint64))).tolist() == [0, 1, 2, 3]
    assert held.find((same, np.array([3, 9, 0, 1], np.uint64))).tolist() == [3, -1, 0, 1]


def test_an_empty_set_finds_nothing() -> None:
    assert KeySet().find(hashes([1, None], "big")).tolist() == [-1, -1]
    assert KeySet().add(hashes([], "text")).tolist() == []


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_slice_hashes_as_the_same_rows_elsewhere(kind: str) -> None:
    values = [None, *_some(kind), None]
    column = COLUMNS[kind]
    table = pa.table({"k": pa.array(values, column.arrow_type)})
    for start in range(len(values)):
        sliced = row_hashes(table.slice(start), [column])
        assert [lane.tolist() for lane in sliced] == [lane.tolist()[start:] for lane in row_hashes(table, [column])]


def _some(kind: str) -> list[Any]:
    some: dict[str, list[Any]] = {
        "text": ["", "a", "é"],
        "fixed": ["01037", "01038"],
        "pair": ["SP", "RJ"],
        "id": ["0" * 32, "f" * 32],
        **{kind: [-1, 0, 1] for kind in ("small", "integer", "big")},
        "decimal": [Decimal("-0.01"), Decimal("12.50")],
        "float": [0.0, -1.5],
        "moment": [datetime.datetime(2018, 1, 1), datetime.datetime(1, 1, 1)],
    }
    return some[kind]


def test_null_and_the_empty_text_are_two_contents_and_columns_do_not_run_into_each_other() -> None:
    two = [Column(name=name, kind="text", arrow_type=pa.string(), null=True) for name in "kl"]
    rows = [("", None), (None, ""), (None, None), ("", ""), ("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")]
    table = pa.table({"k": pa.array([k for k, _ in rows]), "l": pa.array([value for _, value in rows])})
    first, second = row_hashes(table, two)
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(rows)


ITEM_KEYS: st.SearchStrategy[dict[str, str | None]] = st.fixed_dictionaries(
    {
        "order_id": st.sampled_from(["0" * 32, "1" * 32, "A" * 32, "a" * 32]),
        "order_item_id": st.sampled_from(["1", "2", "1.0"]),
        "price": st.sampled_from(["1", "1.00", "2", "-1"]),
    }
)


def verdicts(
    contract: Contract, chunks: list[list[dict[str, str | None]]]
) -> tuple[list[int], list[int], list[tuple[int, str]]]:
    """Return rows, duplicates and reasons of all chunks by the record's number in the whole."""
    seen, base = SeenRows(), 0
    rows: list[int] = []
    duplicates: list[int] = []
    reasons: list[tuple[int, str]] = []
    for chunk in chunks:
        result = process(records_of(contract, chunk), contract, seen=seen)
        rows += [base + row for row in result.source.tolist()]
        duplicates += [base + row for row in result.duplicates.tolist()]
        reasons += [(base + r["position"] - 1, r["code"]) for r in result.reasons.to_pylist()]
        base += len(chunk)
    return rows, duplicates, reasons


@given(records=st.lists(ITEM_KEYS, max_size=14), cuts=st.lists(st.integers(0, 14), max_size=4))
@QUICK
def test_chunks_make_no_difference_to_duplicates(records: list[dict[str, str | None]], cuts: list[int]) -> None:
    contract = contract_of("order_items")
    whole: list[dict[str, str | None]] = [ITEM | record for record in records]
    ends = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[start:end] for start, end in pairwise(ends)]
    assert verdicts(contract, chunks) == verdicts(contract, [whole])


@given(records=st.lists(ITEM_KEYS, max_size=14))
@QUICK
def test_the_first_of_a_key_stays_its_likes_are_duplicates_and_others_are_refused(
    records: list[dict[str, str | None]],
) -> None:
    contract = contract_of("order_items")
    first: dict[Any, Any] = {}
    rows, duplicates, reasons = [], [], []
    for number, record in enumerate(records):
        key, content = (
            (str(record["order_id"]).lower(), Decimal(str(record["order_item_id"]))),
            Decimal(str(record["price"])),
        )
        if content < 0:
            reasons.append((number, "min_value"))
        elif key not in first:
            first[key] = content
            rows.append(number)
        elif first[key] == content:
            duplicates.append(number)
        else:
            reasons.append((number, "unique"))
    assert verdicts(contract, [[ITEM | record for record in records]]) == (rows, duplicates, reasons)


GEO: dict[str, str | None] = {
    "geolocation_zip_code_prefix": "01037",
    "geolocation_lat": "0.0",
    "geolocation_lng": "-46.639",
    "geolocation_city": "são paulo",
    "geolocation_state": "SP",
}


@pytest.mark.parametrize(
    "again",
    [
        {"geolocation_lat": "-0.0"},
        {"geolocation_lat": "0"},
        {"geolocation_lng": "-46.6390"},
        {"geolocation_state": "sp"},
        {"geolocation_zip_code_prefix": "1037"},
        {"geolocation_city": "sa\u0303o paulo"},
    ],
    ids=str,
)
def test_equal_values_in_another_spelling_make_a_duplicate(again: dict[str, str | None]) -> None:
    rows, duplicates, reasons = verdicts(contract_of("geolocation"), [[GEO], [GEO | again]])
    assert (rows, duplicates, reasons) == ([0], [1], [])


@pytest.mark.parametrize("again", [{"geolocation_lat": "0.000001"}, {"geolocation_city": "sao paulo"}], ids=str)
def test_rows_that_are_all_key_never_clash(again: dict[str, str | None]) -> None:
    rows, duplicates, reasons = verdicts(contract_of("geolocation"), [[GEO, GEO | again]])
    assert (rows, duplicates, reasons) == ([0, 1], [], [])


def test_a_null_is_other_content_than_a_value() -> None:
    orders, reviews = contract_of("orders"), contract_of("order_reviews")
    assert verdicts(orders, [[ORDER], [ORDER | {"order_approved_at": None}]])[2] == [(1, "unique")]
    assert verdicts(reviews, [[REVIEW | {"review_comment_title": None}, REVIEW | {"review_comment_title": ""}]])[1] == [
        1
    ]


@pytest.mark.parametrize("table", ["orders", "order_reviews", "order_items"])
def test_a_record_that_was_refused_takes_no_key(table: str) -> None:
    good = {"orders": ORDER, "order_reviews": REVIEW, "order_items": ITEM}[table]
    wrong = good | {list(good)[-1]: "?"}
    rows, duplicates, reasons = verdicts(contract_of(table), [[wrong, good], [good]])
    assert (rows, duplicates, reasons) == ([1], [2], [(0, "invalid")])
