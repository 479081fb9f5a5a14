"""Contracts: derived from the model alone, with a version that changes when a rule does and only then."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q
from django.test.utils import isolate_apps

from ingest.rules import fields
from ingest.rules.conditions import Uncompilable
from ingest.rules.contract import Contract, Reference, compile_contract
from ingest.rules.sources import sources
from tests.support.rules.verdicts import contract_of

ROOT = Path(__file__).resolve().parents[3]


def made(
    attributes: dict[str, Any] | None = None,
    *,
    constraints: tuple[models.BaseConstraint, ...] = (),
    db_table: str = "thing",
) -> Contract:
    """Compile a model of a key, a number and a text; ``attributes`` replace or add fields."""
    declared: dict[str, Any] = {
        "key": fields.HexIdField(primary_key=True),
        "score": fields.IntegerField(min_value=1, max_value=5),
        "word": fields.ChoiceField(max_length=9, choices=[("a", "A"), ("b", "B")]),
        **(attributes or {}),
    }
    for place, field in enumerate(declared.values()):
        field.creation_counter = place  # the order of the columns, whatever was made first
    with isolate_apps("ingest"):
        meta = type("Meta", (), {"app_label": "ingest", "constraints": constraints, "db_table": db_table})
        model: Any = type("Thing", (models.Model,), {"__module__": __name__, "Meta": meta, **declared})
        return compile_contract(model, {model: "things"})


def check(condition: Q, name: str = "rule") -> models.CheckConstraint:
    return models.CheckConstraint(condition=condition, name=name)


CHANGES: dict[str, Callable[[], Contract]] = {
    "a bound": lambda: made({"score": fields.IntegerField(min_value=1, max_value=6)}),
    "a bound's absence": lambda: made({"score": fields.IntegerField()}),
    "null allowed": lambda: made({"score": fields.IntegerField(null=True, min_value=1, max_value=5)}),
    "a choice more": lambda: made({"word": fields.ChoiceField(max_length=9, choices=[("a", "A"), ("c", "C")])}),
    "a length": lambda: made({"word": fields.ChoiceField(max_length=8, choices=[("a", "A"), ("b", "B")])}),
    "a type": lambda: made({"score": fields.DecimalField(max_digits=3, decimal_places=1)}),
    "another normalising": lambda: made({"key": fields.LineField(primary_key=True, max_length=32)}),
    "a column more": lambda: made({"more": fields.IntegerField(null=True)}),
    "a rule between columns": lambda: made(constraints=(check(Q(score__gte=1)),)),
    "another rule between columns": lambda: made(constraints=(check(Q(score__gte=2)),)),
    "a rule's name": lambda: made(constraints=(check(Q(score__gte=1), "other"),)),
    "a rule of columns": lambda: made(constraints=(check(Q(score__gte=F("score"))),)),
}


def test_the_same_rules_have_the_same_version() -> None:
    assert made().version == made().version
    assert len(made().version) == len("0123456789ab")


def test_a_changed_rule_changes_the_version() -> None:
    versions = {name: change().version for name, change in CHANGES.items()} | {"none": made().version}
    assert len(set(versions.values())) == len(versions), versions


def test_what_is_no_rule_about_a_record_changes_no_version() -> None:
    indexed = made({"score": fields.IntegerField(min_value=1, max_value=5, db_index=True)})
    assert indexed.version == made().version

    class ShownField(fields.HexIdField):
        example = "f" * 32

    shown = made({"key": ShownField(primary_key=True)})
    assert shown.column("key").example != made().column("key").example
    assert shown.version == made().version


@pytest.mark.slow
def test_a_version_is_the_same_in_every_process() -> None:
    program = (
        "import django; django.setup(); from ingest.rules.sources import sources; "
        "print(*[source.contract.version for source in sources()])"
    )
    command = [sys.executable, "-c", program]
    answers = [
        subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "dataforge.settings",
                "SECRET_KEY": "x",
                "DEBUG": "on",
                "PYTHONHASHSEED": seed,
            },
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert answers == [[source.contract.version for source in sources()]] * 2


def test_a_contract_lists_the_columns_that_are_loaded_in_the_models_order() -> None:
    items = contract_of("order_items")
    assert items.names == (
        *("order_id", "order_item_id", "product_id", "seller_id", "shipping_limit_date", "price", "freight_value"),
    )
    assert items.natural_key == ("order_id", "order_item_id")
    assert items.references == (
        Reference("order_id", "orders"),
        Reference("product_id", "products"),
        Reference("seller_id", "sellers"),
    )
    assert items.schema.field("price") == pa.field("price", pa.decimal128(10, 2), nullable=False)
    assert items.db_table == "olist_order_items"


def test_a_foreign_key_takes_the_rule_of_the_key_it_points_to() -> None:
    assert contract_of("orders").column("customer_id").pattern == contract_of("customers").column("customer_id").pattern
    category = contract_of("products").column("product_category_name")
    assert (category.null, category.max_length, category.composed) == (True, 100, True)


def test_the_ends_of_a_type_are_bounds_where_the_model_names_none() -> None:
    contract = made({"score": fields.IntegerField(), "amount": fields.DecimalField(max_digits=5, decimal_places=2)})
    assert (contract.column("score").min_value, contract.column("score").max_value) == (-(2**31), 2**31 - 1)
    assert str(contract.column("amount").max_value) == "999.99"


def test_the_natural_keys_are_those_of_the_publisher() -> None:
    assert {source.table: source.contract.natural_key for source in sources()} == {
        "product_category_name_translation": ("product_category_name",),
        "geolocation": contract_of("geolocation").names,
        "customers": ("customer_id",),
        "sellers": ("seller_id",),
        "products": ("product_id",),
        "orders": ("order_id",),
        "order_items": ("order_id", "order_item_id"),
        "order_payments": ("order_id", "payment_sequential"),
        "order_reviews": ("review_id", "order_id"),
    }


def test_a_column_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises((KeyError, StopIteration)):
        contract_of("orders").column("colour")


class Odd(models.Func):
    """An expression that no column form knows."""

    function = "odd"
    output_field = models.BooleanField()


@pytest.mark.parametrize(
    "attributes",
    [
        {"when": models.DateTimeField()},
        {"data": models.JSONField()},
        {"other": fields.IntegerField(unique=True)},
        {"parent": models.ForeignKey(User, on_delete=models.CASCADE)},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_a_field_without_a_column_rule_is_refused_and_named(attributes: dict[str, Any]) -> None:
    with pytest.raises(Uncompilable) as refused:
        made(attributes)
    assert "Thing" in str(refused.value)


@pytest.mark.parametrize(
    "constraint",
    [
        check(Q(word__startswith="a")),
        check(Q(Odd("score"))),
        models.UniqueConstraint(fields=["score"], name="u"),
        models.UniqueConstraint(fields=["score"], condition=Q(score__gt=1), name="u"),
    ],
    ids=["look-up", "expression", "second key", "conditional key"],
)
def test_a_constraint_without_a_column_form_is_refused(constraint: models.BaseConstraint) -> None:
    with pytest.raises(Uncompilable):
        made(constraints=(constraint,))
