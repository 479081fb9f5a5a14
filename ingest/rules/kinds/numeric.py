"""What the kinds of numbers share: bounds with two ends, idle zeros, and why a number is refused."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Mask, Text, bools, certain, mask_of
from ingest.rules.contract import Column
from ingest.rules.kinds.masks import Fault, matches

SAFE_DIGITS = 18  # any number of so many digits fits int64

type Bounds = Callable[[Text, Mask, Column], tuple[Mask, Mask]]  # which well-formed numbers are too low, and too high


def within(values: Any, column: Column) -> Any:
    """Return the mask of the numbers between the column's ends; NULL and NaN are not."""
    low = pc.greater_equal(values, pa.scalar(column.min_value, values.type))
    return certain(pc.and_(low, pc.less_equal(values, pa.scalar(column.max_value, values.type))))


def is_long(text: Text) -> bool:
    """Say whether a number is so long that a cast could fail for its idle zeros alone."""
    return (pc.max(pc.binary_length(text)).as_py() or 0) > SAFE_DIGITS


def without_leading_zeros(text: Text) -> Text:
    """Take idle zeros off the front of numbers; the value stays."""
    return pc.replace_substring_regex(text, r"\A(-?)0+([0-9])", r"\1\2")


def explain_number(
    text: Text, column: Column, *, shape: str, sizes: Iterable[tuple[str, str, Any]] = (), bounds: Bounds
) -> Iterator[Fault]:
    """Yield every reason for numbers that were refused.

    ``shape``: what is written like a number; ``sizes``: codes, messages and masks of misfits. A number too long for its
    type has that reason; of its bounds only the sign can still be wrong.
    """
    plain = mask_of(matches(text, shape))
    sized = plain.copy()
    for code, message, wrong in sizes:
        misfit = mask_of(wrong) & plain
        sized &= ~misfit
        if misfit.any():
            yield code, message, misfit
    low, high = bounds(text, sized, column)
    if column.min_value >= 0:
        low |= plain & ~sized & mask_of(matches(text, r"\A-.*[1-9]"))
    if low.any():
        yield "min_value", f"Ensure this value is greater than or equal to {column.min_value}.", low
    if high.any():
        yield "max_value", f"Ensure this value is less than or equal to {column.max_value}.", high
    invalid = ~plain | (sized & ~low & ~high)  # well formed, sized and within bounds: not finite, or lost to underflow
    if invalid.any():
        yield "invalid", column.message, invalid


def outside(text: Text, plain: Mask, column: Column, kind: Any) -> tuple[Mask, Mask, Any]:
    """Return which well-formed numbers are below and above their bounds, and the numbers, of type ``kind``."""
    numbers = pc.if_else(bools(plain), text, None).cast(kind)
    low = mask_of(pc.less(numbers, pa.scalar(column.min_value, kind)))
    high = mask_of(pc.greater(numbers, pa.scalar(column.max_value, kind)))
    return low, high, numbers
