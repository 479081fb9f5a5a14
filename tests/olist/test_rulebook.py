"""One rulebook: for typed rows, ``process`` accepts what PostgreSQL accepts, and DRF agrees on each field."""

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import serializers

from core.arrow import ArrowColumn
from ingest.processing.lookups import Parents
from ingest.processing.process import process
from ingest.rules.contract import Reference
from ingest.rules.sources import Source, sources
from olist.models import Category, Customer, Order, Product, Seller
from tests.support.rules.strategies import BeyondPython, dressed, good_values, odd_values, rows
from tests.support.rules.verdicts import Forgetful, accepted_by_postgres, accepted_by_process, records_of, texts_of

QUICK = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
EACH_TABLE = pytest.mark.parametrize("source", sources(), ids=lambda source: source.table)
PARENT, ORPHAN = "a" * 32, "b" * 32
MOMENT = datetime.datetime(2018, 1, 1)
KNOWN = {
    "product_category_name_translation": "beleza_saude",
    **dict.fromkeys(("customers", "sellers", "products", "orders"), PARENT),
}


class OnlyKnown:
    """The parents of ``KNOWN`` exist, no others."""

    def parents(self, reference: Reference, keys: ArrowColumn) -> Parents:
        exist = np.array([key == KNOWN[reference.table] for key in keys.to_pylist()], bool)
        return Parents(exist, np.zeros(len(keys), bool))


@pytest.fixture
def cursor(db: None) -> Iterator[CursorWrapper]:
    """A transaction that holds the parents of ``KNOWN`` and checks foreign keys at once."""
    Category(product_category_name="beleza_saude").save(force_insert=True)
    place = {"zip_code_prefix": "01037", "city": "são paulo", "state": "SP"}
    Customer(customer_id=PARENT, customer_unique_id=PARENT, **{f"customer_{k}": v for k, v in place.items()}).save(
        force_insert=True
    )
    Seller(seller_id=PARENT, **{f"seller_{k}": v for k, v in place.items()}).save(force_insert=True)
    Product(product_id=PARENT).save(force_insert=True)
    Order(
        order_id=PARENT,
        customer_id=PARENT,
        order_status="created",
        order_purchase_timestamp=MOMENT,
        order_estimated_delivery_date=MOMENT,
    ).save(force_insert=True)
    with connection.cursor() as opened:
        opened.execute("set constraints all immediate")
        yield opened


def parents_of(source: Source) -> dict[str, st.SearchStrategy[Any]]:
    keys = {reference.column: KNOWN[reference.table] for reference in source.contract.references}
    return {column: st.sampled_from([key, key, key, key, key, ORPHAN]) for column, key in keys.items()}


@EACH_TABLE
def test_process_takes_exactly_the_rows_that_postgres_takes(cursor: CursorWrapper, source: Source) -> None:
    contract = source.contract

    # A key that is stored already would be refused by PostgreSQL alone: here each row is judged as the only one.
    @QUICK
    @given(st.lists(rows(contract, **parents_of(source)), min_size=1, max_size=12))
    def holds(batch: list[dict[str, Any]]) -> None:
        batch = [row for row in batch if not is_stored(source, row)]
        ours = accepted_by_process(contract, batch, lookups=OnlyKnown(), seen=Forgetful())
        assert list(zip(ours, batch, strict=True)) == list(
            zip(accepted_by_postgres(cursor, contract, batch), batch, strict=True)
        )

    holds()


@EACH_TABLE
def test_the_rows_that_are_made_here_are_of_both_kinds(source: Source) -> None:
    """Otherwise the other tests would say nothing."""
    contract, verdicts = source.contract, set[bool]()

    @settings(max_examples=30, derandomize=True, database=None, deadline=None)
    @given(st.lists(rows(contract, **parents_of(source)), min_size=1, max_size=12))
    def judge(batch: list[dict[str, Any]]) -> None:
        verdicts.update(accepted_by_process(contract, batch, lookups=OnlyKnown(), seen=Forgetful()))

    judge()
    assert verdicts == {True, False}


@EACH_TABLE
def test_whatever_process_takes_of_any_text_postgres_stores_unchanged(cursor: CursorWrapper, source: Source) -> None:
    contract = source.contract

    @QUICK
    @given(
        st.lists(
            st.fixed_dictionaries(
                {c.name: dressed(good_values(c) | good_values(c) | odd_values(c)) for c in contract.columns}
            ),
            max_size=8,
        )
    )
    def holds(batch: list[dict[str, str | None]]) -> None:
        known = [record | {r.column: KNOWN[r.table] for r in contract.references} for record in batch]
        taken_rows = process(records_of(contract, known), contract, seen=Forgetful()).rows.to_pylist()
        stored = [row for row in taken_rows if not is_stored(source, row)]
        assert accepted_by_postgres(cursor, contract, stored) == [True] * len(stored)

    holds()


def is_stored(source: Source, row: dict[str, Any]) -> bool:
    key = source.contract.natural_key
    return len(key) == 1 and row[key[0]] == KNOWN.get(source.table)


@EACH_TABLE
def test_within_a_batch_process_keeps_the_keys_that_postgres_keeps(cursor: CursorWrapper, source: Source) -> None:
    contract = source.contract
    few = {name: st.sampled_from(values) for name, values in few_keys(source).items()}
    good = st.fixed_dictionaries({c.name: few.get(c.name, good_values(c)) for c in contract.columns})

    @QUICK
    @given(st.lists(good, min_size=2, max_size=10))
    def holds(batch: list[dict[str, Any]]) -> None:
        ours = accepted_by_process(contract, batch, lookups=OnlyKnown())
        cursor.execute("savepoint before_batch")
        theirs = accepted_by_postgres(cursor, contract, batch, keep=True)
        cursor.execute("rollback to savepoint before_batch; release savepoint before_batch")
        assert list(zip(ours, batch, strict=True)) == list(zip(theirs, batch, strict=True))

    holds()


def few_keys(source: Source) -> dict[str, list[Any]]:
    """Let each key column have a handful of values, so that keys repeat; references stay known."""
    contract = source.contract
    values: dict[str, list[Any]] = {"text": ["c" * 32, "d" * 32], "integer": [1, 2], "float": [0.0, -0.0, 1.5]}
    few = {name: values[contract.column(name).kind] for name in contract.natural_key}
    for name in contract.natural_key:
        if contract.column(name).width == 5:
            few[name] = ["01037", "01038"]
        if contract.column(name).choices:
            few[name] = ["SP", "RJ"]
    return few | {reference.column: [KNOWN[reference.table]] for reference in contract.references}


def serializer_of(source: Source) -> serializers.ModelSerializer[models.Model]:
    """DRF's own serializer of all fields; only its silent trimming and its queries are switched off."""

    class OfModel(serializers.ModelSerializer[models.Model]):
        class Meta:
            model = source.model
            fields = "__all__"

    made = OfModel()
    for field in made.fields.values():
        if isinstance(field, serializers.CharField):
            field.trim_whitespace = False
        field.validators = [v for v in field.validators if type(v).__name__ != "UniqueValidator"]
    return made


@EACH_TABLE
def test_the_serializer_of_drf_agrees_on_every_field(source: Source) -> None:
    contract, made = source.contract, serializer_of(source)
    references = {reference.column for reference in contract.references}
    own = [f for f in source.model._meta.concrete_fields if f.column in contract.names and f.column not in references]
    good_row = {column.name: None for column in contract.columns}

    @QUICK
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        for field in own:
            column = contract.column(str(field.column))
            drawn = data.draw(st.lists(odd_values(column) | good_values(column), max_size=8), label=field.name)
            # Where it may be NULL, DRF leaves the empty text as it is, to whoever saves; here it is NULL.
            values = [value for value in drawn if value != "" or not column.null]
            batch = [good_row | {column.name: value} for value in values]
            refused = refused_by_process(source, column.name, batch)
            assert list(zip(refused, values, strict=True)) == [
                (is_refused(made.fields[field.name], value), value) for value in values
            ]

    holds()


def refused_by_process(source: Source, name: str, batch: list[dict[str, Any]]) -> list[bool]:
    result = process(texts_of(source.contract, batch), source.contract, seen=Forgetful())
    reasons = result.reasons.to_pylist()
    named = {reason["position"] - 1 for reason in reasons if reason["field"] == name and reason["code"] != "check"}
    typed = result.checked[name].to_pylist()
    return [index in named or typed[index] != row[name] for index, row in enumerate(batch)]


def is_refused(field: serializers.Field[Any, Any, Any, Any], value: Any) -> bool:
    if isinstance(value, BeyondPython):
        value = value.text
    try:
        kept = field.run_validation(value)
    except (serializers.ValidationError, DjangoValidationError):
        return True
    return bool(kept != value)
