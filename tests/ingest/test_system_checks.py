"""System checks: each rule that could not be kept stops the start, with a hint that says what to do."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.apps.registry import Apps
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.test.utils import isolate_apps

from ingest.rules import fields
from ingest.rules import sources as sources_module
from ingest.rules.sources import Source, sources
from ingest.system_checks import check_sources


@pytest.fixture(autouse=True)
def registry() -> Iterator[Apps | None]:
    """Models of a test stay in it."""
    with isolate_apps("ingest") as apps:
        yield apps


@pytest.fixture
def forget() -> Iterator[None]:
    """Drop what the setting named before, and after."""
    caches = (sources_module.sources, sources_module._contracts)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def model(name: str = "Thing", *, meta: dict[str, Any] | None = None, **attributes: Any) -> type[models.Model]:
    declared = {"key": fields.HexIdField(primary_key=True), **attributes}
    options = type("Meta", (), {"app_label": "ingest", **(meta or {})})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": options, **declared})


def found(monkeypatch: pytest.MonkeyPatch, *named: Any) -> list[CheckMessage]:
    monkeypatch.setattr("ingest.system_checks.sources", lambda: named)
    return check_sources(None)


def ids(messages: Sequence[CheckMessage]) -> list[str | None]:
    assert all(message.hint for message in messages), "a check without a hint"
    return [message.id for message in messages]


def thing(*, adds: tuple[str, ...] = (), **attributes: Any) -> Source:
    return Source("things", "things.csv", model(**attributes), adds_parents=adds)


def test_the_dataset_itself_has_no_complaint(db: None) -> None:
    assert [message for message in run_checks() if str(message.id).startswith("ingest.")] == []
    assert sources()


@pytest.mark.parametrize("named", ["no.such.module", "olist.sources.NOTHING", "no_dots", "olist.sources.__name__"])
def test_a_setting_that_names_nothing_usable_is_e001(forget: None, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setattr(settings, "DATAFORGE_SOURCES", named)
    assert ids(check_sources(None)) == ["ingest.E001"]


def test_something_that_is_no_source_is_e001(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(found(monkeypatch, "things")) == ["ingest.E001"]


def test_a_source_named_twice_is_e001(monkeypatch: pytest.MonkeyPatch) -> None:
    one = thing()
    assert ids(found(monkeypatch, one, one)) == ["ingest.E001"]
    assert ids(found(monkeypatch, one, Source("things", "b.csv", model("Other")))) == ["ingest.E001"]


def test_a_child_before_its_parent_is_e001(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = model("Parent")
    child = thing(parent=models.ForeignKey(parent, on_delete=models.CASCADE))
    messages = found(monkeypatch, child, Source("parents", "parents.csv", parent))
    assert ids(messages) == ["ingest.E001"]
    assert "Parent" in messages[0].msg
    assert found(monkeypatch, Source("parents", "parents.csv", parent), child) == []


def test_a_reference_to_itself_is_e001(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ingest.E001" in ids(
        found(monkeypatch, thing(up=models.ForeignKey("self", on_delete=models.CASCADE, null=True)))
    )


@pytest.mark.parametrize(
    "constraint",
    [
        models.CheckConstraint(condition=Q(key__startswith="a"), name="starts"),
        models.UniqueConstraint(fields=["key"], condition=Q(key__gt="a"), name="conditional"),
    ],
    ids=lambda constraint: constraint.name,
)
def test_a_constraint_that_cannot_be_compiled_is_e002(
    monkeypatch: pytest.MonkeyPatch, constraint: models.BaseConstraint
) -> None:
    source = Source("things", "things.csv", model(meta={"constraints": [constraint]}))
    assert ids(found(monkeypatch, source)) == ["ingest.E002"]


def test_a_field_without_a_column_rule_is_e002(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = found(monkeypatch, thing(data=models.JSONField()))
    assert ids(messages) == ["ingest.E002"]
    assert "data" in messages[0].msg


def test_a_rule_in_clean_is_e003(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(found(monkeypatch, thing(clean=lambda self: None))) == ["ingest.E003"]


def test_a_pattern_outside_the_common_subset_is_e004(monkeypatch: pytest.MonkeyPatch) -> None:
    class DigitsField(fields.PatternField):
        pattern = r"\d+"
        message = "Digits."

    messages = found(monkeypatch, thing(digits=DigitsField(max_length=5)))
    assert ids(messages) == ["ingest.E004"]
    assert r"\\d+" in messages[0].msg


def test_a_pattern_that_gives_no_example_is_e007(monkeypatch: pytest.MonkeyPatch) -> None:
    class PlateField(fields.PatternField):
        pattern = "[A-Z]{3}[0-9]{4}"
        message = "Three letters and four digits."

    class KnownPlateField(PlateField):
        example = "ABC1234"

    messages = found(monkeypatch, thing(plate=PlateField(max_length=7)))
    assert ids(messages) == ["ingest.E007"]
    assert "[A-Z]{3}" in messages[0].msg
    known = Source("things", "things.csv", model("Known", plate=KnownPlateField(max_length=7)))
    assert found(monkeypatch, known) == []


def test_a_code_has_an_example_unless_its_alphabet_has_no_visible_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    class CapitalsField(fields.CodeField):
        alphabet, width, message = "[A-C]", 5, "Five capitals."

    class SpacesField(fields.CodeField):
        alphabet, width, message = "[ ]", 2, "Two spaces."

    assert CapitalsField().example == "ABCAB"
    assert ids(found(monkeypatch, thing(code=SpacesField()))) == ["ingest.E007"]


def test_an_example_that_its_own_pattern_refuses_is_e008(monkeypatch: pytest.MonkeyPatch) -> None:
    class PlateField(fields.PatternField):
        pattern, message, example = "[A-Z]{3}", "Three letters.", "abc"

    messages = found(monkeypatch, thing(plate=PlateField(max_length=7)))
    assert ids(messages) == ["ingest.E008"]
    assert "things would publish an example that it refuses: plate 'abc': Three letters." in messages[0].msg


def test_an_example_that_breaks_a_rule_between_columns_is_e008_until_a_field_names_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class LaterField(fields.LocalDateTimeField):
        example = "2018-02-01 12:00:00"

    def lasting(name: str, end: fields.LocalDateTimeField) -> Source:
        rule = models.CheckConstraint(name="lasts", condition=Q(start__lt=models.F("end")))
        moments = {"start": fields.LocalDateTimeField(), "end": end}
        return Source("things", "a.csv", model(name, meta={"constraints": [rule]}, **moments))

    messages = found(monkeypatch, lasting("Alike", fields.LocalDateTimeField()))
    assert ids(messages) == ["ingest.E008"]
    assert "end" in messages[0].msg
    assert found(monkeypatch, lasting("Later", LaterField())) == []


@pytest.mark.parametrize(
    "field",
    [
        models.CharField(max_length=5, choices=[("a", "A")]),
        models.CharField(max_length=5, validators=[RegexValidator("^a")]),
        models.IntegerField(validators=[lambda value: None]),
        models.FloatField(),
    ],
    ids=["choices", "pattern", "own", "float"],
)
def test_a_rule_that_postgres_does_not_enforce_is_e005(monkeypatch: pytest.MonkeyPatch, field: Any) -> None:
    assert ids(found(monkeypatch, thing(value=field))) == ["ingest.E005"]


def test_fields_of_django_whose_type_is_the_rule_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    plain: dict[str, Any] = {
        "text": models.TextField(),
        "word": models.CharField(max_length=5),
        "number": models.BigIntegerField(),
        "small": models.SmallIntegerField(null=True),
        "amount": models.DecimalField(max_digits=5, decimal_places=2),
    }
    assert found(monkeypatch, thing(**plain)) == []


@pytest.mark.parametrize("adds", ["score", "no_such_column"])
def test_parents_that_are_added_by_what_is_no_reference_are_e006(monkeypatch: pytest.MonkeyPatch, adds: str) -> None:
    assert ids(found(monkeypatch, thing(adds=(adds,), score=fields.IntegerField()))) == ["ingest.E006"]


def test_a_placeholder_that_its_own_rules_refuse_is_e006(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = model("Parent", title=fields.LineField(max_length=9))
    child = thing(adds=("parent_id",), parent=models.ForeignKey(parent, on_delete=models.CASCADE))
    messages = found(monkeypatch, Source("parents", "parents.csv", parent), child)
    assert ids(messages) == ["ingest.E006"]
    assert "title" in messages[0].msg
