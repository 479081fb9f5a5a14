"""``process`` as a whole: every record in one of its parts, whatever came, in whatever company."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from core.arrow import ArrowColumn
from ingest.processing.lookups import Parents
from ingest.processing.process import process
from ingest.processing.records import Records
from ingest.rules.contract import Reference
from ingest.rules.sources import Source, sources
from tests.support.rules.specimens import ITEM, ORDER, processed, told
from tests.support.rules.strategies import text_of, texts
from tests.support.rules.verdicts import Forgetful, contract_of, partition, records_of

QUICK = settings(max_examples=12, deadline=None)
EACH_TABLE = pytest.mark.parametrize("source", sources(), ids=lambda source: source.table)


class HalfOfThem:
    """Parents whose key begins with 0 exist, with 1 were refused; the others never were."""

    def parents(self, reference: Reference, keys: ArrowColumn) -> Parents:
        assert keys.null_count == 0
        texts = [str(key) for key in keys.to_pylist()]
        return Parents(
            np.array([text.startswith("0") for text in texts], np.bool_),
            np.array([text.startswith("1") for text in texts], np.bool_),
        )


@EACH_TABLE
def test_whatever_comes_each_record_ends_in_one_part(source: Source) -> None:
    @QUICK
    @given(texts(source.contract))
    def holds(batch: list[dict[str, str | None]]) -> None:
        contract = source.contract
        result = process(records_of(contract, batch), contract, lookups=HalfOfThem(), adopts=source.adds_parents)
        partition(result)
        assert result.read == len(batch)
        assert result.rejected + result.rows.num_rows + len(result.duplicates) == len(batch)
        assert result.rows.schema.names == list(contract.names)
        for column in contract.columns:
            assert column.null or result.rows[column.name].null_count == 0
        for reason in result.reasons.to_pylist():
            assert reason["field"] in contract.names
            assert (reason["constraint"] is not None) == (reason["code"] == "check")
        assert (np.diff(result.reasons["position"].to_numpy()) >= 0).all()

    holds()


@EACH_TABLE
def test_the_verdict_on_a_record_does_not_depend_on_its_company(source: Source) -> None:
    @settings(QUICK, max_examples=6)
    @given(texts(source.contract))
    def holds(batch: list[dict[str, str | None]]) -> None:
        contract = source.contract
        together = process(records_of(contract, batch), contract, lookups=HalfOfThem(), seen=Forgetful())
        reasons = together.reasons.to_pylist()
        repairs: Counter[str] = Counter()
        for row, record in enumerate(batch):
            alone = process(records_of(contract, [record]), contract, lookups=HalfOfThem(), seen=Forgetful())
            repairs.update(alone.repairs)
            assert [r | {"position": row + 1} for r in alone.reasons.to_pylist()] == [
                r for r in reasons if r["position"] == row + 1
            ]
            assert alone.checked.to_pylist() == together.checked.slice(row, 1).to_pylist()
        assert together.repairs == dict(repairs)

    holds()


@EACH_TABLE
def test_an_accepted_row_written_out_again_is_accepted_as_it_is(source: Source) -> None:
    @QUICK
    @given(texts(source.contract))
    def holds(batch: list[dict[str, str | None]]) -> None:
        contract = source.contract
        first = process(records_of(contract, batch), contract, seen=Forgetful())
        written = [{name: text_of(value) for name, value in row.items()} for row in first.rows.to_pylist()]
        second = process(records_of(contract, written), contract, seen=Forgetful())
        assert second.rows.to_pylist() == first.rows.to_pylist()
        assert second.repairs == {}

    holds()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_empty_batch_and_batches_of_only_good_or_only_bad_records(count: int) -> None:
    good = [ORDER | {"order_id": f"{number:032}"} for number in range(count)]
    assert processed("orders", *good).rows.num_rows == count
    bad = processed("orders", *(record | {"order_status": "?"} for record in good))
    assert (bad.rows.num_rows, bad.rejected) == (0, count)


def test_columns_in_chunks_are_judged_as_one() -> None:
    contract = contract_of("order_items")
    batches = [
        records_of(contract, [ITEM | {"order_item_id": str(n), "price": p}]) for n, p in ((1, "5"), (2, "x"), (3, "7 "))
    ]
    whole = Records(
        columns=pa.concat_tables([batch.columns for batch in batches]),
        position=pa.array([1, 2, 3], pa.int64()),
        raw=pa.array([b"1", b"2", b"3"], pa.binary()),
    )
    result = process(whole, contract)
    partition(result)
    assert (result.source.tolist(), told(result)) == ([0, 2], [("price", "invalid", "x")])


def test_a_sliced_table_is_judged_by_its_own_rows() -> None:
    contract = contract_of("orders")
    every = records_of(contract, [ORDER | {"order_status": "?"}, ORDER, ORDER | {"order_id": "F" * 32}])
    sliced = Records(columns=every.columns.slice(1), position=every.position[1:], raw=every.exact()[1:])
    result = process(sliced, contract)
    partition(result)
    assert (result.source.tolist(), result.repairs) == ([0, 1], {"lower": 1})


def test_records_are_judged_in_the_order_in_which_they_came() -> None:
    wrong: list[dict[str, str | None]] = [
        ORDER | {"order_status": "?"},
        ORDER,
        ORDER | {"order_id": "?", "order_status": ""},
    ]
    result = processed("orders", *wrong)
    assert [(r["position"], r["field"]) for r in result.reasons.to_pylist()] == [
        (1, "order_status"),
        (3, "order_id"),
        (3, "order_status"),
    ]


def test_the_value_of_a_reason_is_the_text_as_it_came_also_where_normalising_did_not_help() -> None:
    assert told(processed("orders", ORDER | {"order_status": " Shipped "})) == [
        ("order_status", "invalid_choice", " Shipped ")
    ]


def test_each_reference_of_a_record_is_asked_with_its_keys_once() -> None:
    asked: list[tuple[str, list[Any]]] = []

    class Asked:
        def parents(self, reference: Reference, keys: ArrowColumn) -> Parents:
            asked.append((reference.table, keys.to_pylist()))
            return Parents(np.ones(len(keys), bool), np.zeros(len(keys), bool))

    refused = ITEM | {"order_item_id": "0"}
    processed("order_items", ITEM, refused, ITEM | {"order_item_id": "2", "seller_id": "E" * 32}, lookups=Asked())
    own = ITEM["order_id"]
    assert asked == [("orders", [own, own]), ("products", [own, own]), ("sellers", [own, "e" * 32])]


def test_a_huge_batch_of_bad_records_keeps_every_reason() -> None:
    count = 20_000
    records = [ITEM | {"order_item_id": str(number), "price": "-1", "seller_id": "?"} for number in range(1, count + 1)]
    result = processed("order_items", *records)
    assert result.rejected == count
    assert len(result.reasons) == 2 * count
