"""Conditions between columns: the same three-valued verdict as PostgreSQL's on rows with NULLs."""

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection, models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower
from django.test.utils import isolate_apps
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.rules.conditions import Uncompilable, compile_condition, condition_columns

QUICK = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _model() -> type[models.Model]:
    with isolate_apps("ingest"):

        class Thing(models.Model):
            a = models.IntegerField(null=True)
            b = models.IntegerField(null=True)
            c = models.IntegerField()
            word = models.CharField(max_length=9, null=True)
            price = models.DecimalField(max_digits=6, decimal_places=2, null=True)
            day = models.DateField(null=True)
            size = models.FloatField(null=True)

            class Meta:
                app_label = "ingest"

            def __str__(self) -> str:
                return str(self.pk)

    return Thing


MODEL = _model()
TYPES: dict[str, Any] = {
    "a": pa.int32(),
    "b": pa.int32(),
    "c": pa.int32(),
    "word": pa.string(),
    "price": pa.decimal128(6, 2),
    "day": pa.date32(),
    "size": pa.float64(),
}
SQL_TYPES = ("integer", "integer", "integer", "varchar(9)", "numeric(6,2)", "date", "double precision")

NUMBERS = st.integers(0, 3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys("abc", NUMBERS),
    "word": st.sampled_from(["", "a", "b", "B", "é"]),
    "price": NUMBERS.map(lambda n: Decimal(n) / 2),
    "day": NUMBERS.map(lambda n: datetime.date(2018, 1, 1 + n)),
    "size": NUMBERS.map(lambda n: n / 2),
}
ROWS = st.lists(st.tuples(*(VALUES[n] if n == "c" else st.none() | VALUES[n] for n in TYPES)), min_size=1, max_size=8)


@st.composite
def lookups(draw: st.DrawFn) -> Q:
    name = draw(st.sampled_from(list(TYPES)))
    value = VALUES[name]
    other = st.sampled_from([F(n) for n in "abc"]) if name in "abc" else st.just(F(name))
    compared = st.tuples(st.sampled_from(["exact", "gt", "gte", "lt", "lte"]), value | other)
    kind = draw(
        compared
        | st.tuples(st.just("in"), st.lists(value, min_size=1, max_size=3))
        | st.tuples(st.just("range"), st.tuples(value | other, value | other))
        | st.tuples(st.just("isnull"), st.booleans())
    )
    return Q(**{f"{name}__{kind[0]}": kind[1]})


def _combine(inner: st.SearchStrategy[Q]) -> st.SearchStrategy[Q]:
    pairs = st.tuples(inner, inner)
    return pairs.map(lambda two: two[0] & two[1]) | pairs.map(lambda two: two[0] | two[1]) | inner.map(lambda q: ~q)


CONDITIONS = st.recursive(lookups(), _combine, max_leaves=5)


def by_arrow(condition: Q, rows: list[tuple[Any, ...]]) -> list[bool]:
    """Tell which rows the compiled condition lets pass; unknown passes, as in a CHECK."""
    columns = zip(*rows, strict=True)
    table = pa.table({name: pa.array(column, TYPES[name]) for name, column in zip(TYPES, columns, strict=True)})
    verdicts = compile_condition(condition, MODEL, TYPES)(table).to_pylist()
    return [verdict is not False for verdict in verdicts]


def by_postgres(condition: Q, rows: list[tuple[Any, ...]]) -> list[bool]:
    """Ask PostgreSQL, by the SQL that Django would put into the constraint."""
    constraint: Any = models.CheckConstraint(condition=condition, name="asked")
    with connection.schema_editor(collect_sql=True) as editor:
        rule = constraint._get_check_sql(MODEL, editor)
    casts = ", ".join(f"%s::{kind}" for kind in SQL_TYPES)
    values = ", ".join([f"({casts})"] * len(rows))
    names = ", ".join(f'"{name}"' for name in TYPES)
    with connection.cursor() as cursor:
        parameters = [value for row in rows for value in row]
        shown = cursor.mogrify(values, parameters).decode()
        cursor.execute(f"select ({rule}) is not false from (values {shown}) as t ({names})")
        return [verdict for (verdict,) in cursor.fetchall()]


@given(condition=CONDITIONS, rows=ROWS)
@example(~Q(a=1), [(None, None, 0, None, None, None, None)])
@example(~(~Q(a=1)), [(None, None, 0, None, None, None, None)])
@example(~(~Q(a__gt=F("b"))), [(1, None, 0, None, None, None, None), (None, 1, 0, None, None, None, None)])
@example(~Q(a__in=[1]) & ~Q(b__isnull=True), [(None, 1, 0, None, None, None, None)])
@example(~(Q(a=1) | Q(b=1)), [(None, 1, 0, None, None, None, None), (1, None, 0, None, None, None, None)])
@example(Q(a=1) & Q(b=2), [(None, 1, 0, None, None, None, None), (1, None, 0, None, None, None, None)])
@QUICK
def test_a_compiled_condition_passes_the_rows_that_postgres_passes(
    db: None, condition: Q, rows: list[tuple[Any, ...]]
) -> None:
    assert by_arrow(condition, rows) == by_postgres(condition, rows)


@pytest.mark.parametrize("condition", [Q(a=None), ~Q(a=None), Q(a__exact=None)])
def test_equal_to_none_means_is_null_as_in_django(db: None, condition: Q) -> None:
    rows: list[tuple[Any, ...]] = [(None, 1, 1, None, None, None, None), (1, 1, 1, None, None, None, None)]
    assert by_arrow(condition, rows) == by_postgres(condition, rows)


@pytest.mark.parametrize(
    "condition",
    [
        Q(word__startswith="a"),
        Q(word__regex="a"),
        Q(word__iexact="a"),
        Q(day__year=2018),
        Q(day__year__gte=2018),
        Q(a__gt=F("b") + 1),
        Q(a__gt=Value(1) + Value(2)),
        Q(word=Lower("word")),
        Q(a=1) ^ Q(b=1),
        Q(id=1),
        Q(Lower("word")),
        Q(),
    ],
    ids=str,
)
def test_what_has_no_column_form_is_refused_and_named(condition: Q) -> None:
    with pytest.raises(Uncompilable) as refused:
        compile_condition(condition, MODEL, TYPES)
    assert str(refused.value)


def test_the_columns_of_a_condition_are_listed_in_the_models_order() -> None:
    condition = Q(day__isnull=True) | (~Q(b__gte=F("a")) & Q(price__range=(0, F("price"))))
    assert condition_columns(condition, MODEL) == ("a", "b", "price", "day")
