"""What a contract publishes: a JSON Schema that agrees with ``process``."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unicodedata import is_normalized

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ingest.processing.frames import process_frame
from ingest.processing.process import process
from ingest.rules.contract import Contract
from ingest.rules.examples import example_record
from ingest.rules.json_schema import json_schema
from ingest.rules.sources import Source, sources
from tests.support.rules.json_schemas import validator
from tests.support.rules.kinds import CONTRACTS
from tests.support.rules.strategies import Row, rows, text_of, texts
from tests.support.rules.verdicts import Forgetful, contract_of, records_of, texts_of

QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EACH_TABLE = pytest.mark.parametrize("source", sources(), ids=lambda source: source.table)
EACH_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


def canonical(value: Any) -> Any:
    """Write a typed value in the canonical form: numbers as JSON numbers, decimals and what JSON lacks as text."""
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return text_of(value)


def as_number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) and value.is_finite() else canonical(value)


def accepted(contract: Contract, batch: Sequence[Row]) -> list[bool]:
    """Tell which rows ``process`` takes as they stand, but that an empty text is NULL; columns only."""
    columns_only = replace(contract, row_checks=(), references=())
    result = process(texts_of(contract, batch), columns_only, seen=Forgetful())
    verdicts = [False] * len(batch)
    for index, row in zip(result.source, result.rows.to_pylist(), strict=True):
        verdicts[index] = row == {name: None if value == "" else value for name, value in batch[index].items()}
    return verdicts


def composed(record: Row) -> bool:
    """Whether all texts have the Unicode form that JSON Schema cannot ask for."""
    return all(is_normalized("NFC", value) for value in record.values() if isinstance(value, str))


@EACH_CONTRACT
def test_a_schema_is_one_and_survives_json(contract: Contract) -> None:
    schema = json_schema(contract)
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema
    assert tuple(schema["properties"]) == contract.names
    assert schema["x-contract-version"] == contract.version
    assert all(re.compile(rule["pattern"]) for rule in schema["properties"].values() if "pattern" in rule)


@EACH_CONTRACT
def test_the_schema_accepts_a_row_exactly_when_process_does(contract: Contract) -> None:
    is_valid = validator(contract)

    @QUICK
    @given(st.lists(rows(contract).filter(composed), max_size=6))
    def holds(batch: list[Row]) -> None:
        shown = [{name: canonical(value) for name, value in row.items()} for row in batch]
        assert list(map(is_valid, shown)) == accepted(contract, batch)

    holds()


@EACH_CONTRACT
def test_the_schema_refuses_no_number_that_process_accepts(contract: Contract) -> None:
    """One way only: places of a number, and bounds of its text, are beyond JSON Schema."""
    is_valid = validator(contract)

    @settings(QUICK, max_examples=4)
    @given(st.lists(rows(contract).filter(composed), max_size=6))
    def holds(batch: list[Row]) -> None:
        for row, good in zip(batch, accepted(contract, batch), strict=True):
            if good:
                assert is_valid({name: as_number(value) for name, value in row.items()})
                assert is_valid({name: text_of(value) for name, value in row.items()})

    holds()


@EACH_CONTRACT
def test_the_schema_refuses_no_text_that_process_takes_as_it_stands(contract: Contract) -> None:
    """Idle zeros, a T between date and time, members left out: whatever needs no repair."""
    is_valid = validator(contract)
    columns_only = replace(contract, row_checks=(), references=())

    @settings(QUICK, max_examples=4)
    @given(texts(contract))
    def holds(batch: list[Row]) -> None:
        for record in filter(composed, batch):
            result = process(records_of(contract, [record]), columns_only)
            assert is_valid(record) or result.rejected or result.repairs

    holds()


@pytest.mark.parametrize(
    ("column", "value", "valid"),
    [
        ("below", "-007", True),
        ("below", -3, True),
        ("below", -2, False),
        ("below", "3.5", False),
        ("below", True, False),
        ("share", "0.5", True),
        ("share", "0.5000", True),
        ("share", "-0.0", True),
        ("share", "-0.5", False),
        ("share", "1.5", False),
        ("share", "0.1234", False),
        ("share", 0.123, True),
        ("whole", "-7.0", True),
        ("whole", "1000", False),
        ("exact", "999999999999999999.99", True),
        ("exact", 1e17, True),
        ("word", "", False),
        ("word", "a\x00", False),
        ("choice", "", True),
        ("choice", None, True),
        ("choice", "b", False),
        ("moment", "2018-01-31T12:00:00", True),
        ("moment", "2018-01-31 12:00:00Z", False),
        ("moment", "2018-01-31", False),
    ],
)
def test_what_the_schema_says_of_one_value(column: str, value: Any, *, valid: bool) -> None:
    contract = CONTRACTS["every kind"]
    assert validator(contract)(example_record(contract) | {column: value}) is valid


@EACH_TABLE
def test_an_unknown_field_is_refused_by_both(source: Source) -> None:
    record = example_record(source.contract) | {"colour": "blue"}
    result = process_frame(pd.DataFrame([record], dtype=object), source.contract)
    assert result.reasons["code"].to_pylist() == ["unknown_field"]
    assert not validator(source.contract)(record)


@EACH_TABLE
def test_a_record_needs_the_columns_that_are_never_null_and_no_others(source: Source) -> None:
    is_valid, example = validator(source.contract), example_record(source.contract)
    for column in source.contract.columns:
        rest = {name: value for name, value in example.items() if name != column.name}
        without = process(records_of(source.contract, [{k: str(v) for k, v in rest.items()}]), source.contract)
        assert is_valid(rest) == column.null == (without.rejected == 0)


def test_a_schema_says_what_it_cannot_check() -> None:
    schema = json_schema(contract_of("orders"))
    assert schema["x-natural-key"] == ["order_id"]
    assert schema["x-references"] == {"customer_id": "customers"}
    assert schema["x-checks"][0] == {
        "name": "olist_orders_approved_after_purchase",
        "message": "An order cannot be approved before its purchase.",
        "columns": ["order_purchase_timestamp", "order_approved_at"],
    }
    assert schema["properties"]["order_id"]["x-normalised-by"] == ["trim", "lower"]
    assert "An order cannot be approved before its purchase." in schema["description"]
    assert schema["description"].startswith("An order and its way to the customer. ")


def test_the_list_of_fields_that_django_writes_is_no_description() -> None:
    assert json_schema(CONTRACTS["every kind"])["description"].startswith("This is the canonical form")


def test_a_bound_that_no_float_is_exactly_is_left_out() -> None:
    properties = json_schema(CONTRACTS["every kind"])["properties"]
    assert "maximum" not in properties["exact"]
    assert (properties["share"]["minimum"], properties["share"]["maximum"]) == (0, 0.999)


def test_the_help_text_of_a_column_comes_before_its_rule() -> None:
    column = replace(contract_of("sellers").columns[0], help_text="As the publisher has it.")
    contract = replace(contract_of("sellers"), columns=(column,))
    assert json_schema(contract)["properties"]["seller_id"]["description"] == (
        "As the publisher has it. Enter 32 hexadecimal digits (0-9, a-f)."
    )
