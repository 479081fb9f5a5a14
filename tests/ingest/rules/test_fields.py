"""Fields: the wall clock that is never aware, rules that reach migrations, forms that agree."""

import datetime
from typing import Any

import pytest
from django import forms
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.migrations.state import ModelState, ProjectState
from django.test.utils import isolate_apps
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.rules import fields
from ingest.rules.fields import FieldRule, LocalDateTimeField
from ingest.rules.sources import sources

SKIPPED_BY_DST = datetime.datetime(2018, 11, 4)  # 00:00 to 00:59 did not exist in São Paulo on that day
REPEATED_BY_DST = datetime.datetime(2018, 2, 17, 23, 30)
PLACES = [
    pytest.param(source.model._meta.get_field(field.name), id=f"{source.table}-{field.name}")
    for source in sources()
    for field in source.model._meta.concrete_fields
    if isinstance(field, fields.RuleField)
]


@given(moment=st.datetimes() | st.sampled_from([SKIPPED_BY_DST, REPEATED_BY_DST]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_wall_clock_moment_comes_back_as_it_went_in(db: None, moment: datetime.datetime) -> None:
    field = LocalDateTimeField()
    prepared = field.get_db_prep_value(moment, connection)
    with connection.cursor() as cursor:
        cursor.execute("select %s::timestamp, %s::timestamp::text", [prepared, prepared])
        stored, shown = cursor.fetchone() or (None, "")
    assert stored == moment
    assert shown == moment.isoformat(sep=" ").rstrip("0" if moment.microsecond else "")
    assert field.to_python(moment.isoformat()) == moment
    assert field.formfield().clean(str(moment)) == moment


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_the_time_zone_of_the_moment_does_not_matter(db: None, zone: str) -> None:
    with timezone.override(zone), connection.cursor() as cursor:
        cursor.execute("select %s", [LocalDateTimeField().get_db_prep_value(SKIPPED_BY_DST, connection)])
        assert cursor.fetchone() == (SKIPPED_BY_DST,)


@pytest.mark.parametrize("value", [datetime.datetime(2018, 1, 1, tzinfo=datetime.UTC), "2018-01-01 00:00:00Z", "x", 5])
def test_an_aware_moment_and_what_is_none_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        LocalDateTimeField().to_python(value)
    assert refused.value.code == "invalid"


@pytest.mark.parametrize(
    "text", ["2018-01-01 00:00:00Z", "2018-01-01T00:00:00-03:00", "2018-02-30 00:00:00", "tomorrow"]
)
def test_the_form_refuses_what_is_no_wall_clock_moment(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        LocalDateTimeField().formfield().clean(text)


def test_the_form_takes_nothing_for_null_and_shows_a_moment_as_it_is_written() -> None:
    field = LocalDateTimeField(null=True, blank=True).formfield()
    assert field.clean("") is None
    assert field.prepare_value(SKIPPED_BY_DST) == "2018-11-04 00:00:00"


def test_a_fixture_keeps_the_wall_clock() -> None:
    order = next(source.model for source in sources() if source.table == "orders")
    row = order(pk="0" * 32, order_purchase_timestamp=SKIPPED_BY_DST)
    text = serializers.serialize("json", [row])
    restored: Any = next(serializers.deserialize("json", text)).object
    assert restored.order_purchase_timestamp == SKIPPED_BY_DST


@pytest.mark.parametrize("field", PLACES)
def test_a_field_is_rebuilt_from_its_deconstruction(field: "models.Field[Any, Any]") -> None:
    """What a migration writes gives the same column with the same rule."""
    _, path, args, kwargs = field.deconstruct()
    assert path.rsplit(".", 1)[1] == type(field).__name__
    again = type(field)(*args, **kwargs)
    assert again.deconstruct()[1:] == (path, args, kwargs)
    assert again.db_type(connection) == field.db_type(connection)


@pytest.mark.parametrize("field", PLACES)
def test_each_field_adds_its_rule_to_its_model_by_name(field: "models.Field[Any, Any]") -> None:
    rules = {c.name for c in field.model._meta.constraints if isinstance(c, FieldRule)}
    assert any(str(name).startswith(f"{field.model._meta.db_table}_{field.column}"[:55]) for name in rules)
    assert all(len(str(name).encode()) <= fields.MAX_IDENTIFIER_BYTES for name in rules)


def test_a_changed_rule_is_a_change_for_makemigrations() -> None:
    def state_of(largest: int) -> ModelState:
        with isolate_apps("ingest"):

            class Thing(models.Model):
                score = fields.IntegerField(min_value=1, max_value=largest)

                class Meta:
                    app_label = "ingest"

                def __str__(self) -> str:
                    return str(self.pk)

            return ModelState.from_model(Thing)

    assert state_of(5) == state_of(5)
    assert state_of(5).options["constraints"] != state_of(6).options["constraints"]


def test_a_historical_model_has_each_rule_once() -> None:
    for source in sources():
        state = ProjectState()
        state.add_model(ModelState.from_model(source.model, exclude_rels=True))
        historical = state.apps.get_model(source.model._meta.app_label, source.model.__name__)
        names = [constraint.name for constraint in historical._meta.constraints]
        assert sorted(names) == sorted(set(names))
        assert set(names) == {constraint.name for constraint in source.model._meta.constraints}


@pytest.mark.parametrize("field", PLACES)
def test_null_is_refused_by_the_field_where_the_column_refuses_it(field: "models.Field[Any, Any]") -> None:
    if field.null:
        assert field.clean(None, None) is None
    else:
        with pytest.raises(ValidationError):
            field.clean(None, None)


def test_no_text_key_has_a_second_index_for_like(db: None) -> None:
    tables = [source.contract.db_table for source in sources()]
    with connection.cursor() as cursor:
        cursor.execute(
            "select indexname from pg_indexes where tablename = any(%s) and indexname like '%%\\_like'", [tables]
        )
        assert cursor.fetchall() == []


def test_a_rule_field_that_states_no_rule_is_a_programming_error() -> None:
    with isolate_apps("ingest"), pytest.raises(TypeError, match="states no rule"):
        type(
            "Thing",
            (models.Model,),
            {
                "__module__": __name__,
                "Meta": type("Meta", (), {"app_label": "ingest"}),
                "bare": fields.RuleField(),
            },
        )
