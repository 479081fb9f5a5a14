"""The Contract: a model's rules compiled for columns. Derived from ``model._meta``, never written by hand."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import pyarrow as pa
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from ingest.rules import fields
from ingest.rules.conditions import Condition, Uncompilable, compile_condition, condition_columns
from ingest.rules.normalise import COMPOSE, TRIM, Step

KINDS: dict[type[Any], str] = {
    fields.LocalDateTimeField: "moment",
    models.DecimalField: "decimal",
    models.FloatField: "float",
    models.IntegerField: "integer",
    models.CharField: "text",
    models.TextField: "text",
}
DEFAULT_MESSAGES = {
    "integer": "Enter a whole number.",
    "decimal": "Enter a number in plain digits, with a point before the decimals.",
    "float": "Enter a number in plain digits, with a point before the decimals.",
    "moment": "Enter a date and time as YYYY-MM-DD HH:MM:SS.",
    "text": "Enter a valid value.",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column's rule. Bounds are of the column's own Python type; ``width`` is in characters where it is fixed."""

    name: str
    kind: str  # text, integer, decimal, float, moment
    arrow_type: pa.DataType
    null: bool
    normalise: tuple[Step, ...] = ()
    pattern: str | None = None
    message: str = ""
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    width: int | None = None
    min_value: Any = None
    max_value: Any = None
    max_digits: int | None = None
    decimal_places: int | None = None
    help_text: str = ""
    example: Any = field(default=None, repr=False)  # no rule, so it has no part in the version

    @property
    def composed(self) -> bool:
        """Whether the text must be in Unicode's composed form."""
        return COMPOSE in self.normalise


@dataclass(frozen=True)
class Reference:
    """A foreign key: ``column`` holds the natural key of the Source ``table``."""

    column: str
    table: str


@dataclass(frozen=True)
class RowCheck:
    """A rule between columns. ``holds`` gives a boolean column; NULL (unknown) passes, as in SQL."""

    name: str
    message: str
    columns: tuple[str, ...]
    holds: Condition = field(compare=False)


@dataclass(frozen=True)
class Contract:
    """All rules of one table, in the model's column order."""

    table: str
    model: type[models.Model]
    columns: tuple[Column, ...]
    natural_key: tuple[str, ...]
    references: tuple[Reference, ...]
    row_checks: tuple[RowCheck, ...]
    version: str  # changes when a rule does: 12 hexadecimal digits

    @property
    def db_table(self) -> str:
        """The table's name in the database."""
        return self.model._meta.db_table

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of rows."""
        return pa.schema([pa.field(column.name, column.arrow_type, column.null) for column in self.columns])

    def column(self, name: str) -> Column:
        """Return the rule of one column; KeyError where there is none."""
        return next(column for column in self.columns if column.name == name)


def compile_contract(model: type[models.Model], tables: Mapping[type[models.Model], str]) -> Contract:
    """Compile ``model``; ``tables`` names the Source of every model. Raises Uncompilable, naming rule and remedy."""
    loaded = [f for f in model._meta.concrete_fields if not getattr(f, "db_returning", False) or not f.primary_key]
    columns = tuple(_column(f) for f in loaded)
    types = {column.name: column.arrow_type for column in columns}
    references = []
    for f in loaded:
        if isinstance(f, models.ForeignKey):
            if f.related_model not in tables:
                raise Uncompilable(f"{model.__name__}.{f.name} refers to a model that is no Source")
            if _natural_key(f.related_model) != (f.target_field.column,):
                raise Uncompilable(f"{model.__name__}.{f.name} does not refer to a natural key")
            references.append(Reference(f.column, tables[f.related_model]))
    row_checks = tuple(
        _row_check(check, model, types)
        for check in model._meta.constraints
        if isinstance(check, models.CheckConstraint) and not isinstance(check, fields.FieldRule)
    )
    rules = repr((columns, references, [(c.name, str(c)) for c in model._meta.constraints]))
    return Contract(
        table=tables[model],
        model=model,
        columns=columns,
        natural_key=_natural_key(model),
        references=tuple(references),
        row_checks=row_checks,
        version=hashlib.sha256(rules.encode()).hexdigest()[:12],
    )


def _row_check(check: models.CheckConstraint, model: type[models.Model], types: dict[str, pa.DataType]) -> RowCheck:
    condition = check.condition
    if not isinstance(condition, models.Q):
        raise Uncompilable(f"the condition {condition!r} of {check.name}, which is no Q")
    holds = compile_condition(condition, model, types)
    message = str(check.get_violation_error_message())
    return RowCheck(check.name, message, condition_columns(condition, model), holds)


def _natural_key(model: type[models.Model]) -> tuple[str, ...]:
    pk = model._meta.pk
    known = (models.UniqueConstraint, models.CheckConstraint)
    other = [c.name for c in model._meta.constraints if not isinstance(c, known)] or model._meta.unique_together
    if other:
        raise Uncompilable(f"{model.__name__} has {other}, which is neither a UniqueConstraint nor a CheckConstraint")
    unique = [c for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)]
    single = [f for f in model._meta.concrete_fields if f.unique and not f.primary_key]
    if not isinstance(pk, models.AutoField) and not unique and not single:
        return (str(pk.column),)
    if isinstance(pk, models.AutoField) and len(unique) == 1 and not single:
        constraint = unique[0]
        if constraint.condition or constraint.expressions or constraint.deferrable:
            raise Uncompilable(f"the unique constraint {constraint.name}, which is conditional or deferrable")
        return tuple(str(model._meta.get_field(name).column) for name in constraint.fields)  # type: ignore[union-attr]
    raise Uncompilable(
        f"{model.__name__} has no single natural key: give it either a key of its own or one UniqueConstraint"
    )


def _column(source: "models.Field[Any, Any]") -> Column:
    """Compile one field; a foreign key takes the rule of the key it points to."""
    rule = source.target_field if isinstance(source, models.ForeignKey) else source
    kind = next((kind for base, kind in KINDS.items() if isinstance(rule, base)), None)
    if kind is None:
        raise Uncompilable(f"{source.model.__name__}.{source.name}: no column rule for a {type(rule).__name__}")
    bounds = {type(v): v.limit_value for v in rule.validators if isinstance(v, (MinValueValidator, MaxValueValidator))}
    arrow_type = _arrow_type(kind, rule)
    low, high = _type_bounds(arrow_type)
    choices = tuple(str(value) for value, _ in rule.flatchoices) if rule.choices else ()
    return Column(
        name=str(source.column),
        kind=kind,
        arrow_type=arrow_type,
        null=source.null,
        normalise=getattr(rule, "normalise", (TRIM,)),
        pattern=getattr(rule, "pattern", None),
        message=str(getattr(rule, "message", DEFAULT_MESSAGES[kind])),
        choices=choices,
        max_length=getattr(rule, "max_length", None),
        width=getattr(rule, "width", None),
        min_value=bounds.get(MinValueValidator, low),
        max_value=bounds.get(MaxValueValidator, high),
        max_digits=getattr(rule, "max_digits", None),
        decimal_places=getattr(rule, "decimal_places", None),
        help_text=str(source.help_text),
        example=getattr(rule, "example", None),
    )


def _arrow_type(kind: str, rule: "models.Field[Any, Any]") -> pa.DataType:
    if kind == "integer":
        internal = rule.get_internal_type().removeprefix("Positive")
        return {"SmallIntegerField": pa.int16(), "BigIntegerField": pa.int64()}.get(internal, pa.int32())
    if kind == "decimal":
        return pa.decimal128(rule.max_digits, rule.decimal_places)  # type: ignore[attr-defined]
    if kind == "float":
        return pa.float64()
    return pa.timestamp("us") if kind == "moment" else pa.string()


def _type_bounds(kind: pa.DataType) -> tuple[Any, Any]:
    if pa.types.is_integer(kind):
        return -(2 ** (kind.bit_width - 1)), 2 ** (kind.bit_width - 1) - 1
    if pa.types.is_decimal(kind):
        largest = Decimal(10) ** (kind.precision - kind.scale) - Decimal(1).scaleb(-kind.scale)
        return -largest, largest
    return None, None
