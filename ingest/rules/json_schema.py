"""What a table's contract publishes to the outside world: JSON Schema (2020-12) of one record, from the rules alone.

It describes the canonical form and never refuses a value that ``process`` takes as it stands. It is wider than
``process`` where JSON Schema has no words: bounds and places of a number between them, 29 February, Unicode's composed
form, rules between columns, references.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import models

from ingest.rules import patterns
from ingest.rules.contract import Column, Contract
from ingest.rules.examples import example_record, example_value
from ingest.rules.in_words import rules_in_words
from ingest.rules.kinds import timestamp
from ingest.rules.kinds.float import FLOAT_TEXT

type Keywords = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
CANONICAL_FORM = (
    "This is the canonical form of a record. Values are judged by their exact text, so a number may also be sent as "
    "text. A value that its rule refuses is normalised first, by the steps in x-normalised-by, and judged again: more "
    "than this schema is accepted, and each change is counted as a repair. Where null is allowed, an empty text and a "
    "member left out mean null, in an update (on_conflict) too, which writes whole records."
)
_NO_NUL = r"^[^\x00]*$"  # PostgreSQL holds none, and no pattern of its own can say so


def json_schema(contract: Contract) -> Keywords:
    """Return the JSON Schema of one record, ready for ``json.dumps``."""
    words = rules_in_words(contract)
    return {
        "$schema": DIALECT,
        "title": contract.table,
        "description": " ".join(filter(None, [_purpose(contract.model), CANONICAL_FORM, *words.checks.values()])),
        "type": "object",
        "properties": {column.name: _property(column, words.columns[column.name]) for column in contract.columns},
        "required": [column.name for column in contract.columns if not column.null],
        "additionalProperties": False,
        "examples": [example_record(contract)],
        "x-natural-key": list(contract.natural_key),
        "x-references": {reference.column: reference.table for reference in contract.references},
        "x-checks": [
            {"name": check.name, "message": check.message, "columns": list(check.columns)}
            for check in contract.row_checks
        ],
        "x-contract-version": contract.version,
    }


def _purpose(model: type[models.Model]) -> str:
    """Return the first line of the model's docstring, unless it is the list of fields that Django puts there."""
    first, *_ = (model.__doc__ or "").strip().splitlines() or [""]
    return "" if first.startswith(f"{model.__name__}(") else first


def _property(column: Column, words: str) -> Keywords:
    keywords = _KEYWORDS[column.kind](column)
    if column.null:
        keywords["type"] = [*([keywords["type"]] if isinstance(keywords["type"], str) else keywords["type"]), "null"]
    return keywords | {
        "description": f"{column.help_text} {words}".strip(),
        "examples": [example_value(column)],
        "x-normalised-by": [step.name for step in column.normalise],
    }


def _pattern(body: str, column: Column) -> str:
    """Return the pattern of a text; where it may be NULL, an empty one is NULL."""
    return patterns.postgres(f"(?:{body})?" if column.null else body)


def _text(column: Column) -> Keywords:
    if column.choices:
        return {"type": "string", "enum": [*column.choices, *(["", None] if column.null else [])]}
    keywords: Keywords = {"type": "string"}
    rules = [] if column.pattern is None else [_pattern(column.pattern, column)]
    if column.width is None:  # texts of fixed width are ASCII, as judging has it
        rules.append(_NO_NUL)
    if column.pattern is None and not column.null:
        keywords["minLength"] = 1
    if column.max_length is not None:
        keywords["maxLength"] = column.max_length
    keywords["pattern"], *others = rules
    return keywords | ({"allOf": [{"pattern": other} for other in others]} if others else {})


def _moment(column: Column) -> Keywords:
    # No `format`: JSON Schema's date-time has a zone.
    return {"type": "string", "pattern": _pattern(timestamp.CALENDAR, column)}


def _integer(column: Column) -> Keywords:
    digits = len(str(max(abs(column.min_value), abs(column.max_value))))
    text = _signed(f"0*[0-9]{{1,{digits}}}", "0+", column)
    return {"type": ["integer", "string"], **_bounds(column), "pattern": _pattern(text, column)}


def _decimal(column: Column) -> Keywords:
    # No `multipleOf`: validators reckon in binary floats, to which 0.07 is no multiple of 0.01.
    places = column.decimal_places or 0
    whole = (column.max_digits or 0) - places
    digits = f"0*[0-9]{{1,{whole}}}" if whole else "0+"
    fraction = rf"(?:\.[0-9]{{1,{places}}}0*)?" if places else r"(?:\.0+)?"
    text = _signed(digits + fraction, r"0+(?:\.0+)?", column)
    return {"type": ["number", "string"], **_bounds(column), "pattern": _pattern(text, column)}


def _float(column: Column) -> Keywords:
    return {"type": ["number", "string"], **_bounds(column), "pattern": _pattern(FLOAT_TEXT, column)}


def _signed(digits: str, zero: str, column: Column) -> str:
    """Allow a sign where numbers may be negative; elsewhere only before a zero, which is the same zero."""
    return f"-?{digits}" if column.min_value < 0 else f"(?:{digits}|-{zero})"


def _bounds(column: Column) -> Keywords:
    bounds = {"minimum": column.min_value, "maximum": column.max_value}
    return {name: _json_number(bound) for name, bound in bounds.items() if _json_number(bound) is not None}


def _json_number(bound: Any) -> float | None:
    """Write a bound as JSON; None where no float is exactly it: one rounded inwards would refuse good values."""
    if isinstance(bound, Decimal):
        number = int(bound) if bound == int(bound) else float(bound)
        return number if Decimal(repr(number)) == bound else None
    return bound


_KEYWORDS: dict[str, Callable[[Column], Keywords]] = {
    "text": _text,
    "moment": _moment,
    "integer": _integer,
    "decimal": _decimal,
    "float": _float,
}
