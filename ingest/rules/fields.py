"""Model fields that carry their whole rule: how a value is normalised, what is allowed, and the same as a CHECK.

The rule stands once, in the field. The Contract reads it there to check columns; Django's validators are derived from
it for forms and DRF; and each field adds a named ``CheckConstraint`` of the same rule to its model, so that PostgreSQL
refuses what the Contract refuses (the unnormalised form too) and a changed rule shows up in ``makemigrations``.
"""

import datetime
import re
from decimal import Decimal
from functools import cached_property
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, ClassVar
from unicodedata import is_normalized

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import truncate_name

from ingest.rules import form_fields, patterns
from ingest.rules.invisible import INVISIBLE
from ingest.rules.normalise import COMPOSE, INTEGRAL, LOWER, MOMENT, TRIM, Step, local_time

_INNER = f"[^\x01-\x1f\x7f-\x9f\u2028\u2029{INVISIBLE}]"
_OUTER = f"[^\x01-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000{INVISIBLE}]"
ONE_LINE = f"{_OUTER}(?:{_INNER}*{_OUTER})?"
MAX_IDENTIFIER_BYTES = 63  # PostgreSQL's bound for a constraint's name

FIRST_MOMENT = datetime.datetime(1, 1, 1)
LAST_MOMENT = datetime.datetime.max

type Validators = list[Any]

if TYPE_CHECKING:  # Django's fields are generic for the type checker only
    _Field = models.Field[Any, Any]
    _CharField = models.CharField[Any, Any]
    _IntegerField = models.IntegerField[Any, Any]
    _DecimalField = models.DecimalField[Any, Any]
    _FloatField = models.FloatField[Any, Any]
else:
    _Field, _CharField, _IntegerField = models.Field, models.CharField, models.IntegerField
    _DecimalField, _FloatField = models.DecimalField, models.FloatField


def must_be_composed(value: str) -> None:
    """Refuse text that is not in Unicode's composed form: it would look like another value and not be equal to it."""
    if not is_normalized("NFC", value):
        raise ValidationError("Enter the text in Unicode's composed form (NFC).", code="invalid")


class IsNormalised(models.Func):
    """The text is in Unicode's composed form (NFC); all ASCII is, which costs a quarter to see."""

    template = "(octet_length(%(expressions)s) = char_length(%(expressions)s) OR %(expressions)s IS NFC NORMALIZED)"
    output_field = models.BooleanField()
    arity = 1


class IsWide(models.Func):
    """The text has ``width`` bytes."""

    template = "octet_length(%(expressions)s) = %(width)s"
    output_field = models.BooleanField()
    arity = 1


class FieldRule(models.CheckConstraint):
    """A field's own rule as a constraint; the Contract judges it by the field, with the field's codes."""


class RuleField(_Field):
    """A field whose rule PostgreSQL enforces.

    ``normalise``: the steps that may repair a value, in order. ``example``: a value that the rule accepts, as JSON
    writes it, where choices, bounds and length alone do not give one.
    """

    normalise: tuple[Step, ...] = (TRIM,)
    example: Any = None

    def rule(self) -> models.Q:
        """State what every stored value keeps, for use in a CHECK."""
        raise TypeError(f"{type(self).__name__} states no rule")

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:  # noqa: FBT001,FBT002 - Django's signature
        """Add the rule to the model's constraints (a migration's historical model has its own already)."""
        super().contribute_to_class(cls, name, private_only)
        rule = self.rule()
        if cls.__module__ == "__fake__" or cls._meta.abstract or not rule:
            return
        constraint = FieldRule(
            condition=rule, name=truncate_name(f"{cls._meta.db_table}_{self.column}_rule", MAX_IDENTIFIER_BYTES)
        )
        cls._meta.constraints = [*cls._meta.constraints, constraint]
        cls._meta.original_attrs.setdefault("constraints", cls._meta.constraints)  # else migrations do not see them


class _TextField(RuleField, _CharField):
    """Text of at most ``max_length`` characters."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        # Spelled out, because Django gives a key whose type begins with "varchar" a second index for LIKE, which
        # nobody here uses and which doubles the cost of a load.
        return f"character varying({self.max_length})"


class PatternField(_TextField):
    """Text that matches ``pattern`` as a whole (in the subset of ``ingest.rules.patterns``), as ``example`` does."""

    pattern: str
    message: str
    width: int | None = None  # characters, where every value has the same number

    def rule(self) -> models.Q:
        return models.Q(**{f"{self.name}__regex": patterns.postgres(self.pattern)})

    @cached_property
    def validators(self) -> Validators:
        return [*super().validators, RegexValidator(patterns.python(self.pattern), self.message)]


class CodeField(PatternField):
    """Text of ``width`` characters, all of the ASCII class ``alphabet`` (such as ``[0-9]``)."""

    alphabet: str
    width: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_length": self.width})

    @property
    def pattern(self) -> str:  # type: ignore[override]  # follows from the other two
        """The rule as one pattern."""
        return f"{self.alphabet}{{{self.width}}}"

    @property
    def example(self) -> str | None:
        """The characters of the alphabet in turn; None where it is no class (a system check says so)."""
        if patterns.problem(self.alphabet):
            return None
        letters = [letter for letter in map(chr, range(ord("!"), ord("~") + 1)) if re.fullmatch(self.alphabet, letter)]
        return "".join(islice(cycle(letters), self.width)) or None

    def rule(self) -> models.Q:
        # PostgreSQL builds a counted repeat anew for every value: length and class apart cost a sixth of it.
        return models.Q(IsWide(models.F(self.name), width=self.width)) & models.Q(
            **{f"{self.name}__regex": patterns.postgres(f"{self.alphabet}+")}
        )


class HexIdField(CodeField):
    """An id of 32 lower-case hexadecimal digits."""

    alphabet = "[0-9a-f]"
    width = 32
    message = "Enter 32 hexadecimal digits (0-9, a-f)."
    normalise = (TRIM, LOWER)


class LineField(PatternField):
    """One line of text: no white space at its ends, no control or invisible characters, in Unicode's composed form."""

    pattern = ONE_LINE
    message = "Enter one line of text without control or invisible characters."
    normalise = (TRIM, COMPOSE)
    example = "example"

    def rule(self) -> models.Q:
        return super().rule() & models.Q(IsNormalised(models.F(self.name)))

    @cached_property
    def validators(self) -> Validators:
        return [*super().validators, must_be_composed]


class ProseField(_TextField):
    """Free text, kept to the letter (line breaks and outer white space too), in Unicode's composed form (NFC)."""

    normalise = (COMPOSE,)
    example = "An example in free words."

    def rule(self) -> models.Q:
        return ~models.Q(**{self.name: ""}) & models.Q(IsNormalised(models.F(self.name)))

    @cached_property
    def validators(self) -> Validators:
        return [*super().validators, must_be_composed]


class ChoiceField(_TextField):
    """One of ``choices``. PostgreSQL compares with one after the other, so the frequent ones should come first."""

    @property
    def width(self) -> int | None:
        """Characters of every choice, where they are equally long."""
        lengths = {len(value) for value, _ in self.flatchoices}
        return lengths.pop() if len(lengths) == 1 else None

    def rule(self) -> models.Q:
        return models.Q(**{f"{self.name}__in": [value for value, _ in self.flatchoices]})


class _BoundedField(RuleField):
    """A number between two ends; both are needed, since ``>= 0`` alone lets NaN in."""

    def __init__(self, *args: Any, min_value: Any = None, max_value: Any = None, **kwargs: Any) -> None:
        self.min_value, self.max_value = min_value, max_value
        # First, since Django then leaves out the bounds of the column type, and DRF looks at the first ones only.
        bounds: Validators = [] if min_value is None else [MinValueValidator(min_value)]
        bounds += [] if max_value is None else [MaxValueValidator(max_value)]
        super().__init__(*args, **{**kwargs, "validators": [*bounds, *kwargs.get("validators", ())]})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        bounds = {"min_value": self.min_value, "max_value": self.max_value}
        kwargs.pop("validators", None)
        return name, path, args, {**kwargs, **{key: value for key, value in bounds.items() if value is not None}}

    def rule(self) -> models.Q:
        ends = {"gte": self.min_value, "lte": self.max_value}
        bounds = {key: value for key, value in ends.items() if value is not None}
        if len(bounds) == len(ends):
            return models.Q(**{f"{self.name}__range": (self.min_value, self.max_value)})
        return models.Q(**{f"{self.name}__{key}": value for key, value in bounds.items()})


class IntegerField(_BoundedField, _IntegerField):
    """A whole number; without bounds, those of PostgreSQL's ``integer``."""

    normalise = (TRIM, INTEGRAL)


class DecimalField(_BoundedField, _DecimalField):
    """An exact number: ``numeric(max_digits, decimal_places)``, by default from 0 to the largest that fits."""

    def __init__(self, *args: Any, max_digits: int, decimal_places: int, **kwargs: Any) -> None:
        largest = Decimal(10) ** (max_digits - decimal_places) - Decimal(1).scaleb(-decimal_places)
        kwargs = {"min_value": Decimal(0), "max_value": largest} | kwargs
        super().__init__(*args, max_digits=max_digits, decimal_places=decimal_places, **kwargs)


class FloatField(_BoundedField, _FloatField):
    """A finite ``double precision`` between ``min_value`` and ``max_value``."""

    def __init__(self, *args: Any, min_value: float, max_value: float, **kwargs: Any) -> None:
        super().__init__(*args, min_value=min_value, max_value=max_value, **kwargs)


class LocalDateTimeField(RuleField):
    """A moment on the wall clock, without a zone, stored as ``timestamp without time zone`` and never aware.

    Not a ``DateTimeField``: that one converts to instants, and the published data has an hour that the end of DST
    repeats and midnights that its start skipped.
    """

    description = "Date and time of the wall clock, without a zone"
    empty_strings_allowed = False
    zone: ClassVar[str | None] = None  # whose wall clock; a subclass that names one takes values with an offset

    @property
    def normalise(self) -> tuple[Step, ...]:  # type: ignore[override]  # depends on the zone
        """Trim and spell; and where a zone is named, turn an offset into its wall-clock time."""
        return (TRIM, MOMENT, local_time(self.zone)) if self.zone else (TRIM, MOMENT)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "timestamp without time zone"

    def rule(self) -> models.Q:
        return models.Q(**{f"{self.name}__range": (FIRST_MOMENT, LAST_MOMENT)})  # leaves out infinity and year 10000

    def to_python(self, value: Any) -> datetime.datetime | None:
        """Take a naive ``datetime`` or its ISO text; refuse an aware one."""
        if isinstance(value, str):
            try:
                value = datetime.datetime.fromisoformat(value)
            except ValueError as error:
                raise ValidationError(form_fields.INVALID_MOMENT, code="invalid", params={"value": value}) from error
        if value is None or (isinstance(value, datetime.datetime) and value.tzinfo is None):
            return value
        raise ValidationError(form_fields.INVALID_MOMENT, code="invalid", params={"value": value})

    def get_prep_value(self, value: Any) -> datetime.datetime | None:
        return self.to_python(super().get_prep_value(value))

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else value.isoformat(sep=" ")

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": form_fields.LocalDateTimeFormField, **kwargs})
