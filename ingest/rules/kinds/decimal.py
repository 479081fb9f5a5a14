"""Decimal numbers of fixed digits: ``numeric``, which no text reaches through a binary float."""

from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from core.arrow import Mask, Text
from ingest.rules.contract import Column
from ingest.rules.kinds.masks import Fault, masked, matches, only
from ingest.rules.kinds.numeric import explain_number, is_long, outside, within, without_leading_zeros

_DECIMAL = r"\A-?[0-9]+(?:\.[0-9]+)?\z"


def parse(text: Text, column: Column) -> tuple[Any, Mask]:
    """Return n decimals (NULL where refused) and the mask of those accepted."""
    text = _bare(text, column)
    ok = matches(text, _DECIMAL)
    for _, _, wrong in _misfits(text, column):
        ok = pc.and_(ok, pc.invert(wrong))
    numbers = only(text, ok).cast(column.arrow_type)
    return masked(numbers, within(numbers, column))


def explain(text: Text, column: Column) -> Iterator[Fault]:
    """Yield every reason for values that ``parse`` refused."""
    text = _bare(text, column)
    return explain_number(text, column, shape=_DECIMAL, sizes=_misfits(text, column), bounds=_bounds)


def _bare(text: Text, column: Column) -> Text:
    """Take idle zeros off both ends of numbers that are too long for a cast; the value stays."""
    if not is_long(text):
        return text
    text = without_leading_zeros(text)
    return pc.replace_substring_regex(text, rf"\A(-?[0-9]+\.[0-9]{{{column.decimal_places}}})0+\z", r"\1")


def _misfits(text: Text, column: Column) -> Iterator[tuple[str, str, Any]]:
    """Find numbers that ``numeric`` would round, or not hold."""
    places, digits = column.decimal_places or 0, column.max_digits or 0
    yield (
        "max_decimal_places",
        f"Ensure that there are no more than {places} decimal places.",
        matches(text, rf"\A-?[0-9]+\.[0-9]{{{places}}}[0-9]*[1-9]0*\z"),
    )
    yield (
        "max_digits",
        f"Ensure that there are no more than {digits} digits in total ({digits - places} before the point).",
        matches(text, rf"\A-?0*[1-9][0-9]{{{digits - places},}}(?:\.[0-9]*)?\z"),
    )


def _bounds(text: Text, plain: Mask, column: Column) -> tuple[Mask, Mask]:
    low, high, _ = outside(text, plain, column, column.arrow_type)
    return low & plain, high & plain
