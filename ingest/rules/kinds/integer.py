"""Whole numbers of 16, 32 and 64 bits."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Mask, Text, bools, mask_of
from ingest.rules.contract import Column
from ingest.rules.kinds.masks import Fault, masked, matches, only
from ingest.rules.kinds.numeric import SAFE_DIGITS, explain_number, is_long, within, without_leading_zeros

_INTEGER = r"\A-?[0-9]+\z"


def parse(text: Text, column: Column) -> tuple[Any, Mask]:
    """Return n integers (NULL where refused) and the mask of those accepted."""
    text = _bare(text)
    kind, digits = _comparable(column)
    numbers = only(text, matches(text, rf"\A-?[0-9]{{1,{digits}}}\z")).cast(kind)
    values, mask = masked(numbers, within(numbers, column))
    return values.cast(column.arrow_type), mask


def explain(text: Text, column: Column) -> Iterator[Fault]:
    """Yield every reason for values that ``parse`` refused."""
    return explain_number(_bare(text), column, shape=_INTEGER, bounds=_bounds)


def _bare(text: Text) -> Text:
    return without_leading_zeros(text) if is_long(text) else text


def _comparable(column: Column) -> tuple[Any, int]:
    """Return the type in which integers are compared, and how many digits of any kind it holds."""
    if column.arrow_type == pa.int64():  # whose own ends have a digit more than is safe in it
        return pa.decimal128(SAFE_DIGITS + 1, 0), SAFE_DIGITS + 1
    return pa.int64(), SAFE_DIGITS


def _bounds(text: Text, plain: Mask, column: Column) -> tuple[Mask, Mask]:
    """Refused although well formed: so it is beyond one of the ends."""
    negative = mask_of(pc.starts_with(text, "-")) & plain
    kind, digits = _comparable(column)
    short = plain & mask_of(pc.less_equal(pc.binary_length(text), digits))
    numbers = pc.if_else(bools(short), text, None).cast(kind)
    low = mask_of(pc.less(numbers, pa.scalar(column.min_value, kind)))
    return low | (negative & ~short), (plain & ~low & short) | (plain & ~negative & ~short)
