"""Binary floats that are finite: ``double precision``."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Mask, Text, bools, indices, mask_of
from ingest.rules.contract import Column
from ingest.rules.kinds.masks import Fault, masked, matches, only
from ingest.rules.kinds.numeric import explain_number, outside, within

FLOAT_TEXT = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]{1,4})?"
_FLOAT = rf"\A{FLOAT_TEXT}\z"
_ZERO = r"\A-?0+(?:\.0+)?(?:[eE].*)?\z"


def parse(text: Text, column: Column) -> tuple[Any, Mask]:
    """Return n floats (NULL where refused; ``-0.0`` is ``0.0``) and the mask of those accepted."""
    numbers = pc.add(only(text, matches(text, _FLOAT)).cast(pa.float64()), 0.0)
    ok = within(numbers, column)
    zero = np.flatnonzero(mask_of(pc.equal(numbers, 0.0)))
    if len(zero):  # `1e-400` became 0: PostgreSQL calls it out of range
        lost = zero[~mask_of(matches(text.take(indices(zero)), _ZERO))]
        mask = mask_of(ok).copy()
        mask[lost] = False
        ok = bools(mask)
    return masked(numbers, ok)


def explain(text: Text, column: Column) -> Iterator[Fault]:
    """Yield every reason for values that ``parse`` refused."""
    return explain_number(text, column, shape=_FLOAT, bounds=_bounds)


def _bounds(text: Text, plain: Mask, column: Column) -> tuple[Mask, Mask]:
    low, high, numbers = outside(text, plain, column, pa.float64())
    finite = mask_of(pc.is_finite(numbers))
    return low & finite, high & finite
