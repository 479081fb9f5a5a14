"""What one rule says of a column of text: the typed values it accepts, and why it refuses the rest.

``judge`` and ``explain`` are the two halves of one verdict: ``explain`` gives at least one reason for each value that
``judge`` refuses. Values are judged by their exact text, and no text passes through a binary float on its way to
``numeric``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Mask, Text, bools, certain, indices, mask_of
from ingest.processing.reasons import NULL_CHARACTERS
from ingest.rules import patterns
from ingest.rules.contract import Column
from ingest.rules.kinds import timestamp

type Why = tuple[str, str, Mask]  # code, message, which values

_SAFE_DIGITS = 18  # any number of so many digits fits int64
_LONG_INTEGER = r"\A-?[0-9]+\z"
_DECIMAL = r"\A-?[0-9]+(?:\.[0-9]+)?\z"
FLOAT_TEXT = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]{1,4})?"
_FLOAT = rf"\A{FLOAT_TEXT}\z"
_FLOAT_ZERO = r"\A-?0+(?:\.0+)?(?:[eE].*)?\z"


def judge(text: Text, column: Column) -> tuple[Any, Mask]:
    """Give n typed values (NULL where refused or NULL) and the mask of those accepted; NULL and '' are not accepted."""
    if column.kind == "moment":
        return timestamp.parse(text)
    parse = {"text": _text, "integer": _integer, "decimal": _decimal, "float": _float}[column.kind]
    return parse(text, column)


def explain(text: Text, column: Column) -> Iterator[Why]:
    """Give every reason for values that ``judge`` refused (and that are not empty), as masks over ``text``."""
    if column.kind == "text":
        yield from _explain_text(text, column)
    elif column.kind == "moment":
        yield "invalid", column.message, np.ones(len(text), bool)
    else:
        yield from _explain_number(text, column)


def _masked(values: Any, ok: Any) -> tuple[Any, Mask]:
    mask = ok.to_numpy(zero_copy_only=False)
    return (values if mask.all() else pc.if_else(ok, values, None)), mask


def _matches(text: Text, regex: str) -> Any:
    return certain(pc.match_substring_regex(text, regex))


def _text(text: Text, column: Column) -> tuple[Any, Mask]:
    if column.choices:
        return _masked(text, pc.is_in(text, pa.array(column.choices)))
    if column.pattern is not None:
        ok = _matches(text, patterns.re2(column.pattern))
    else:
        ok = certain(pc.greater(pc.binary_length(text), 0))
    if column.width is None:
        ok = pc.and_(ok, pc.invert(_has_nul(text)))
        ok = pc.and_(ok, certain(pc.less_equal(pc.utf8_length(text), column.max_length or 2**30)))
    if column.composed:
        ok = pc.and_(ok, _is_composed(text))
    return _masked(text, ok)


def _has_nul(text: Text) -> Any:
    return certain(pc.match_substring(text, "\x00"))


def _is_composed(text: Text) -> Any:
    ascii_only = pc.string_is_ascii(text).fill_null(True)
    if ascii_only.true_count == len(text):
        return ascii_only
    other = pc.if_else(ascii_only, None, text)
    return pc.coalesce(pc.equal(pc.utf8_normalize(other, "NFC"), other), True)


def _bare(text: Text, column: Column) -> Text:
    """Take idle zeros off both ends of numbers that are too long for a cast; the value stays."""
    if (pc.max(pc.binary_length(text)).as_py() or 0) <= _SAFE_DIGITS:
        return text
    text = pc.replace_substring_regex(text, r"\A(-?)0+([0-9])", r"\1\2")
    if column.kind == "decimal":
        text = pc.replace_substring_regex(text, rf"\A(-?[0-9]+\.[0-9]{{{column.decimal_places}}})0+\z", r"\1")
    return text


def _integer(text: Text, column: Column) -> tuple[Any, Mask]:
    text = _bare(text, column)
    kind, digits = _integers(column)
    ok = _matches(text, rf"\A-?[0-9]{{1,{digits}}}\z")
    numbers = (text if ok.true_count == len(text) else pc.if_else(ok, text, None)).cast(kind)
    values, mask = _masked(numbers, _within(numbers, column))
    return values.cast(column.arrow_type), mask


def _integers(column: Column) -> tuple[Any, int]:
    """Give the type in which integers are compared, and how many digits of any kind it holds."""
    if column.arrow_type == pa.int64():  # whose own ends have a digit more than is safe in it
        return pa.decimal128(_SAFE_DIGITS + 1, 0), _SAFE_DIGITS + 1
    return pa.int64(), _SAFE_DIGITS


def _within(values: Any, column: Column) -> Any:
    low = pc.greater_equal(values, pa.scalar(column.min_value, values.type))
    return certain(pc.and_(low, pc.less_equal(values, pa.scalar(column.max_value, values.type))))


def _decimal(text: Text, column: Column) -> tuple[Any, Mask]:
    text = _bare(text, column)
    ok = _matches(text, _DECIMAL)
    for _, _, wrong in _decimal_shape(text, column):
        ok = pc.and_(ok, pc.invert(wrong))
    numbers = (text if ok.true_count == len(text) else pc.if_else(ok, text, None)).cast(column.arrow_type)
    return _masked(numbers, _within(numbers, column))


def _decimal_shape(text: Text, column: Column) -> Iterator[tuple[str, str, Any]]:
    """Find numbers that ``numeric`` would round, or not hold."""
    places, digits = column.decimal_places or 0, column.max_digits or 0
    yield (
        "max_decimal_places",
        f"Ensure that there are no more than {places} decimal places.",
        _matches(text, rf"\A-?[0-9]+\.[0-9]{{{places}}}[0-9]*[1-9]0*\z"),
    )
    yield (
        "max_digits",
        f"Ensure that there are no more than {digits} digits in total ({digits - places} before the point).",
        _matches(text, rf"\A-?0*[1-9][0-9]{{{digits - places},}}(?:\.[0-9]*)?\z"),
    )


def _float(text: Text, column: Column) -> tuple[Any, Mask]:
    ok = _matches(text, _FLOAT)
    numbers = pc.add((text if ok.true_count == len(text) else pc.if_else(ok, text, None)).cast(pa.float64()), 0.0)
    ok = _within(numbers, column)
    zero = np.flatnonzero(mask_of(pc.equal(numbers, 0.0)))
    if len(zero):  # `1e-400` became 0: PostgreSQL calls it out of range
        lost = zero[~mask_of(_matches(text.take(indices(zero)), _FLOAT_ZERO))]
        mask = mask_of(ok).copy()
        mask[lost] = False
        ok = bools(mask)
    return _masked(numbers, ok)


def _explain_text(text: Text, column: Column) -> Iterator[Why]:
    nul = mask_of(_has_nul(text))
    if nul.any():
        yield "null_characters_not_allowed", NULL_CHARACTERS, nul
    if column.choices:
        yield "invalid_choice", f"Choose one of: {', '.join(column.choices)}.", ~nul
        return
    longest = column.max_length or 2**30
    too_long = mask_of(pc.greater(pc.utf8_length(text), longest)) & ~nul & (column.width is None)
    if too_long.any():
        yield "max_length", f"Ensure this field has no more than {longest} characters.", too_long
    misshapen = ~nul if column.pattern is None else ~mask_of(_matches(text, patterns.re2(column.pattern))) & ~nul
    if column.pattern is None:
        misshapen &= ~too_long
    if misshapen.any():
        yield "invalid", column.message, misshapen


def _explain_number(text: Text, column: Column) -> Iterator[Why]:
    """A number too long for its type has that reason; of its bounds only the sign can still be wrong."""
    text = text if column.kind == "float" else _bare(text, column)
    shape = {"integer": _LONG_INTEGER, "decimal": _DECIMAL, "float": _FLOAT}[column.kind]
    plain = mask_of(_matches(text, shape))
    sized = plain.copy()
    for code, message, wrong in _decimal_shape(text, column) if column.kind == "decimal" else ():
        misfit = mask_of(wrong) & plain
        sized &= ~misfit
        if misfit.any():
            yield code, message, misfit
    low, high = _out_of_bounds(text, sized, column)
    if column.min_value >= 0:
        low |= plain & ~sized & mask_of(_matches(text, r"\A-.*[1-9]"))
    if low.any():
        yield "min_value", f"Ensure this value is greater than or equal to {column.min_value}.", low
    if high.any():
        yield "max_value", f"Ensure this value is less than or equal to {column.max_value}.", high
    invalid = ~plain | (sized & ~low & ~high)  # well formed, sized and within bounds: not finite, or lost to underflow
    if invalid.any():
        yield "invalid", column.message, invalid


def _out_of_bounds(text: Text, plain: Mask, column: Column) -> tuple[Mask, Mask]:
    """Tell which well-formed numbers are below and above their bounds; neither: not finite, or lost to underflow."""
    negative = mask_of(pc.starts_with(text, "-")) & plain
    if column.kind == "integer":  # refused although well formed: so it is beyond one of the ends
        kind, digits = _integers(column)
        short = plain & mask_of(pc.less_equal(pc.binary_length(text), digits))
        numbers = pc.if_else(bools(short), text, None).cast(kind)
        low = mask_of(pc.less(numbers, pa.scalar(column.min_value, kind)))
        return low | (negative & ~short), (plain & ~low & short) | (plain & ~negative & ~short)
    kind = pa.float64() if column.kind == "float" else column.arrow_type
    numbers = pc.if_else(bools(plain), text, None).cast(kind)
    finite = mask_of(pc.is_finite(numbers)) if column.kind == "float" else plain
    low = mask_of(pc.less(numbers, pa.scalar(column.min_value, kind))) & finite
    high = mask_of(pc.greater(numbers, pa.scalar(column.max_value, kind))) & finite
    return low, high
