"""``CheckConstraint`` conditions compiled to Arrow: the same verdict as PostgreSQL's, NULL logic included."""

from collections.abc import Callable
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Combinable

type Mask = pa.BooleanArray | pa.ChunkedArray[Any] | pa.Scalar[Any]
type Condition = Callable[[pa.Table], Any]  # columns -> boolean column of their length, NULL = unknown


class Uncompilable(Exception):
    """A constraint that has no column form; ``str()`` says which part."""


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "exact": pc.equal,
    "gt": pc.greater,
    "gte": pc.greater_equal,
    "lt": pc.less,
    "lte": pc.less_equal,
}


def compile_condition(condition: Q, model: type[models.Model], types: dict[str, pa.DataType]) -> Condition:
    """Compile ``condition`` over the columns of ``model``, whose Arrow types are ``types`` (by column name).

    Knows and, or, not; exact, gt, gte, lt, lte, in, range, isnull; ``F`` and plain values. Raises Uncompilable for
    anything else.
    """
    if not condition.children:
        raise Uncompilable("an empty condition")
    parts = [
        compile_condition(child, model, types) if isinstance(child, Q) else _compile_lookup(child, model, types)
        for child in condition.children
    ]
    join = {"AND": pc.and_kleene, "OR": pc.or_kleene}.get(condition.connector)
    if join is None:
        raise Uncompilable(f"the connector {condition.connector}")
    negated = condition.negated

    def evaluate(columns: pa.Table) -> Any:
        mask = parts[0](columns)
        for part in parts[1:]:
            mask = join(mask, part(columns))
        return pc.invert(mask) if negated else mask

    return evaluate


def condition_columns(condition: Q, model: type[models.Model]) -> tuple[str, ...]:
    """List the columns that ``condition`` speaks of, in the model's order."""
    names: set[str] = set()
    for child in condition.flatten():
        if isinstance(child, F):
            names.add(_column(model, str(child.deconstruct()[1][0])))
    for lookup, _ in _leaves(condition):
        names.add(_column(model, lookup.split("__")[0]))
    return tuple(field.column for field in model._meta.concrete_fields if field.column in names)


def _leaves(condition: Q) -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for child in condition.children:
        leaves.extend(_leaves(child) if isinstance(child, Q) else [cast("tuple[str, Any]", child)])
    return leaves


def _column(model: type[models.Model], name: str) -> str:
    return str(model._meta.get_field(name).column)  # type: ignore[union-attr]  # relations the other way have none


def _compile_lookup(child: Any, model: type[models.Model], types: dict[str, pa.DataType]) -> Condition:
    if not isinstance(child, tuple):
        raise Uncompilable(f"the expression {child!r}")
    path, value = child
    name, *lookups = path.split("__")
    column = _column(model, name)
    if column not in types:
        raise Uncompilable(f"the column {column}, which is not loaded")
    lookup = lookups[0] if len(lookups) == 1 else ("exact" if not lookups else "__".join(lookups))
    if lookup == "exact" and value is None:  # as Django reads it
        lookup, value = "isnull", True
    if lookup in _COMPARISONS:
        compare, right = _COMPARISONS[lookup], _operand(value, model, types[column])
        return lambda columns: compare(columns[column], right(columns))
    if lookup == "range":
        low, high = (_operand(end, model, types[column]) for end in value)
        return lambda columns: pc.and_kleene(
            pc.greater_equal(columns[column], low(columns)), pc.less_equal(columns[column], high(columns))
        )
    if lookup == "isnull":
        return lambda columns: pc.equal(pc.is_null(columns[column]), pa.scalar(bool(value)))
    if lookup == "in":
        members = pa.array(list(value), types[column])
        return lambda columns: pc.if_else(
            pc.is_null(columns[column]), pa.scalar(None, pa.bool_()), pc.is_in(columns[column], members)
        )
    raise Uncompilable(f"the look-up {path}")


def _operand(value: Any, model: type[models.Model], kind: pa.DataType) -> Callable[[pa.Table], Any]:
    if isinstance(value, F):
        column = _column(model, str(value.deconstruct()[1][0]))
        return lambda columns: columns[column]
    if isinstance(value, Combinable) or hasattr(value, "resolve_expression"):
        raise Uncompilable(f"the expression {value!r}")
    constant = pa.scalar(value, kind)
    return lambda _: constant
