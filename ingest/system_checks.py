"""System checks: a rule that the pipeline cannot keep stops the start, with a hint; it is never skipped."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.validators import (
    DecimalValidator,
    MaxLengthValidator,
    ProhibitNullCharactersValidator,
)
from django.db import models

from ingest.processing.records import Records
from ingest.rules import fields, patterns
from ingest.rules.conditions import Uncompilable
from ingest.rules.contract import Contract, compile_contract
from ingest.rules.examples import example_record
from ingest.rules.sources import Source, sources

_SETTING_HINT = "DATAFORGE_SOURCES must name a tuple of ingest.rules.sources.Source, parents first."
_COMPILE_HINT = (
    "A CheckConstraint may use and, or, not; exact, gt, gte, lt, lte, in, range, isnull; F() and plain values. Fields "
    "are those of ingest.rules.fields, or Django's Char, Text, Integer, Decimal and FloatField. Write the rule in "
    "these terms, or move it out of the model."
)
_ENFORCE_HINT = "Use the field of ingest.rules.fields that carries this rule; it adds the constraint to PostgreSQL too."
_EXAMPLE_HINT = (
    "Give the field a class of its own with an `example` that its rule accepts beside the other columns' examples: "
    "all moments are alike and numbers are 1, or the bound next to it."
)
# Django's own, whose limits PostgreSQL's column types enforce
_ENFORCED_BY_TYPE = (DecimalValidator, MaxLengthValidator, ProhibitNullCharactersValidator)


@register()
def check_sources(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Check every Source: its place in the order, and that all rules of its model can be kept on columns."""
    try:
        listed = sources()
    except (ImportError, TypeError) as error:
        return [Error(f"DATAFORGE_SOURCES cannot be used: {error}", hint=_SETTING_HINT, id="ingest.E001")]
    if not all(isinstance(source, Source) for source in listed):
        return [Error("DATAFORGE_SOURCES names something that is no Source.", hint=_SETTING_HINT, id="ingest.E001")]
    messages = list(_check_order(listed))
    tables = {source.model: source.table for source in listed}
    for source in listed:
        problems = list(_check_fields(source.model))
        messages.extend(problems)
        try:
            contract = compile_contract(source.model, tables)
        except Uncompilable as error:
            messages.append(
                Error(
                    f"A rule of {source.table} cannot be checked on columns: {error}.",
                    hint=_COMPILE_HINT,
                    obj=source.model,
                    id="ingest.E002",
                )
            )
        else:
            messages.extend(_check_adoption(source, {reference.column for reference in contract.references}))
            if not problems:
                messages.extend(_check_example(contract))
    return messages


def _check_order(listed: Sequence[Source]) -> Iterator[CheckMessage]:
    seen: set[type[models.Model]] = set()
    names: set[str] = set()
    for source in listed:
        if source.table in names or source.model in seen:
            yield Error(f"{source.table} is named twice.", hint=_SETTING_HINT, obj=source.model, id="ingest.E001")
        for field in source.model._meta.concrete_fields:
            parent = field.related_model
            if isinstance(field, models.ForeignKey) and parent is not None and parent not in seen:
                problem = "itself" if parent is source.model else f"{parent.__name__}, which does not come before it"
                yield Error(f"{source.table} refers to {problem}.", hint=_SETTING_HINT, obj=field, id="ingest.E001")
        seen.add(source.model)
        names.add(source.table)


def _check_fields(model: type[models.Model]) -> Iterator[CheckMessage]:
    if model.clean is not models.Model.clean:
        yield Error(
            f"{model.__name__}.clean() holds a rule that neither PostgreSQL nor the pipeline can see.",
            hint=_COMPILE_HINT,
            obj=model,
            id="ingest.E003",
        )
    for field in model._meta.concrete_fields:
        pattern = getattr(field, "pattern", None)
        if pattern is not None and (problem := patterns.problem(pattern)):
            hint = "Keep to explicit classes, counted repeats and groups: `[0-9]{5}`, `(?:a|b)`."
            yield Error(
                f"The pattern {pattern!r} does not mean the same everywhere: {problem}.",
                hint=hint,
                obj=field,
                id="ingest.E004",
            )
        elif isinstance(field, fields.PatternField) and field.example is None:
            yield Error(
                f"The pattern {pattern!r} alone gives no example of a value.",
                hint="Give the field's class an `example`: a text that the pattern matches.",
                obj=field,
                id="ingest.E007",
            )
        if not isinstance(field, fields.RuleField) and (rule := _unenforced(field)):
            yield Error(
                f"{rule} is a rule that PostgreSQL does not enforce.", hint=_ENFORCE_HINT, obj=field, id="ingest.E005"
            )


def _unenforced(field: "models.Field[Any, Any]") -> str | None:
    """Name a rule of a field of Django's own that its column type does not imply."""
    if field.choices:
        return "choices"
    own = field.deconstruct()[3].get("validators", ())  # without those that Django derives from the column type
    for validator in own:
        if not isinstance(validator, _ENFORCED_BY_TYPE):
            return type(validator).__name__
    if isinstance(field, models.FloatField):
        return "a FloatField's being finite"
    return None


def _check_example(contract: Contract) -> Iterator[CheckMessage]:
    """Try the example that the contract publishes on the contract itself."""
    from ingest.processing.process import process  # what a mere start does not need

    texts = {name: pa.array([str(value)]) for name, value in example_record(contract).items()}
    record = Records(columns=pa.table(texts), position=pa.array([1]), raw=pa.array([b""]))
    for reason in process(record, contract).reasons.to_pylist():
        yield Error(
            f"{contract.table} would publish an example that it refuses: {reason['field']} {reason['value']!r}: "
            f"{reason['message']}",
            hint=_EXAMPLE_HINT,
            obj=contract.model,
            id="ingest.E008",
        )


def _check_adoption(source: Source, references: set[str]) -> Iterator[CheckMessage]:
    for column in source.adds_parents:
        if column not in references:
            yield Error(
                f"{source.table} adds parents by {column}, which is no foreign key.",
                hint="Name the columns of foreign keys in adds_parents, as the file's header does.",
                obj=source.model,
                id="ingest.E006",
            )
            continue
        field = next(field for field in source.model._meta.concrete_fields if field.column == column)
        required = [
            other.name
            for other in (field.related_model or source.model)._meta.concrete_fields
            if not other.null and not other.primary_key
        ]
        if required:
            yield Error(
                f"{source.table} adds parents by {column}, but a placeholder would lack {', '.join(required)}.",
                hint="A placeholder is a key and NULLs: make the other columns nullable, or do not add parents.",
                obj=source.model,
                id="ingest.E006",
            )
